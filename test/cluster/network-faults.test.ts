/** Faults of links, disks and clocks on real threads: what each does, and what a quorum makes of it. */

import { basename } from 'node:path'
import { inspect } from 'node:util'
import { test } from 'tap'
import type { ClusterOptions, Faults } from '../../src/index.js'
import { eventOf, nodeIds, nodeOf, openForTest, outcomeOf, textOf, until } from '../support/cluster.js'
import { countOf, failures, ownersOf } from '../support/faults.js'
import { connectInThread } from '../support/other-thread.js'

const HOUR_MS = 3_600_000
/** A request that runs into it has not been answered. */
const PATIENT = { timeoutMs: 60_000 }
/** Longer than a test: it ends by `heal`. */
const NEVER_MS = 600_000

test('delay: a read of all owners waits for the slow link, those that need fewer do not', async (t) => {
  const cluster = await openForTest(t)
  await cluster.put('key', 'value')
  const [, , third] = ownersOf(cluster, 'key')
  await cluster.faults.delay(third, cluster.id, { ms: NEVER_MS, jitterMs: 50 })
  let ended = 'no'
  const ofAll = cluster.get('key', { r: 3, ...PATIENT }).then((value) => {
    ended = `with ${textOf(value)}`
  })
  t.same(await failures(cluster, 10), [])
  t.equal(ended, 'no')
  t.ok((nodeOf(cluster, third).faults?.delayed ?? 0) > 0)
  await cluster.faults.heal()
  await ofAll
  t.equal(ended, 'with value', 'what was on its way has arrived')
  await cluster.faults.delay(third, cluster.id, { ms: 30, jitterMs: 10 })
  t.equal(textOf(await cluster.get('key', { r: 3, ...PATIENT })), 'value', 'a delay that ends by itself')
})

test('drop: the share of 1 between two nodes leaves nothing, and nobody else notices', async (t) => {
  const cluster = await openForTest(t)
  await cluster.faults.drop('node1', 'node2', { share: 1 })
  await until(() => (nodeOf(cluster, 'node1').faults?.dropped ?? 0) > 3)
  t.equal(nodeOf(cluster, 'node2').faults?.dropped, 0, 'the way back is open')
  t.same(await failures(cluster, 40), [])
})

for (const coordination of ['client', 'server'] as const) {
  test(`duplicate (${coordination}): every message twice, and every write once`, async (t) => {
    const cluster = await openForTest(t, { coordination })
    const everybody = [cluster.id, ...nodeIds(cluster)]
    await cluster.faults.duplicate(everybody, everybody, { share: 1 })
    t.same(await failures(cluster, 60), [])
    await cluster.delete('key 1')
    t.equal(await cluster.get('key 1', { r: 3 }), undefined)
    t.ok(countOf(cluster, 'duplicated') > 120)
    await cluster.faults.heal()
    await cluster.settled({ timeoutMs: 20_000 })
  })

  test(`reorder (${coordination}): messages overtake each other, and reads see what was written`, async (t) => {
    const cluster = await openForTest(t, { coordination })
    const everybody = [cluster.id, ...nodeIds(cluster)]
    await cluster.faults.reorder(everybody, everybody, { share: 0.3, ms: 15 })
    t.same(await failures(cluster, 60), [])
    t.ok(countOf(cluster, 'reordered') > 20)
    await cluster.faults.heal()
    await cluster.settled({ timeoutMs: 20_000 })
  })
}

test('duplicate (siblings): a write that arrives twice is one sibling, not two', async (t) => {
  const cluster = await openForTest(t, { conflict: 'siblings' })
  const everybody = [cluster.id, ...nodeIds(cluster)]
  await cluster.faults.duplicate(everybody, everybody, { share: 1 })
  for (let number = 0; number < 10; number++) {
    const key = `key ${number}`
    await Promise.all(['a', 'b', 'c'].map((value) => cluster.put(key, value)))
    const { values, context } = await cluster.read(key, { r: 3 })
    t.same(values.map(textOf).sort(), ['a', 'b', 'c'])
    await cluster.put(key, 'merged', { context })
    t.same((await cluster.read(key, { r: 3 })).values.map(textOf), ['merged'])
  }
  t.ok(countOf(cluster, 'duplicated') > 100)
})

test('slow: the store of one node takes longer, its thread goes on, and a quorum does not wait for it', async (t) => {
  const cluster = await openForTest(t)
  await cluster.put('key', 'value')
  const [first] = ownersOf(cluster, 'key')
  await cluster.faults.slow(first, { ms: NEVER_MS })
  const ended: string[] = []
  const ofAll = [
    cluster.put('key', 'new', { w: 3, ...PATIENT }).then(() => ended.push('put')),
    cluster.get('other', { r: 3, ...PATIENT }).then(() => ended.push('get')),
  ]
  t.same(await failures(cluster, 20), [])
  await until(() => (nodeOf(cluster, first).faults?.slowed ?? 0) > 0)
  t.notOk(ended.includes('put'))
  await cluster.faults.heal()
  await Promise.all(ofAll)
  await cluster.faults.slow(first, { ms: 20 })
  t.same(await failures(cluster, 20), [])
  t.equal(textOf(await cluster.get('key', { r: 3, ...PATIENT })), 'new')
  t.equal(nodeOf(cluster, first).restarts, 0, 'it was never taken for hung')
  await cluster.faults.heal()
  await cluster.settled({ timeoutMs: 20_000 })
})

test('skewClock: writes keep their order whatever the wall clocks of the nodes say', async (t) => {
  for (const options of [{ conflict: 'lww' }, { conflict: 'siblings', coordination: 'server' }] as const) {
    const cluster = await openForTest(t, options)
    const there = await connectInThread(t, cluster.ticket())
    for (const [index, id] of nodeIds(cluster).entries()) await cluster.faults.skewClock(id, (index - 2) * HOUR_MS)
    for (let number = 0; number < 30; number++) {
      const [writer, reader] = number % 2 === 0 ? [cluster, there] : [there, cluster]
      const { context } = await writer.read('key')
      await writer.put('key', `${number}`, { context })
      t.equal(textOf(await reader.get('key')), `${number}`)
    }
    await there.close()
  }
})

test('skewClock: is seen where a node reads the wall clock, also by its next thread', async (t) => {
  const cluster = await openForTest(t)
  await cluster.put('key', 'value')
  await cluster.faults.skewClock('node2', 48 * HOUR_MS)
  const quarantine = eventOf(cluster, 'node:quarantine', ({ node }) => node === 'node2')
  await cluster.faults.corrupt('node2')
  const [{ folder }] = await quarantine
  const aheadMs = (iso: string) => Date.parse(iso) - Date.now()
  const named = basename(folder).replace(/T(\d\d)-(\d\d)-([\d.]+Z)-.*/, 'T$1:$2:$3')
  t.ok(aheadMs(named) > 47 * HOUR_MS, `the store was set aside at ${named}`)
  t.ok(aheadMs(nodeOf(cluster, 'node2').quarantined[0]?.at ?? '') > 47 * HOUR_MS)
  await cluster.settled()
})

const CYCLE: { self?: unknown } = {}
CYCLE.self = CYCLE

const WRONG: readonly [name: keyof Faults, call: readonly unknown[], code: string, message: RegExp][] = [
  ['cut', ['node1', 'node99'], 'UNKNOWN_NODE', /node99/],
  ['cut', ['gateway7', 'node1'], 'UNKNOWN_NODE', /gateway7/],
  ['cut', ['node1', 'supervisor'], 'INVALID_OPTION', /the process itself/],
  ['cut', ['node1', []], 'INVALID_OPTION', /at least one/],
  ['cut', ['node1', ['node1']], 'INVALID_OPTION', /link to the other side/],
  ['cut', ['node1'], 'INVALID_OPTION', /`idsB` is undefined/],
  ['cutOneWay', [5, 'node1'], 'INVALID_OPTION', /`from` is 5/],
  ['delay', ['node1', 'node2', {}], 'INVALID_OPTION', /`ms` is undefined/],
  ['delay', ['node1', 'node2', { ms: -1 }], 'INVALID_OPTION', /`ms` is -1/],
  ['delay', ['node1', 'node2', { ms: 1, jitterMs: 0.5 }], 'INVALID_OPTION', /`jitterMs` is 0.5/],
  ['delay', ['node1', 'node2', { ms: 1, jitter: 1 }], 'INVALID_OPTION', /`jitter` is an unknown option/],
  ['drop', ['node1', 'node2', { share: 1.1 }], 'INVALID_OPTION', /`share` is 1.1/],
  ['drop', ['node1', 'node2', { share: Number.NaN }], 'INVALID_OPTION', /`share` is NaN/],
  ['duplicate', ['node1', 'node2', { share: '1' }], 'INVALID_OPTION', /`share` is "1"/],
  ['reorder', ['node1', 'node2', { share: 0.5 }], 'INVALID_OPTION', /`ms` is undefined/],
  ['reorder', ['node1', 'node2', { share: 0.5, ms: 600_001 }], 'INVALID_OPTION', /`ms` is 600001/],
  ['slow', ['node99', { ms: 1 }], 'UNKNOWN_NODE', /node99/],
  ['slow', ['node1', { ms: 0 }], 'INVALID_OPTION', /`ms` is 0/],
  ['slow', ['node1', { ms: CYCLE }], 'INVALID_OPTION', /`ms` is <ref \*1>/],
  ['slow', ['node1', null], 'INVALID_OPTION', /`options` is null/],
  ['skewClock', ['gateway1', 1], 'UNKNOWN_NODE', /gateway1/],
  ['failpoint', ['node99', 'send:hint/stored'], 'UNKNOWN_NODE', /node99/],
  ['failpoint', ['node1', 'send:nothing'], 'INVALID_OPTION', /`point` is "send:nothing"/],
  ['failpoint', ['node1', 'send:hint/stored', { nth: 0 }], 'INVALID_OPTION', /`nth` is 0/],
  ['skewClock', ['node1', 1e15], 'INVALID_OPTION', /`ms` is 1000000000000000/],
]

test('faults: what cannot be is refused by name, and nothing is in effect', async (t) => {
  const cluster = await openForTest(t)
  const faults = cluster.faults as unknown as Record<string, (...call: readonly unknown[]) => Promise<void>>
  for (const [name, call, code, message] of WRONG) {
    const refused = faults[name]?.(...call) ?? Promise.resolve()
    await t.rejects(refused, { name: 'CoterieError', code, message }, `${name}(${inspect(call)})`)
  }
  t.same(await failures(cluster, 10), [])
  t.equal(countOf(cluster, 'dropped') + countOf(cluster, 'delayed') + countOf(cluster, 'slowed'), 0)
})

test('faults: one that a hung node does not act on in time rejects, and is in effect nowhere', async (t) => {
  const cluster = await openForTest(t, { nodes: 3, hungAfterMs: 60_000 })
  await cluster.faults.pause('node1', 6_500)
  const [slowed, skewed] = await Promise.all([
    outcomeOf(cluster.faults.slow('node2', { ms: 20 })),
    outcomeOf(cluster.faults.skewClock('node2', HOUR_MS)),
  ])
  t.same([slowed, skewed], ['NODE_NOT_RUNNING', 'ok'], 'the second is tried once the first has been taken back')
  // What the node does by itself may have been slowed until it was taken back.
  const before = countOf(cluster, 'slowed')
  for (let number = 0; number < 10; number++) await cluster.put(`key ${number}`, 'value', { w: 3, ...PATIENT })
  t.equal(countOf(cluster, 'slowed'), before)
})

test('faults: without the option every one rejects, and no node counts any', async (t) => {
  const cluster = await openForTest(t, { faults: false } satisfies Partial<ClusterOptions>)
  const { faults } = cluster
  const share = { share: 1 }
  const calls = [
    () => faults.cut('gateway1', 'node1'),
    () => faults.cutOneWay('gateway1', 'node1'),
    () => faults.delay('gateway1', 'node1', { ms: 1 }),
    () => faults.drop('gateway1', 'node1', share),
    () => faults.duplicate('gateway1', 'node1', share),
    () => faults.reorder('gateway1', 'node1', { ms: 1, ...share }),
    () => faults.slow('node1', { ms: 1 }),
    () => faults.skewClock('node1', 1),
    () => faults.failpoint('node1', 'send:replica/write-reply'),
    () => faults.heal(),
  ]
  for (const call of calls) t.equal(await outcomeOf(call()), 'FAULTS_DISABLED')
  t.equal(nodeOf(cluster, 'node1').faults, undefined)
})
