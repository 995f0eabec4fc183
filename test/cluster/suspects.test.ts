/** A process that died in native code: whose store is suspected, and what that costs. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { openAfter } from '../../src/cluster.js'
import { damageStore } from '../../src/storage/damage.js'
import { nodeFolders } from '../../src/storage/layout.js'
import { markOpening, suspectsAfter } from '../../src/storage/opening-marker.js'
import { copiesOf, folderForTest, loadRecords, nodeIds, nodeOf, openForTest, wrongRecords } from '../support/cluster.js'

const NODES = ['node1', 'node2', 'node3']
const CALM = { hungAfterMs: 10_000 }

test('suspects: of one death all that were being opened, of the second the one that was opened alone', async (t) => {
  const location = await folderForTest(t)
  for (const node of NODES) mkdirSync(nodeFolders(location, node).folder, { recursive: true })
  const after = (pid: number, maySetAside = true) =>
    Object.fromEntries(suspectsAfter({ pid, signal: 'SIGABRT' }, { location, nodes: NODES, maySetAside }))
  const mark = (node: string, pid: number, deaths: number) =>
    writeFileSync(join(nodeFolders(location, node).folder, 'opening'), JSON.stringify({ pid, deaths }))

  t.match(after(1), { node1: { opensAlone: false, setAside: false }, node2: {}, node3: {} }, 'nobody was being opened')
  for (const node of ['node1', 'node2']) mark(node, 7, 0)
  t.match(after(7), {
    node1: { opensAlone: true, setAside: false },
    node2: { opensAlone: true, setAside: false },
    node3: { opensAlone: false },
  })
  // The next process opened node1 alone, and died over it; node2 was never reached.
  markOpening(nodeFolders(location, 'node1').folder)
  t.match(after(process.pid), {
    node1: { setAside: true, reason: /SIGABRT while it was being opened \(2 in a row\)/ },
    node2: { opensAlone: true, setAside: false },
  })
  mark('node3', 9, 1)
  t.match(after(9, false), { node3: { opensAlone: true, setAside: false } }, 'nobody could refill it')
  t.same(
    [...suspectsAfter(undefined, { location, nodes: NODES, maySetAside: true }).keys()],
    NODES,
    'what is known is not forgotten',
  )
})

test('suspects: without a death nothing is suspected, and a marker is there only while a store is opened', async (t) => {
  const location = await folderForTest(t)
  const cluster = await openForTest(t, { ...CALM, location })
  for (const id of nodeIds(cluster)) t.notOk(existsSync(join(location, id, 'opening')))
  t.same(suspectsAfter(undefined, { location, nodes: nodeIds(cluster), maySetAside: true }), new Map())
})

test('suspects: after a native death every store is verified, whatever the options say', async (t) => {
  const location = await folderForTest(t)
  const first = await openForTest(t, { ...CALM, location })
  const records = await loadRecords(first, 500)
  await first.settled()
  await first.close()
  await damageStore(nodeFolders(location, 'node4').store)
  const death = { pid: 1, signal: 'SIGSEGV' }
  const cluster = await openAfter(death, { ...CALM, location, verification: 'never' })
  t.teardown(() => cluster.close())
  // A cluster is open as soon as it can serve.
  await cluster.settled({ timeoutMs: 20_000 })
  t.match(nodeOf(cluster, 'node4').quarantined, [{ reason: 'files-damaged' }])
  t.same(await wrongRecords(cluster, records, { r: 3 }), [])
})

test('suspects: a store that a process died over twice is set aside and refilled, though its files are sound', async (t) => {
  const location = await folderForTest(t)
  const first = await openForTest(t, { ...CALM, location })
  const records = await loadRecords(first, 500)
  await first.settled()
  const copies = copiesOf(first)
  await first.close()
  const marker = join(location, 'node2', 'opening')
  writeFileSync(marker, JSON.stringify({ pid: 5, deaths: 1 }))
  writeFileSync(join(location, 'node3', 'opening'), JSON.stringify({ pid: 4, deaths: 1 }))
  const cluster = await openAfter({ pid: 5, signal: 'SIGABRT' }, { ...CALM, location })
  t.teardown(() => cluster.close())
  t.match(nodeOf(cluster, 'node2').quarantined, { length: 1 })
  t.same(nodeOf(cluster, 'node3').quarantined, [])
  await cluster.settled({ timeoutMs: 20_000 })
  t.equal(copiesOf(cluster), copies)
  t.same(await wrongRecords(cluster, records, { r: 3 }), [])
  for (const id of ['node2', 'node3'])
    t.throws(() => readFileSync(join(location, id, 'opening')), 'it has proved itself')
})
