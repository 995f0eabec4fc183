/** What is owed when a cluster ends, or when its folder fails: it is said, and made good at the next opening. */

import { readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { openCluster } from '../../src/index.js'
import { copiesOf, eventOf, folderForTest, loadRecords, openForTest } from '../support/cluster.js'

async function wasClean(location: string): Promise<boolean> {
  const text = await readFile(join(location, 'cluster', 'metadata.json'), 'utf8')
  return /"cleanShutdown":\s*true/.test(text)
}

test('close: copies that nodes still owe are waited for, and the shutdown is clean', async (t) => {
  const location = await folderForTest(t)
  const cluster = await openCluster({ location, nodes: 3, coordination: 'server' })
  await Promise.all(Array.from({ length: 500 }, (_, index) => cluster.put(`key ${index}`, 'value', { w: 1 })))
  await cluster.close()
  t.ok(await wasClean(location))
  const again = await openForTest(t, { location })
  t.equal(copiesOf(again), 1_500)
})

test('close: with coordination by nodes, a shutdown while one owes a copy is not a clean one', async (t) => {
  const location = await folderForTest(t)
  const options = { location, nodes: 3, coordination: 'server', hungAfterMs: 60_000, closeTimeoutMs: 500 } as const
  const cluster = await openCluster({ ...options, faults: true })
  await cluster.settled()
  await cluster.faults.pause('node3', 60_000)
  for (let number = 0; number < 20; number++) await cluster.put(`key ${number}`, 'value')
  await cluster.close()
  t.notOk(await wasClean(location))
  const again = await openForTest(t, { location })
  await again.settled()
  t.equal(copiesOf(again), 60, 'the owner that slept has them all after an exchange')
})

test('reopen: a node that was down for good and comes back intact gets what it missed', async (t) => {
  const location = await folderForTest(t)
  const cluster = await openCluster({ location, nodes: 3, faults: true })
  await loadRecords(cluster, 100, 'before')
  await cluster.settled()
  await cluster.faults.crash('node3', { permanent: true })
  await loadRecords(cluster, 300, 'missed')
  await cluster.settled()
  await cluster.close()
  t.ok(await wasClean(location), 'nothing is owed to a node that is down for good')

  const again = await openForTest(t, { location })
  await again.settled()
  t.equal(copiesOf(again), 1_200)
  await again.close()
  const third = await openCluster({ location })
  const exchanges: string[] = []
  third.on('exchange', ({ node }) => exchanges.push(node))
  await third.settled()
  await third.close()
  t.same(exchanges, [], 'once is enough')
})

test('a cluster folder that cannot be written is told of once, and status says it', async (t) => {
  const location = await folderForTest(t)
  const cluster = await openForTest(t, { location, nodes: 5 })
  await cluster.settled()
  t.equal(cluster.status().fatal, undefined)
  let told = 0
  cluster.on('fatal', () => {
    told += 1
  })
  const away = join(location, 'away')
  await rename(join(location, 'cluster'), away)
  const [fatal, exited] = [eventOf(cluster, 'fatal'), eventOf(cluster, 'node:down')]
  await cluster.faults.crash('node5', { permanent: true })
  await exited
  const [{ error }] = await fatal
  t.match(error.message, /ENOENT/)
  t.equal(cluster.status().fatal, error.message)
  await rename(away, join(location, 'cluster'))
  await cluster.close()
  t.equal(told, 1)
})
