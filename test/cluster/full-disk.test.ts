/** A full disk, injected: writes are refused at once and definitely, reads go on, and the node comes back by itself. */

import { test } from 'tap'
import { checkLinearizability } from '../../src/sim/checkers/linearizability.js'
import {
  copiesOf,
  countOutcomes,
  eventOf,
  loadRecords,
  nodeIds,
  nodeOf,
  openForTest,
  outcomeOf,
  wrongRecords,
} from '../support/cluster.js'
import { operationsByKey } from '../support/history.js'
import { newCounter, startWorkload } from '../support/workload.js'

/** Nothing here is about slowness. */
const CALM = { hungAfterMs: 10_000, avoidAfterMs: 10_000, writeTimeoutMs: 20_000, readTimeoutMs: 10_000 }

test('full disk: the others take the writes, reads of every owner go on, and the node gets what it missed', async (t) => {
  const cluster = await openForTest(t, CALM)
  const before = await loadRecords(cluster, 500, 'before')
  const { threadId } = nodeOf(cluster, 'node2')
  const full = eventOf(cluster, 'node:full', ({ node }) => node === 'node2')
  await cluster.faults.fillDisk('node2')
  const during = await loadRecords(cluster, 500, 'during')
  await full
  t.match(nodeOf(cluster, 'node2'), { storeFull: true, status: 'up', threadId, restarts: 0 })
  t.same(await wrongRecords(cluster, before, { r: 3 }), [])
  t.same(await wrongRecords(cluster, during), [])
  await cluster.faults.heal()
  // No look at the disk is due so soon: `settled` has it looked at.
  await cluster.settled({ timeoutMs: 20_000 })
  t.match(nodeOf(cluster, 'node2'), { storeFull: false, status: 'up', incarnation: 2, restarts: 1 })
  t.equal(copiesOf(cluster), 3_000, 'hints gave it what it missed')
  t.same(await wrongRecords(cluster, new Map([...before, ...during]), { r: 3 }), [])
})

test('full disk: on every node, writes are refused at once and definitely, and reads go on', async (t) => {
  const cluster = await openForTest(t, CALM)
  const records = await loadRecords(cluster, 500)
  await cluster.settled()
  const all = Promise.all(nodeIds(cluster).map((id) => eventOf(cluster, 'node:full', ({ node }) => node === id)))
  for (const id of nodeIds(cluster)) await cluster.faults.fillDisk(id)
  // The batch that found out may be there or not; what comes after is not.
  await countOutcomes(Array.from({ length: 100 }, (_, index) => cluster.put(`found out ${index}`, 'x')))
  await all
  for (const sloppy of [false, true]) {
    const startedMs = performance.now()
    const puts = Array.from({ length: 100 }, (_, index) => cluster.put(`refused ${index}`, 'x', { sloppy }))
    const outcomes = await countOutcomes(puts)
    t.same(outcomes, { STORE_FAILED: 100 }, `sloppy ${sloppy}`)
    t.ok(performance.now() - startedMs < CALM.writeTimeoutMs / 2, 'they do not wait for their deadlines')
  }
  t.same(await wrongRecords(cluster, records, { r: 3 }), [])
  await cluster.faults.heal()
  await cluster.settled({ timeoutMs: 20_000 })
  for (const id of nodeIds(cluster)) t.match(nodeOf(cluster, id), { storeFull: false, status: 'up', restarts: 1 })
  for (let index = 0; index < 100; index++) t.equal(await cluster.get(`refused ${index}`), undefined)
  t.same(await wrongRecords(cluster, records, { r: 3 }), [])
  t.equal(await outcomeOf(cluster.put('again', 'x')), 'ok')
})

test('full disk: a node that dies on one waits for room, and burns no restarts', async (t) => {
  const cluster = await openForTest(t, { ...CALM, restartsMax: 0 })
  const records = await loadRecords(cluster, 300)
  const full = eventOf(cluster, 'node:full', ({ node }) => node === 'node3')
  await cluster.faults.fillDisk('node3')
  await loadRecords(cluster, 300)
  await full
  await cluster.faults.crash('node3')
  // Six times as many restarts as it may have, if each were a restart.
  for (let crash = 0; crash < 6; crash++) await cluster.faults.crash('node3')
  t.match(nodeOf(cluster, 'node3'), { storeFull: true, status: 'suspect', threadId: null })
  await cluster.faults.heal()
  await cluster.settled({ timeoutMs: 20_000 })
  t.match(nodeOf(cluster, 'node3'), { storeFull: false, status: 'up' })
  t.same(await wrongRecords(cluster, records, { r: 3 }), [])
})

test('full disk: coming and going under load, no request fails and every key stays linearizable', async (t) => {
  const cluster = await openForTest(t, CALM)
  const options = { callers: 8, seed: 1, counter: newCounter(), requestsPerSecondMax: 4_000 }
  const workload = startWorkload(cluster, options)
  for (const id of ['node1', 'node4', 'node1']) {
    const full = eventOf(cluster, 'node:full', ({ node }) => node === id)
    await cluster.faults.fillDisk(id)
    await full
    const up = eventOf(cluster, 'node:up', ({ node }) => node === id)
    await cluster.faults.heal()
    await up
  }
  const { history, failures, requests } = await workload.stop()
  t.same(failures, [])
  const verdict = checkLinearizability([...operationsByKey([history])].flat())
  t.same(verdict.violations, [])
  t.equal(verdict.operations, requests)
  await cluster.settled({ timeoutMs: 20_000 })
})

test('full disk: a node that cannot store a new table is gone until it can, and nobody else waits for it', async (t) => {
  const cluster = await openForTest(t, CALM)
  const records = await loadRecords(cluster, 300)
  const full = eventOf(cluster, 'node:full', ({ node }) => node === 'node3')
  await cluster.faults.fillDisk('node3')
  await loadRecords(cluster, 100, 'more')
  await full
  await cluster.faults.crash('node5', { permanent: true })
  // Of the others two of three owners may be gone.
  const others = [...records].filter(([key]) => !cluster.locate(key).owners.includes('node3'))
  t.ok(others.length > 0)
  t.same(await wrongRecords(cluster, new Map(others)), [])
  await cluster.faults.heal()
  await cluster.settled({ timeoutMs: 20_000 })
  t.same(await wrongRecords(cluster, records, { r: 3 }), [])
  t.equal(cluster.status().partitionsMoving, 0)
})
