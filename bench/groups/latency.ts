/** Latencies that callers see at a share of each store's own peak rate, and what is left of their event loop. */

import type { Figure, Unit } from '../figures.js'
import { measureInterleaved, summarize } from '../harness.js'
import { type OpenLoopResult, percentileMs, runOpenLoop } from '../load/open-loop.js'
import type { Context } from '../run/context.js'
import { isWanted } from '../run/measure.js'
import { classicLevelPlan, coteriePlan, MANY_LEVEL, NO_NEAR_CACHE, REDIS, REDIS_CLUSTER } from '../run/plans.js'
import { onStage } from '../run/stage.js'
import { type Data, makeData, type Subject } from '../subjects/subject.js'
import { callWorkload } from '../workloads.js'
import { makeChooser } from '../ycsb/distributions.js'
import type { Group } from './group.js'

const name = 'latency'
/** Shares of the peak in percent, and one rate that is the same for all. */
const LOADS = [
  ...[20, 50, 80, 95].map((share) => ({ label: `${share}`, rate: (peak: number) => (peak * share) / 100 })),
  { label: '10,000/s', rate: () => 10_000 },
]
/** How the names of the workloads of a load begin. */
const NAMES = ['at-', 'lag-p99-at-', 'failed-at-']
const PERCENTILES = [50, 99, 99.9, 100]
/** Whose peak is measured by getting 64 at a time. */
const SUBJECTS = [
  'classic-level',
  'many-level',
  'Redis, auto-pipelined',
  'Redis Cluster, auto-pipelined',
  'Coterie r=1 w=2',
  'Coterie r=2 w=2',
]
const SEED = 3

export const LATENCY_GROUP: Group = {
  name,
  title: 'Latency under a load that does not wait',
  about:
    'Gets, zipfian, five nodes, no near caches (what they hold is given faster than requests can be made that are due at their times). Each store is asked at a share of the peak that it reached with 64 gets in flight just before (20 to 95 %), and at 10,000 gets a second. Requests are due at each millisecond, and a latency counts from when its request was due. _lag_: how much later than asked a timer of 1 ms came.',
  run: async (context) => {
    const data = makeData(context.records / 2, 100)
    const plans = [
      classicLevelPlan({ recordCacheBytes: 0 }),
      MANY_LEVEL,
      REDIS,
      REDIS_CLUSTER,
      coteriePlan(NO_NEAR_CACHE),
    ]
    return onStage(context, { data, plans }, async (all) => {
      const subjects = all.filter((subject) => SUBJECTS.includes(subject.name))
      const peaks = await measurePeaks(context, subjects, data)
      const found = new FigureTable()
      for (const { label, rate } of LOADS.filter(({ label }) =>
        NAMES.some((name) => isWanted(context, `${name}${label}`)),
      ))
        for (let round = 0; round < context.rounds.rounds; round++)
          for (const subject of subjects) {
            const perSecond = rate(peaks.get(subject.name) ?? 0)
            found.add(subject, label, await offer(context, subject, data, perSecond))
          }
      return [...peakFigures(peaks), ...found.figures()]
    })
  },
}

async function measurePeaks(context: Context, subjects: readonly Subject[], data: Data): Promise<Map<string, number>> {
  const workload = callWorkload('get-64')
  const measurements = new Map(subjects.map((subject) => [subject.name, workload.measurement(subject, data)] as const))
  const rates = await measureInterleaved(measurements, context.rounds)
  return new Map([...rates].map(([subject, { rounds }]) => [subject, summarize(rounds).median]))
}

function offer({ quick, rounds }: Context, subject: Subject, data: Data, perSecond: number): Promise<OpenLoopResult> {
  const chooser = makeChooser('zipfian', data.records, SEED)
  return runOpenLoop({
    perSecond,
    durationMs: quick ? 100 : Math.max(1_000, rounds.roundMs),
    call: () => subject.get(data.keyOf(chooser.next(data.records))),
  })
}

/** What each round gave, gathered by what it is. */
class FigureTable {
  readonly #figures = new Map<string, Figure & { rounds: number[] }>()

  add(subject: Subject, load: string, result: OpenLoopResult): void {
    for (const percentile of PERCENTILES) {
      const label = percentile === 100 ? 'max' : `p${percentile}`
      this.#note(`at-${load}-${label}`, subject, 'ms', percentileMs(result, percentile))
    }
    this.#note(`lag-p99-at-${load}`, subject, 'ms', result.lagMsP99)
    this.#note(`failed-at-${load}`, subject, 'count', result.failed)
  }

  figures(): Figure[] {
    return [...this.#figures.values()]
  }

  #note(workload: string, { name: subject }: Subject, unit: Unit, value: number): void {
    const key = `${workload}|${subject}`
    const figure = this.#figures.get(key) ?? { group: name, workload, subject, unit, rounds: [] }
    figure.rounds.push(value)
    this.#figures.set(key, figure)
  }
}

function peakFigures(peaks: ReadonlyMap<string, number>): Figure[] {
  return [...peaks].map(([subject, rate]) => ({
    group: name,
    workload: 'peak',
    subject,
    unit: 'ops/s',
    rounds: [rate],
  }))
}
