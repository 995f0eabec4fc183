/** After a cut is healed: everything succeeds again, nothing that was acknowledged is lost, every copy is in its place. */

import { test } from 'tap'
import {
  copiesOf,
  countOutcomes,
  loadRecords,
  nodeIds,
  openForTest,
  outcomeOf,
  wrongRecords,
} from '../support/cluster.js'
import { countOf, failures } from '../support/faults.js'

const SETTLED = { timeoutMs: 30_000 }

for (const coordination of ['client', 'server'] as const) {
  test(`after the cut (${coordination}): requests succeed, hints are handed over, all copies are equal`, async (t) => {
    const cluster = await openForTest(t, { coordination })
    const records = await loadRecords(cluster, 300)
    await cluster.settled(SETTLED)
    await cluster.faults.cut([cluster.id, 'node1', 'node2'], ['node3', 'node4', 'node5'])
    const during = [...records.keys()].map((key) => cluster.put(key, `cut ${key}`, { timeoutMs: 500 }))
    const outcomes = await countOutcomes(during)
    t.ok((outcomes['ok'] ?? 0) > 0, JSON.stringify(outcomes))
    t.ok((outcomes['OUTCOME_UNKNOWN'] ?? 0) > 0, 'a partition with one owner on this side has no quorum')
    await cluster.faults.heal()
    await cluster.settled(SETTLED)
    const after = await countOutcomes([...records].map(([key, value]) => cluster.put(key, value)))
    t.same(after, { ok: 300 })
    await cluster.settled(SETTLED)
    t.same(await wrongRecords(cluster, records, { r: 3 }), [])
    t.equal(copiesOf(cluster), 900)
  })
}

test('after the cut: three parts, cut one after the other and healed together', async (t) => {
  const cluster = await openForTest(t)
  const records = await loadRecords(cluster, 200)
  await cluster.faults.cut('node1', ['node2', 'node3', 'node4', 'node5'])
  await cluster.faults.cut(['node2', 'node3'], ['node4', 'node5'])
  t.same(await failures(cluster, 40), [], 'the gateway reaches them all')
  await cluster.faults.heal()
  await cluster.settled(SETTLED)
  t.same(await wrongRecords(cluster, records, { r: 3 }), [])
  t.equal(copiesOf(cluster), 3 * 240)
})

test('after lost, late, doubled and overtaking messages: nothing is lost and everybody converges', async (t) => {
  const cluster = await openForTest(t)
  const everybody = [cluster.id, ...nodeIds(cluster)]
  await cluster.faults.drop(everybody, everybody, { share: 0.05 })
  await cluster.faults.delay(everybody, everybody, { ms: 1, jitterMs: 10 })
  await cluster.faults.duplicate(everybody, everybody, { share: 0.1 })
  await cluster.faults.reorder(everybody, everybody, { share: 0.1, ms: 20 })
  const acknowledged = new Map<string, string>()
  const put = async (key: string): Promise<void> => {
    if ((await outcomeOf(cluster.put(key, `value of ${key}`))) === 'ok') acknowledged.set(key, `value of ${key}`)
  }
  for (let round = 0; round < 20; round++) {
    await Promise.all(Array.from({ length: 10 }, (_, index) => put(`key ${round} ${index}`)))
  }
  for (const count of ['dropped', 'delayed', 'duplicated', 'reordered'] as const)
    t.ok(countOf(cluster, count) > 0, count)
  await cluster.faults.heal()
  await cluster.settled(SETTLED)
  t.ok(acknowledged.size > 150, `${acknowledged.size} of 200 were acknowledged`)
  t.same(await wrongRecords(cluster, acknowledged, { r: 3 }), [])
})
