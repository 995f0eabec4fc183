/** A store that was deleted or damaged heals from its replicas, under load, and nobody reads a wrong value meanwhile. */

import { cpSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { openCluster } from '../../src/index.js'
import { checkLinearizability } from '../../src/sim/checkers/linearizability.js'
import {
  copiesOf,
  eventOf,
  folderForTest,
  loadRecords,
  nodeOf,
  openForTest,
  type TestContext,
  wrongRecords,
} from '../support/cluster.js'
import { operationsByKey } from '../support/history.js'
import { newCounter, startWorkload } from '../support/workload.js'

test('heal: a wiped node comes back as a new actor and is filled from the others', async (t) => {
  const cluster = await openForTest(t)
  const records = await loadRecords(cluster, 1_000)
  await cluster.settled()
  const before = nodeOf(cluster, 'node3')
  const amnesia = eventOf(cluster, 'node:amnesia', ({ node }) => node === 'node3')
  await cluster.faults.wipe('node3')
  await amnesia
  await cluster.settled()
  const after = nodeOf(cluster, 'node3')
  t.not(after.actor, before.actor, 'a store that may have forgotten is a new actor')
  t.equal(after.keys, before.keys, 'it holds what it held')
  t.equal(after.pending, 0)
  t.equal(copiesOf(cluster), 3_000)
  t.same(await wrongRecords(cluster, records, { r: 3 }), [])
})

test('heal: a damaged store is found before it is opened, moved aside, named, and refilled', async (t) => {
  const cluster = await openForTest(t)
  const records = await loadRecords(cluster, 1_000)
  await cluster.settled()
  const quarantine = eventOf(cluster, 'node:quarantine', ({ node }) => node === 'node2')
  await cluster.faults.corrupt('node2')
  const [{ folder, reason }] = await quarantine
  await cluster.settled()
  t.ok(reason.length > 0, reason)
  t.match(nodeOf(cluster, 'node2').quarantined, [{ folder, reason }], 'status() names it')
  t.equal(copiesOf(cluster), 3_000)
  t.same(await wrongRecords(cluster, records, { r: 3 }), [])
})

test('heal: a deleted key does not come back from a store that missed the delete', async (t) => {
  const cluster = await openForTest(t)
  const records = await loadRecords(cluster, 200)
  await cluster.faults.crash('node1')
  for (const key of records.keys()) await cluster.delete(key)
  await cluster.faults.wipe('node4')
  await cluster.settled()
  const values = await cluster.getMany([...records.keys()], { r: 3 })
  t.same(new Set(values), new Set([undefined]))
  t.equal(copiesOf(cluster), 0)
})

for (const fault of ['wipe', 'corrupt'] as const) {
  test(`heal: ${fault} under load: no request fails and every key stays linearizable`, async (t) => {
    await healUnderLoad(t, fault)
  })
}

test('heal: a node folder deleted between two openings is refilled', async (t) => {
  const location = await folderForTest(t)
  const first = await openCluster({ location })
  const records = await loadRecords(first, 500)
  await first.settled()
  await first.close()
  await rm(join(location, 'node5'), { recursive: true })
  const cluster = await openForTest(t, { location })
  t.same(await wrongRecords(cluster, records), [], 'served meanwhile')
  await cluster.settled()
  t.equal(copiesOf(cluster), 1_500)
})

test('heal: an older copy of a node folder, witness and all, is noticed and refilled; no deleted key is back', async (t) => {
  const location = await folderForTest(t)
  const older = await folderForTest(t)
  const first = await openCluster({ location })
  const records = new Map(await loadRecords(first, 200))
  await first.settled()
  await first.close()
  cpSync(join(location, 'node2'), join(older, 'node2'), { recursive: true })
  const second = await openCluster({ location })
  for (const key of [...records.keys()].slice(0, 100)) {
    await second.delete(key)
    records.delete(key)
  }
  await second.settled()
  await second.close()
  await rm(join(location, 'node2'), { recursive: true })
  cpSync(join(older, 'node2'), join(location, 'node2'), { recursive: true })

  const cluster = await openForTest(t, { location })
  await cluster.settled()
  t.equal(nodeOf(cluster, 'node2').quarantined[0]?.reason, 'behind-cluster')
  t.equal(copiesOf(cluster), 300)
  t.same(await wrongRecords(cluster, records, { r: 3 }), [])
  await cluster.close()
  const again = await openForTest(t, { location })
  t.same(nodeOf(again, 'node2').quarantined, [], 'once is enough')
})

async function healUnderLoad(t: TestContext, fault: 'wipe' | 'corrupt'): Promise<void> {
  const cluster = await openForTest(t)
  const options = { callers: 8, seed: 1, counter: newCounter(), requestsPerSecondMax: 4_000 }
  const workload = startWorkload(cluster, options)
  for (const node of ['node1', 'node4']) {
    await cluster.faults[fault](node)
    await cluster.settled()
  }
  const { history, failures, requests } = await workload.stop()
  t.same(failures, [])
  const verdict = checkLinearizability([...operationsByKey([history])].flat())
  t.same(verdict.violations, [])
  t.equal(verdict.operations, requests)
}
