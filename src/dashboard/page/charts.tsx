/** What the cluster did over time: requests, latencies, lateness of the threads, and what waits. */

import { useMemo } from 'preact/hooks'
import type uPlot from 'uplot'
import { type FrameEntry, unpackNode } from '../frames.js'
import { count, milliseconds } from './format.js'
import type { Theme } from './theme.js'
import { type ChartLine, TimeChart } from './time-chart.js'
import type { Moment, Timeline } from './timeline.js'

interface ChartsProps {
  readonly timeline: Timeline
  readonly moment: Moment
  readonly range: readonly [from: number, to: number]
  readonly theme: Theme
}

const RATES: readonly ChartLine[] = [
  { name: 'reads', colour: '--series-1', isFilled: true },
  { name: 'writes', colour: '--series-2' },
  { name: 'failed', colour: '--down' },
]
const LATENCIES: readonly ChartLine[] = [
  { name: 'p50', colour: '--series-1', isFilled: true },
  { name: 'p99', colour: '--series-3' },
]
const THREADS: readonly ChartLine[] = [{ name: 'worst loop lag', colour: '--series-3', isFilled: true }]
const WAITING: readonly ChartLine[] = [
  { name: 'hints', colour: '--series-4', isFilled: true },
  { name: 'mailboxes', colour: '--series-2' },
]

interface Figures {
  readonly reads: number
  readonly writes: number
  readonly failed: number
  readonly p50: number | null
  readonly p99: number | null
  readonly lagMs: number
  readonly hints: number
  readonly mailboxes: number
}

/** A frame is unpacked once, however often it is drawn. */
const KNOWN = new WeakMap<FrameEntry, Figures>()

function figuresOf(frame: FrameEntry): Figures {
  const known = KNOWN.get(frame)
  if (known !== undefined) return known
  const nodes = frame.nodes.map(unpackNode)
  const { requests } = frame
  const rate = (name: 'get' | 'scan' | 'put' | 'delete' | 'batch') => requests?.[name][0] ?? 0
  const all = requests?.all
  const figures = {
    reads: rate('get') + rate('scan'),
    writes: rate('put') + rate('delete') + rate('batch'),
    failed: all?.[1] ?? 0,
    p50: all?.[2] ?? null,
    p99: all?.[3] ?? null,
    lagMs: Math.max(0, ...nodes.map(({ loopLagMs }) => loopLagMs)),
    hints: nodes.reduce((sum, { hints }) => sum + hints, 0),
    mailboxes: nodes.reduce((sum, { mailbox }) => sum + mailbox, 0),
  }
  KNOWN.set(frame, figures)
  return figures
}

export function Charts({ timeline, moment, range, theme }: ChartsProps) {
  const { entries } = timeline.intervals
  const newest = entries.at(-1)
  // Entries are added in place; the newest tells that there is another.
  const data = useMemo(() => {
    const figures = entries.map(figuresOf)
    const times = entries.map(({ at }) => at / 1_000)
    const of = (...names: (keyof Figures)[]): uPlot.AlignedData => [
      times,
      ...names.map((name) => figures.map((one) => one[name])),
    ]
    return {
      rates: of('reads', 'writes', 'failed'),
      latencies: of('p50', 'p99'),
      threads: of('lagMs'),
      waiting: of('hints', 'mailboxes'),
    }
  }, [newest, entries])
  const now = moment.rates === undefined ? undefined : figuresOf(moment.rates)
  const own = { range, theme, at: moment.isNewest ? undefined : moment.at / 1_000 }
  const ms = (value: number | null | undefined) => milliseconds(value ?? null)
  return (
    <div class="charts">
      <TimeChart
        {...own}
        title="Requests/s"
        lines={RATES}
        format={count}
        data={data.rates}
        now={[
          ['reads', count(Math.round(now?.reads ?? 0))],
          ['writes', count(Math.round(now?.writes ?? 0))],
          ['failed', count(Math.round(now?.failed ?? 0))],
        ]}
      />
      <TimeChart
        {...own}
        title="Latency"
        lines={LATENCIES}
        format={milliseconds}
        data={data.latencies}
        now={[
          ['p50', ms(now?.p50)],
          ['p99', ms(now?.p99)],
        ]}
      />
      <TimeChart
        {...own}
        title="Threads"
        lines={THREADS}
        format={milliseconds}
        data={data.threads}
        now={[['worst loop lag', ms(now?.lagMs)]]}
      />
      <TimeChart
        {...own}
        title="Waiting"
        lines={WAITING}
        format={count}
        data={data.waiting}
        now={[
          ['hints', count(now?.hints ?? 0)],
          ['mailboxes', count(now?.mailboxes ?? 0)],
        ]}
      />
    </div>
  )
}
