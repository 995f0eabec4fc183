/** What was measured, as data: figures, ratios of figures with their spread, and when a ratio is worse than another. Pure. */

import { summarize } from './harness.js'

export type Unit = 'ops/s' | 'ms' | 'MB' | '%' | 'count' | 'x'

/** One thing that was measured several times. */
export interface Figure {
  readonly group: string
  readonly workload: string
  readonly subject: string
  readonly unit: Unit
  /** In the order in which they were measured: those of one workload and the same place belong to the same moment. */
  readonly rounds: readonly number[]
}

/** Which figure. */
export interface FigureName {
  readonly group: string
  readonly workload: string
  readonly subject: string
}

/** How often one is as fast as the other. */
export interface Ratio {
  /** Median over the rounds, each with the one beside it: what the machine does meanwhile falls on both. */
  readonly median: number
  /** Of the median, as a standard error relative to it; see `spreadOf`. */
  readonly spread: number
}

/** σ of a normal distribution over its median absolute deviation. */
const SIGMA_PER_DEVIATION = 1.4826
/** The standard error of a median over that of a mean. */
const MEDIAN_ERROR = 1.2533
/** So many standard errors are no accident. */
const ERRORS_ALLOWED = 3
/** What two runs differ by however little their rounds do: other layouts of memory, other decisions of the compiler. */
const RUN_TO_RUN = 0.1

/** A machine on which rounds differ by more cannot excuse any ratio. */
const TOLERANCE_MAX = 0.5

/** The figure of that name, if it was measured. */
export function findFigure(figures: readonly Figure[], { group, workload, subject }: FigureName): Figure | undefined {
  return figures.find((one) => one.group === group && one.workload === workload && one.subject === subject)
}

/** Round by round; undefined where there are none in common. */
export function ratioOf(figure: Figure, beside: Figure): Ratio | undefined {
  const count = Math.min(figure.rounds.length, beside.rounds.length)
  if (count === 0) return undefined
  const ratios = Array.from({ length: count }, (_, round) => (figure.rounds[round] ?? 0) / (beside.rounds[round] ?? 0))
  return { median: summarize(ratios).median, spread: spreadOf(ratios) }
}

/** The standard error of the median of these, relative to it, by their median absolute deviation: one odd round does not widen it. */
export function spreadOf(values: readonly number[]): number {
  if (values.length === 0) return 0
  const { median } = summarize(values)
  const deviation = summarize(values.map((value) => Math.abs(value - median))).median
  return (MEDIAN_ERROR * SIGMA_PER_DEVIATION * deviation) / Math.sqrt(values.length) / median
}

/** The share by which a ratio may be below a stored one and still be called the same. */
export function toleranceOf(stored: Ratio, measured: Ratio): number {
  return Math.min(TOLERANCE_MAX, RUN_TO_RUN + ERRORS_ALLOWED * Math.hypot(stored.spread, measured.spread))
}

/** True if the measured one is lower by more than the tolerance. */
export function isRegression(stored: Ratio, measured: Ratio): boolean {
  return measured.median < stored.median * (1 - toleranceOf(stored, measured))
}
