/** The results that are kept: `bench/results/figures.json`, a part for each group, each with where it comes from. */

import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Figure } from '../figures.js'
import type { RoundOptions } from '../harness.js'

/** One run of a group, or of some of its workloads. */
export interface Run {
  readonly at: string
  readonly commit: string
  readonly machine: string
  /** Processes that wanted a processor when it began, on the average of a minute. */
  readonly load: number
  readonly records: number
  readonly rounds: RoundOptions
  /** What could not be measured, and why. */
  readonly missing: Readonly<Record<string, string>>
  readonly workloads: readonly string[]
}

/** What is known of a group: every figure is of the one run that has its workload. */
export interface GroupResult {
  readonly runs: readonly Run[]
  readonly figures: readonly Figure[]
}

export type Results = Readonly<Record<string, GroupResult>>

/** What was measured now takes the place of what was kept of the same workloads; the others stay as they were. */
export function mergeResult(kept: GroupResult | undefined, now: GroupResult): GroupResult {
  if (kept === undefined) return now
  const measured = new Set(now.figures.map(({ workload }) => workload))
  const older = kept.runs.flatMap((run) => {
    const workloads = run.workloads.filter((workload) => !measured.has(workload))
    return workloads.length === 0 ? [] : [{ ...run, workloads }]
  })
  const order = [...new Set([...kept.figures, ...now.figures].map(({ workload }) => workload))]
  const figures = order.flatMap((workload) =>
    (measured.has(workload) ? now : kept).figures.filter((figure) => figure.workload === workload),
  )
  return { runs: [...older, ...now.runs], figures }
}

const FILE = 'figures.json'

/** Of the sources: what is compiled lies one folder deeper. */
export const RESULTS_FOLDER = fileURLToPath(new URL('../../../bench/results', import.meta.url))

/** None if there is no such file. */
export async function readJson<T>(name: string, absent: T): Promise<T> {
  try {
    return JSON.parse(await readFile(join(RESULTS_FOLDER, name), 'utf8')) as T
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return absent
    throw error
  }
}

/** As people would want to read it, and differences small: a line for each figure. */
export async function writeResults(results: Results): Promise<void> {
  const groups = Object.entries(results).map(([name, { runs, figures }]) => {
    const [runLines, figureLines] = [runs.map(lineOf), figures.map(lineOf)].map((lines) => lines.join(',\n'))
    return `  ${JSON.stringify(name)}: {\n    "runs": [\n${runLines}\n    ],\n    "figures": [\n${figureLines}\n    ]\n  }`
  })
  await writeFile(join(RESULTS_FOLDER, FILE), `{\n${groups.join(',\n')}\n}\n`)
}

/** None if there are none. */
export function readResults(): Promise<Results> {
  return readJson<Results>(FILE, {})
}

/** Of this checkout; with a plus if it was changed since. */
export async function commitOfCheckout(): Promise<string> {
  const git = async (...args: string[]) =>
    (await promisify(execFile)('git', args, { cwd: RESULTS_FOLDER })).stdout.trim()
  try {
    const changed = await git('status', '--porcelain', '--', '../../src', '../../actors')
    return `${await git('rev-parse', '--short=9', 'HEAD')}${changed === '' ? '' : '+'}`
  } catch {
    return 'unknown (no git here)'
  }
}

/** Five digits are more than any of it is good for. */
function lineOf(part: Run | Figure): string {
  const shortened = (_: string, value: unknown) => (typeof value === 'number' ? Number(value.toPrecision(5)) : value)
  return `      ${JSON.stringify(part, shortened)}`
}
