/** Deleted keys cost nothing in the end, and do not come back. */

import { join } from 'node:path'
import { test } from 'tap'
import { verifyFolder } from '../../src/index.js'
import {
  copiesOf,
  folderForTest,
  loadRecords,
  openForTest,
  outcomeOf,
  until,
  wrongRecords,
} from '../support/cluster.js'

const GRACE = { tombstoneGraceMs: 2_500, readTimeoutMs: 2_500, writeTimeoutMs: 2_500 }

async function recordsIn(location: string): Promise<number> {
  return (await verifyFolder(location)).parts.reduce((sum, { records }) => sum + records, 0)
}

test('tombstones: forgotten once every copy holds them, those of an owner that was cut off too', async (t) => {
  const location = join(await folderForTest(t), 'data')
  const cluster = await openForTest(t, { location, nodes: 4, partitions: 16, ...GRACE })
  const records = new Map(await loadRecords(cluster, 200))
  const gone = [...records.keys()].filter((_, index) => index % 2 === 0)
  await cluster.faults.cut('node1', ['node2', 'node3', 'node4', cluster.id])
  for (const key of gone) {
    await cluster.delete(key)
    records.delete(key)
  }
  await cluster.faults.heal()
  let forgotten = 0
  cluster.on('tombstones:dropped', ({ keys }) => {
    forgotten += keys
  })
  await until(() => forgotten === 3 * gone.length, 40_000)
  t.same(await wrongRecords(cluster, records, { r: 3 }), [])
  t.ok((await Promise.all(gone.map((key) => cluster.get(key, { r: 3 })))).every((value) => value === undefined))
  t.equal(copiesOf(cluster), 3 * records.size)
  await cluster.close()
  t.equal(await recordsIn(location), 3 * records.size, 'nothing is left of them')
})

test('tombstones: of siblings too, and a write with a context of before is one of its own', async (t) => {
  const cluster = await openForTest(t, { nodes: 3, partitions: 16, conflict: 'siblings', ...GRACE })
  await cluster.put('k', 'first')
  const { context } = await cluster.read('k')
  await cluster.delete('k', { context })
  let forgotten = 0
  cluster.on('tombstones:dropped', ({ keys }) => {
    forgotten += keys
  })
  await until(() => forgotten === 3, 40_000)
  t.same((await cluster.read('k', { r: 3 })).values, [])
  // Whoever coordinates has given out dots of this key before, and the context names them.
  await cluster.put('k', 'second')
  await cluster.put('k', 'third', { context })
  const values = (await cluster.read('k', { r: 3 })).values.map((value) => Buffer.from(value).toString())
  t.same(values.sort(), ['second', 'third'])
})

test('tombstones: no timeout may be longer than they are remembered', async (t) => {
  t.equal(await outcomeOf(openForTest(t, { nodes: 3, tombstoneGraceMs: 2_000 })), 'INVALID_OPTION')
  t.equal(
    await outcomeOf(openForTest(t, { nodes: 3, tombstoneGraceMs: 4_000, writeTimeoutMs: 5_000 })),
    'INVALID_OPTION',
  )
  const cluster = await openForTest(t, { nodes: 3, partitions: 16, ...GRACE })
  t.equal(await outcomeOf(cluster.get('k', { timeoutMs: 3_000 })), 'INVALID_OPTION')
  t.equal(await outcomeOf(cluster.get('k', { timeoutMs: 2_500 })), 'ok')
})
