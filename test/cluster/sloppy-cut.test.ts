/** A cut with clients on both sides that both take less than a strict quorum: sloppy writes. */

import { test } from 'tap'
import type { KeyValueStore } from '../../src/index.js'
import { copiesOf, countOutcomes, openForTest, wrongRecords } from '../support/cluster.js'
import { connectInThread } from '../support/other-thread.js'

const SETTLED = { timeoutMs: 30_000 }

test('after the cut: sloppy writes were taken on both sides, and the newest is everywhere', async (t) => {
  const cluster = await openForTest(t)
  const other = await connectInThread(t, cluster.ticket())
  const keys = Array.from({ length: 60 }, (_, number) => `key ${number}`)
  const putAll = (store: Pick<KeyValueStore, 'put'>, value: string) =>
    countOutcomes(keys.map((key) => store.put(key, value, { sloppy: true })))
  await cluster.faults.cut([cluster.id, 'node1', 'node2'], [other.id, 'node3', 'node4', 'node5'])
  t.same(await putAll(cluster, 'here first'), { ok: 60 })
  t.same(await putAll(other, 'there later'), { ok: 60 })
  await cluster.faults.heal()
  await cluster.settled(SETTLED)
  t.same(await wrongRecords(cluster, new Map(keys.map((key) => [key, 'there later'])), { r: 3 }), [])
  t.equal(copiesOf(cluster), 180)
  await other.close()
})
