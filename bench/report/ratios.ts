/** The ratios that are kept, `bench/results/ratios.json`, and whether newly measured ones are worse: what `--check` judges by. */

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Figure, isRegression, type Ratio, ratioOf, toleranceOf } from '../figures.js'
import { RESULTS_FOLDER, readJson } from './results.js'

/** A ratio of Coterie to the first that was measured beside it. */
export interface NamedRatio extends Ratio {
  readonly group: string
  readonly workload: string
  readonly subject: string
  readonly beside: string
}

/** A ratio beside the one that was kept. */
export interface Comparison {
  readonly stored: NamedRatio
  readonly measured: NamedRatio
  readonly tolerance: number
  readonly isWorse: boolean
}

const FILE = 'ratios.json'

/** Of every workload that is counted in operations a second: each of Coterie's figures to the first, if that is a peer's. */
export function ratiosOf(figures: readonly Figure[]): NamedRatio[] {
  const rates = figures.filter(({ unit }) => unit === 'ops/s')
  return rates.flatMap((figure) => {
    const { group, workload, subject } = figure
    const first = rates.find((one) => one.group === group && one.workload === workload)
    if (!isCoterie(figure) || first === undefined || isCoterie(first)) return []
    const ratio = ratioOf(figure, first)
    return ratio === undefined ? [] : [{ group, workload, subject, beside: first.subject, ...ratio }]
  })
}

/** Those of both, in the order of what was measured. */
export function compareRatios(stored: readonly NamedRatio[], measured: readonly NamedRatio[]): Comparison[] {
  const byName = new Map(stored.map((ratio) => [nameOf(ratio), ratio]))
  return measured.flatMap((ratio) => {
    const before = byName.get(nameOf(ratio))
    if (before === undefined) return []
    return [
      { stored: before, measured: ratio, tolerance: toleranceOf(before, ratio), isWorse: isRegression(before, ratio) },
    ]
  })
}

/** None if none were kept. */
export function readRatios(): Promise<NamedRatio[]> {
  return readJson<NamedRatio[]>(FILE, [])
}

/** A line each. */
export async function writeRatios(ratios: readonly NamedRatio[]): Promise<void> {
  const lines = ratios.map((ratio) => {
    const [median, spread] = [ratio.median, ratio.spread].map((value) => Number(value.toPrecision(4)))
    return `  ${JSON.stringify({ ...ratio, median, spread })}`
  })
  await writeFile(join(RESULTS_FOLDER, FILE), `[\n${lines.join(',\n')}\n]\n`)
}

function isCoterie({ subject }: Figure): boolean {
  return subject.startsWith('Coterie')
}

function nameOf({ group, workload, subject, beside }: NamedRatio): string {
  return [group, workload, subject, beside].join('|')
}
