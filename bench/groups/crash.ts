/** A node dies while requests come in at their times: which of them fail, and how long the slowest takes. A Redis Cluster likewise. */

import { setTimeout as delay } from 'node:timers/promises'
import { openCluster } from '../../src/index.js'
import type { Figure, Unit } from '../figures.js'
import { makeChance } from '../harness.js'
import { type OpenLoopResult, percentileMs, runOpenLoop } from '../load/open-loop.js'
import type { Context } from '../run/context.js'
import { R2 } from '../run/plans.js'
import { coterieSubject, loadCoterie } from '../subjects/coterie.js'
import { CLUSTER_NODE_TIMEOUT_MS, connectCluster, startRedisCluster } from '../subjects/redis-cluster.js'
import { loadRedis, redisSubject } from '../subjects/redis-subject.js'
import { type Data, makeData, PeerMissing, type Subject } from '../subjects/subject.js'
import { makeChooser } from '../ycsb/distributions.js'
import { kindOf, MIXES } from '../ycsb/mixes.js'
import type { Group } from './group.js'

const name = 'crash'
const PER_SECOND = 5_000
/** Before the death, so that nothing is new. */
const CALM_MS = 1_000
const AFTER_MS = 2_000
/** A replica is elected after the timeout and up to as long again. */
const AFTER_REDIS_MS = 2.5 * CLUSTER_NODE_TIMEOUT_MS
const SEED = 5

export const CRASH_GROUP: Group = {
  name,
  title: 'A crash under load',
  about: `${PER_SECOND.toLocaleString('en')} requests a second, due at their times whatever happens, half gets and half puts (YCSB-A). Coterie: five nodes, three copies, r=w=2, another node's thread ended each round. Redis Cluster: a master killed, \`cluster-node-timeout ${CLUSTER_NODE_TIMEOUT_MS}\`, the client as ioredis makes it. _worst-stall_ is of requests that were answered; _failing-for_, from the first that failed to the last. _calm_: the same load without a death.`,
  run: async (context) => {
    const data = makeData(context.records / 4, 100)
    return [...(await crashCoterie(context, data)), ...(await crashRedisCluster(context, data))]
  },
}

async function crashCoterie(context: Context, data: Data): Promise<Figure[]> {
  const cluster = await openCluster({ location: await context.folder(), faults: true })
  try {
    await loadCoterie(cluster, data)
    await cluster.settled()
    const subject = coterieSubject(cluster, data, R2)
    const nodes = cluster.status().nodes.map(({ id }) => id)
    const calm: OpenLoopResult[] = []
    const crashed: OpenLoopResult[] = []
    for (let round = 0; round < context.rounds.rounds; round++) {
      const node = nodes[round % nodes.length]
      if (node === undefined) throw new Error('a cluster without nodes')
      calm.push(await load({ subject, data, durationMs: AFTER_MS, death: async () => undefined }))
      crashed.push(await load({ subject, data, durationMs: AFTER_MS, death: () => cluster.faults.crash(node) }))
      await cluster.settled()
    }
    return figuresOf(subject.name, calm, crashed)
  } finally {
    await cluster.close()
  }
}

async function crashRedisCluster(context: Context, data: Data): Promise<Figure[]> {
  try {
    const processes = await startRedisCluster(await context.folder())
    const client = connectCluster(processes, {})
    try {
      await loadRedis(client, data, false)
      const subject = redisSubject(client, data, { name: 'Redis Cluster', isOneServer: false })
      const calm = [await load({ subject, data, durationMs: AFTER_MS, death: async () => undefined })]
      const death = async () => processes.masters[0]?.end('SIGKILL')
      const durationMs = context.quick ? AFTER_MS : AFTER_REDIS_MS
      return figuresOf(subject.name, calm, [await load({ subject, data, durationMs, death })])
    } finally {
      client.disconnect()
      await processes.end()
    }
  } catch (error) {
    if (!(error instanceof PeerMissing)) throw error
    context.missing.set('Redis Cluster', error.message)
    return []
  }
}

async function load(options: {
  readonly subject: Subject
  readonly data: Data
  readonly durationMs: number
  readonly death: () => Promise<unknown>
}): Promise<OpenLoopResult> {
  const { subject, data, durationMs, death } = options
  const chance = makeChance(SEED)
  const chooser = makeChooser('zipfian', data.records, SEED)
  const mix = MIXES[0]
  const call = (number: number): Promise<number> => {
    const key = data.keyOf(chooser.next(data.records))
    const isRead = mix === undefined || kindOf(mix, chance()) === 'read'
    return isRead ? subject.get(key) : subject.put(key, data.valueOf(number))
  }
  const killed = delay(CALM_MS).then(death)
  const result = await runOpenLoop({ perSecond: PER_SECOND, durationMs: CALM_MS + durationMs, call })
  await killed
  return result
}

function figuresOf(subject: string, calm: readonly OpenLoopResult[], crashed: readonly OpenLoopResult[]): Figure[] {
  const figure = (workload: string, unit: Unit, rounds: readonly number[]) => ({
    group: name,
    workload,
    subject,
    unit,
    rounds,
  })
  const worst = (results: readonly OpenLoopResult[]) => results.map((result) => percentileMs(result, 100))
  const of = (what: (result: OpenLoopResult) => number) => crashed.map(what)
  return [
    figure(
      'failed',
      'count',
      of(({ failed }) => failed),
    ),
    figure(
      'failing-for',
      'ms',
      of(({ failingMs }) => failingMs),
    ),
    figure('worst-stall', 'ms', worst(crashed)),
    figure(
      'p99.9',
      'ms',
      of((result) => percentileMs(result, 99.9)),
    ),
    figure('worst-calm', 'ms', worst(calm)),
  ]
}
