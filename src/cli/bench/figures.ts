/** Figures as rows of one table that is printed row by row, for 80 columns. */

import { count, duration } from '../terminal/format.js'
import type { RequestRates } from '../top/sample.js'
import type { Figures } from './load.js'

const WIDTHS = [7, 11, 6, 9, 9, 9, 9, 10] as const

export const figureHeader = row(['', 'per second', 'failed', 'p50', 'p99', 'p99.9', 'longest', 'p99 within'])

/** `within`: in the cluster, of each request; a scan may be several. */
export function figureLine(name: string, figures: Figures, within: RequestRates): string {
  const { perSecond, failed, p50Ms, p99Ms, p999Ms, maxMs } = figures
  const shown = [p50Ms, p99Ms, p999Ms, maxMs].map(duration)
  return row([
    name,
    count(perSecond),
    count(failed),
    ...shown,
    within.p99Ms === undefined ? '' : duration(within.p99Ms),
  ])
}

function row(cells: readonly string[]): string {
  const [name = '', ...figures] = cells
  return [name.padEnd(WIDTHS[0]), ...figures.map((cell, at) => cell.padStart(WIDTHS[at + 1] ?? 0))].join(' ')
}
