/**
 * A node dies at a chosen message: in the middle of a handoff, a fill, an exchange, a change of owners. Nothing may be half
 * done afterwards: every record is there, and all owners of a key have the same bytes.
 */

import { test } from 'tap'
import type { Cluster, ClusterOptions, Failpoint } from '../../src/index.js'
import {
  eventOf,
  folderForTest,
  loadRecords,
  nodeIds,
  nodeOf,
  openForTest,
  type Records,
  wrongRecords,
} from '../support/cluster.js'
import { differingKeys } from '../support/replicas.js'

/** Whom it happens to: loses its store, is cut off, or is down for good. */
const VICTIM = 'node2'

interface Scenario {
  readonly name: string
  readonly options: Partial<ClusterOptions>
  /** Where the victim, where each of the others dies. */
  readonly victim: readonly Failpoint[]
  readonly others: readonly Failpoint[]
  /** Sets it going; it is mended by `heal` and by itself. */
  readonly cause: (cluster: Cluster) => Promise<Records>
}

const SCENARIOS: readonly Scenario[] = [
  {
    name: 'handoff',
    options: {},
    victim: ['receive:replica/write', 'send:replica/write-reply'],
    others: ['receive:hint/store', 'send:hint/stored', 'send:replica/write', 'receive:replica/write-reply'],
    cause: keepHints,
  },
  {
    name: 'fill',
    options: {},
    victim: ['receive:transfer/start', 'send:transfer/pull', 'receive:transfer/chunk', 'send:transfer/done'],
    others: ['receive:transfer/pull', 'send:transfer/chunk'],
    cause: async (cluster) => {
      await cluster.faults.wipe(VICTIM)
      return new Map()
    },
  },
  {
    name: 'exchange',
    options: { hintWindowMs: 0 },
    victim: ['receive:exchange/start', 'send:exchange/compare', 'receive:exchange/differ', 'send:exchange/done'],
    others: ['receive:exchange/compare', 'send:exchange/differ'],
    cause: missWrites,
  },
  {
    name: 'change of owners',
    options: {},
    victim: [],
    others: [
      'receive:table/announce',
      'send:table/stored',
      'receive:table/activate',
      'receive:transfer/start',
      'send:transfer/chunk',
      'send:transfer/done',
    ],
    cause: async (cluster) => {
      await cluster.faults.crash(VICTIM, { permanent: true })
      return new Map()
    },
  },
]

/** The victim does not hear the program: with w = 3 a fallback must keep a hint of each record before the call is answered. */
async function keepHints(cluster: Cluster): Promise<Records> {
  await cluster.faults.cut(cluster.id, VICTIM)
  const records = new Map(Array.from({ length: 60 }, (_, number) => [`hinted:${number}`, `value ${number}`]))
  const puts = [...records].map(([key, value]) => cluster.put(key, value, { w: 3, sloppy: true, timeoutMs: 30_000 }))
  await Promise.all(puts)
  return records
}

/** The victim does not hear the program, and nobody may keep hints for it: it is owed an exchange. */
async function missWrites(cluster: Cluster): Promise<Records> {
  const died = eventOf(cluster, 'node:exit')
  await cluster.faults.cut(cluster.id, VICTIM)
  const records = await loadRecords(cluster, 60, 'missed')
  await died
  return records
}

for (const scenario of SCENARIOS) {
  const { name, options, victim, others, cause } = scenario
  test(`${name}: a node that dies in the middle of it leaves nothing half done`, async (t) => {
    const location = await folderForTest(t)
    // Every death counts as a restart; none of these nodes is to be given up.
    const cluster = await openForTest(t, { location, nodes: 5, restartsMax: 1_000, ...options })
    const loaded = await loadRecords(cluster, 300)
    await cluster.settled()
    const deaths: string[] = []
    cluster.on('node:exit', ({ node, reason }) => {
      const [, point] = /failpoint (\S+)/.exec(reason) ?? []
      if (point !== undefined) deaths.push(`${node === VICTIM ? 'victim' : 'other'} ${point}`)
    })
    for (const point of victim) await cluster.faults.failpoint(VICTIM, point)
    for (const node of nodeIds(cluster)) {
      if (node !== VICTIM) for (const point of others) await cluster.faults.failpoint(node, point)
    }
    const missed = await cause(cluster)
    await cluster.faults.heal(cluster.id, VICTIM)
    await cluster.settled({ timeoutMs: 60_000 })
    const planned = [...victim.map((point) => `victim ${point}`), ...others.map((point) => `other ${point}`)]
    t.same([...new Set(deaths)].sort(), planned.sort(), `${deaths.length} deaths`)
    const records = new Map([...loaded, ...missed])
    t.same(await wrongRecords(cluster, records), [])
    const owners = new Map([...records.keys()].map((key) => [key, cluster.locate(key).owners] as const))
    await cluster.close()
    t.same(await differingKeys(location, owners), [])
  })
}

test('failpoint: the nth time, once; heal takes back what has not been reached', async (t) => {
  const cluster = await openForTest(t, { nodes: 3 })
  const deaths: string[] = []
  const reached: object[] = []
  cluster.on('failpoint', (facts) => reached.push(facts))
  cluster.on('node:exit', ({ node, reason }) => deaths.push(`${node} ${reason}`))
  let written = 0
  // Every node is an owner of every key, and each put is a message of its own.
  const put = () => cluster.put(`key ${written++}`, 'value', { w: 3, timeoutMs: 20_000 })
  await cluster.faults.failpoint('node1', 'receive:replica/write', { nth: 3 })
  await put()
  await put()
  t.same(deaths, [])
  await put()
  t.same(deaths, ['node1 failpoint receive:replica/write'])
  t.same(reached, [{ node: 'node1', incarnation: 1, point: 'receive:replica/write' }])
  t.match(nodeOf(cluster, 'node1').lastExit, { code: 1, reason: 'failpoint receive:replica/write' })
  for (let count = 0; count < 4; count++) await put()
  await cluster.faults.failpoint('node1', 'receive:replica/write', { nth: 2 })
  await put()
  await cluster.faults.heal()
  for (let count = 0; count < 4; count++) await put()
  t.equal(deaths.length, 1)
  t.equal(nodeOf(cluster, 'node1').restarts, 1)
})
