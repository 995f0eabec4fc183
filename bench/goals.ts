/**
 * The goals as data, and whether figures reach them. A goal is to be beaten, not a gate: what is missed is said with its ratio. A
 * floor is what a batch-first design reaches in any case, and a run that misses one has failed.
 */

import { type Figure, findFigure, ratioOf, type Unit } from './figures.js'
import { summarize } from './harness.js'
import { R1, R2 } from './run/plans.js'

/** What is asked of one figure. */
export interface Goal {
  readonly title: string
  readonly group: string
  readonly workload: string
  readonly subject: string
  readonly isFloor?: boolean
  /** A ratio to peers, of whom the fastest counts; or a bound on the figure itself. */
  readonly aim:
    | { readonly least: number; readonly beside: readonly string[] }
    | { readonly most: number; readonly unit: Unit }
    | { readonly least: number; readonly unit: Unit }
}

/** What became of it. */
export interface Judgement {
  readonly goal: Goal
  readonly verdict: 'met' | 'MISSED' | 'not measured'
  /** The ratio, or the figure. */
  readonly measured: number | undefined
  /** Of a ratio: the peer that it is to. */
  readonly beside: string | undefined
  /** Operations a second of both, of a ratio. */
  readonly rates: readonly [number, number] | undefined
  /** The same on three nodes, and where every read asks nodes; where that was measured. */
  readonly onThreeNodes: number | undefined
  readonly noNearCache: number | undefined
}

const CLASSIC = ['classic-level']
const REDIS = ['Redis', 'Redis, auto-pipelined']
const REDIS_CLUSTER = ['Redis Cluster', 'Redis Cluster, auto-pipelined']

function ratio(place: `${string}/${string}`, title: string, subject: string, least: number, beside: readonly string[]) {
  const [group = '', workload = ''] = place.split('/')
  return { title, group, workload, subject, aim: { least, beside } } satisfies Goal
}

/** Writes on three nodes, where no copy waits for a thread of its own: five threads on few cores say more of the cores. */
const FLOORS: readonly Goal[] = [
  { ...ratio('calls/get-64', 'floor: get, 64 in flight, r=1', R1.name, 0.7, CLASSIC), isFloor: true },
  { ...ratio('calls/get-64', 'floor: get, 64 in flight, r=2', R2.name, 0.4, CLASSIC), isFloor: true },
  {
    ...ratio('calls/put-64', 'floor: put, 64 in flight, w=2, 3 nodes', onThree(R2.name), 0.25, CLASSIC),
    isFloor: true,
  },
]

export const GOALS: readonly Goal[] = [
  ...FLOORS,
  ratio('calls/get-many', 'getMany(100) ×8, r=1', R1.name, 1.5, CLASSIC),
  ratio('calls/get-many', 'getMany(100) ×8, r=1', R1.name, 1.5, ['lmdb']),
  ratio('calls/get-64', 'get, 64 in flight, r=1', R1.name, 2, CLASSIC),
  ratio('calls/get-64', 'get, 64 in flight, r=1', R1.name, 2.5, ['Redis, auto-pipelined']),
  ratio('calls/get-64', 'get, 64 in flight, r=2 strict', R2.name, 1.2, CLASSIC),
  ratio('calls/get-serial', 'get, serial, r=1', R1.name, 1, CLASSIC),
  ratio('calls/get-serial', 'get, serial, r=1', R1.name, 2, REDIS),
  ...['get-64, the opener', 'get-64, 2 threads', 'get-many, the opener', 'get-many, 2 threads'].map((how) => ({
    ...{ title: `read scaling: two cores against one, 4 nodes, r=1: ${how}`, group: 'scaling' },
    ...{ workload: 'two-cores-to-one', subject: `${R1.name}, ${how}`, aim: { least: 1.8, unit: 'x' } as const },
  })),
  ratio('calls/put-64', 'put, 64 in flight, w=2', R2.name, 1.2, REDIS_CLUSTER),
  ratio('calls/batch', 'batch(100) ×8, w=2', R2.name, 2, REDIS_CLUSTER),
  ratio('durability/put-64', "put, 64 in flight, w=2, durability 'disk'", 'Coterie w=2 disk', 1, [
    'Redis appendfsync always',
    'Redis appendfsync always, auto-pipelined',
  ]),
  ratio('ycsb/B-zipfian', 'YCSB-B, 64 in flight, r=1', R1.name, 2, ['Redis Cluster, replica reads, auto-pipelined']),
  ratio('calls/scan-100000', 'scan of 100,000', R1.name, 0.5, CLASSIC),
  ratio('calls/scan-50', 'scans of 50', R1.name, 0.25, CLASSIC),
  {
    ...{ title: "caller's event loop: p99 lag at 80 % of the peak rate", group: 'latency', workload: 'lag-p99-at-80' },
    ...{ subject: R1.name, aim: { most: 5, unit: 'ms' } },
  },
  {
    ...{ title: 'crash of a node under load: failed requests', group: 'crash', workload: 'failed' },
    ...{ subject: R2.name, aim: { most: 0, unit: 'count' } },
  },
  {
    ...{ title: 'crash of a node under load: worst stall', group: 'crash', workload: 'worst-stall' },
    ...{ subject: R2.name, aim: { most: 20, unit: 'ms' } },
  },
  {
    ...{ title: '8 idle nodes: memory over the process', group: 'idle', workload: 'memory' },
    ...{ subject: 'Coterie', aim: { most: 120, unit: 'MB' } },
  },
  {
    ...{ title: '8 idle nodes: share of a core', group: 'idle', workload: 'processor' },
    ...{ subject: 'Coterie', aim: { most: 2, unit: '%' } },
  },
]

function onThree(subject: string): string {
  return `${subject}, 3 nodes`
}

/** Every goal, with what the figures say of it. */
export function judgeGoals(goals: readonly Goal[], figures: readonly Figure[]): Judgement[] {
  return goals.map((goal) => judgeGoal(goal, figures))
}

function judgeGoal(goal: Goal, figures: readonly Figure[]): Judgement {
  const { group, workload, subject, aim } = goal
  const figure = findFigure(figures, goal)
  const nothing = {
    ...{ goal, measured: undefined, beside: undefined, rates: undefined },
    ...{ onThreeNodes: undefined, noNearCache: undefined },
  }
  if (figure === undefined) return { ...nothing, verdict: 'not measured' }
  if (!('beside' in aim)) {
    // Of stalls and the like the worst round counts; of what is to be large, the median.
    const { median, max } = summarize(figure.rounds)
    const [measured, isMet] = 'most' in aim ? [max, max <= aim.most] : [median, median >= aim.least]
    return { ...nothing, measured, verdict: isMet ? 'met' : 'MISSED' }
  }
  const peers = aim.beside.flatMap((peer) => findFigure(figures, { group, workload, subject: peer }) ?? [])
  const fastest = peers.reduce<Figure | undefined>(
    (best, peer) => (best === undefined || medianOf(peer) > medianOf(best) ? peer : best),
    undefined,
  )
  if (fastest === undefined) return { ...nothing, verdict: 'not measured' }
  const measured = ratioOf(figure, fastest)?.median
  const alike = (other: string) => {
    const figure = findFigure(figures, { group, workload, subject: `${subject}, ${other}` })
    return figure === undefined ? undefined : ratioOf(figure, fastest)?.median
  }
  return {
    goal,
    measured,
    verdict: measured !== undefined && measured >= aim.least ? 'met' : 'MISSED',
    beside: fastest.subject,
    rates: [medianOf(figure), medianOf(fastest)],
    onThreeNodes: alike('3 nodes'),
    noNearCache: alike('no near cache'),
  }
}

function medianOf({ rounds }: Figure): number {
  return summarize(rounds).median
}
