/** Curves of a group, where something grows: which of its workloads belong to which panel, and where on it. Pure. */

import type { Figure } from '../figures.js'
import { summarize } from '../harness.js'
import { type Panel, renderPlot, type Series } from './line-plot.js'

/** How the figures of a group become panels. */
export interface CurvePlan {
  readonly title: string
  /** Of the names of workloads: `panel` and `x` are its groups. */
  readonly pattern: RegExp
  readonly xLabel: string
  readonly yLabel: string
}

const COLOURS = ['#2f6fde', '#d9730d', '#2e9e5b', '#8e5bd0', '#c2374b', '#0e8a92', '#8a8f98']

/** Undefined where nothing fits the pattern. */
export function renderCurves(plan: CurvePlan, figures: readonly Figure[]): string | undefined {
  const points = figures.flatMap((figure) => {
    const { panel, x } = plan.pattern.exec(figure.workload)?.groups ?? {}
    if (panel === undefined || x === undefined) return []
    return [{ panel, x: Number(x.replaceAll(',', '')), subject: figure.subject, y: summarize(figure.rounds).median }]
  })
  const names = [...new Set(points.map(({ panel }) => panel))]
  if (names.length === 0) return undefined
  const subjects = [...new Set(points.map(({ subject }) => subject))]
  const colours = new Map(subjects.map((subject, at) => [subject, COLOURS[at % COLOURS.length] ?? '#8a8f98']))
  const panels = names.map((name): Panel => {
    const own = points.filter(({ panel, y }) => panel === name && y > 0)
    const xTicks = [...new Set(own.map(({ x }) => x))].sort((a, b) => a - b)
    const here = subjects.filter((subject) => own.some((point) => point.subject === subject))
    const series = here.map((subject): Series => {
      const curve = own.filter((point) => point.subject === subject).sort((a, b) => a.x - b.x)
      return { name: subject, colour: colours.get(subject) ?? '#8a8f98', isTheory: false, points: curve }
    })
    const yTicks = decades(own.map(({ y }) => y))
    return { title: name, xLabel: plan.xLabel, yLabel: plan.yLabel, xTicks, yTicks, yScale: 'log', series }
  })
  return renderPlot(plan.title, panels)
}

/** Powers of ten around the values, and one above, where the legend has its place. */
function decades(values: readonly number[]): number[] {
  const low = Math.floor(Math.log10(Math.min(...values)))
  const high = Math.ceil(Math.log10(Math.max(...values))) + 1
  return Array.from({ length: high - low + 1 }, (_, at) => 10 ** (low + at))
}
