/** The results that are kept: `bench/results/figures.json`, a part for each group, each with where it comes from. */

import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Figure } from '../figures.js'
import type { RoundOptions } from '../harness.js'

/** What one run of a group gave. */
export interface GroupResult {
  readonly at: string
  readonly commit: string
  readonly machine: string
  /** Processes that wanted a processor when it began, on the average of a minute. */
  readonly load: number
  readonly records: number
  readonly rounds: RoundOptions
  /** What could not be measured, and why. */
  readonly missing: Readonly<Record<string, string>>
  readonly figures: readonly Figure[]
}

export type Results = Readonly<Record<string, GroupResult>>

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
  const groups = Object.entries(results).map(([name, { figures, ...facts }]) => {
    const lines = figures.map(
      (figure) => `      ${JSON.stringify({ ...figure, rounds: figure.rounds.map(shortened) })}`,
    )
    return `  ${JSON.stringify(name)}: {\n    "facts": ${JSON.stringify(facts)},\n    "figures": [\n${lines.join(',\n')}\n    ]\n  }`
  })
  await writeFile(join(RESULTS_FOLDER, 'figures.json'), `{\n${groups.join(',\n')}\n}\n`)
}

/** What `writeResults` wrote. */
export async function readResults(): Promise<Results> {
  const stored = await readJson<Record<string, { facts: Omit<GroupResult, 'figures'>; figures: Figure[] }>>(
    'figures.json',
    {},
  )
  return Object.fromEntries(Object.entries(stored).map(([name, { facts, figures }]) => [name, { ...facts, figures }]))
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
function shortened(value: number): number {
  return Number(value.toPrecision(5))
}
