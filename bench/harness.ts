/**
 * What every benchmark has in common: calls in flight, interleaved rounds, medians, tables, the machine. Measures and prints;
 * knows nothing of what it measures.
 */

import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'

/** One thing to measure: does its work until `until` (ms of `performance.now`) and says how many operations that was. */
export type Measurement = (until: number) => Promise<number>

/** Operations a second over the rounds. */
export interface Rate {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly rounds: readonly number[]
}

/** V8 compiles the code of each thread anew while it runs: the rates of a cluster of five rise by a quarter until about here. */
const WARM_UP_ROUNDS = 5

/** Processes that want a processor while nothing of ours runs, on the average of a minute: from here on the machine is shared. */
export const SHARED_LOAD = 0.5

/** How long and how often. */
export interface RoundOptions {
  readonly rounds: number
  readonly roundMs: number
  readonly warmUpRounds?: number
}

/** A row of a table: text is shown as it is, numbers with thousands separated. */
export type Row = Readonly<Record<string, string | number>>

/** A generator of chance that is repeatable and costs nothing (mulberry32). */
export function makeChance(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** After so many calls of a place the event loop gets a turn. */
const CALLS_PER_TURN = 1_000

/**
 * Keeps `inFlight` calls under way until the time is up; each call is awaited before its place is taken by the next. A store that
 * answers without waiting would never let the event loop turn, and no program can live like that: now and then it does.
 */
export async function runCalls(until: number, inFlight: number, call: () => Promise<number>): Promise<number> {
  let operations = 0
  const place = async (): Promise<void> => {
    for (let calls = 1; performance.now() < until; calls++) {
      if (calls % CALLS_PER_TURN === 0) await turn()
      // Not `operations += await …`: that reads the sum before the wait and loses what the other places add meanwhile.
      const done = await call()
      operations += done
    }
  }
  await Promise.all(Array.from({ length: inFlight }, place))
  return operations
}

/**
 * Measures all of them in every round, one after the other (A B C A B C …, every second round backwards), so that what the
 * machine does meanwhile falls on all alike. The first `warmUpRounds` do not count (default: 5).
 */
export async function measureInterleaved(
  measurements: ReadonlyMap<string, Measurement>,
  options: RoundOptions,
): Promise<Map<string, Rate>> {
  const { warmUpRounds = WARM_UP_ROUNDS } = options
  const rates = new Map<string, number[]>()
  for (let round = 0; round < warmUpRounds + options.rounds; round++) {
    const order = round % 2 === 0 ? [...measurements] : [...measurements].reverse()
    for (const [name, measure] of order) {
      const rate = await measureOnce(measure, options.roundMs)
      if (round >= warmUpRounds) rates.set(name, [...(rates.get(name) ?? []), rate])
    }
  }
  return new Map([...measurements.keys()].map((name) => [name, summarize(rates.get(name) ?? [])]))
}

/** Median, least and most. */
export function summarize(rounds: readonly number[]): Rate {
  const sorted = [...rounds].sort((a, b) => a - b)
  const middle = sorted.length >>> 1
  const upper = sorted[middle] ?? 0
  const median = sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? 0)) / 2
  return { median, min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0, rounds }
}

/** CPU, cores, memory, Node.js, packages: without it no number means anything. */
export function machineLine(versions: Readonly<Record<string, string>> = {}): string {
  const packages = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
  const memoryGb = (totalmem() / 2 ** 30).toFixed(0)
  const model = cpus()[0]?.model ?? 'unknown CPU'
  return [`${model}, ${availableParallelism()} cores, ${memoryGb} GB`, `Node.js ${process.version}`, ...packages].join(
    ' · ',
  )
}

/** Where figures come from, for a page of results: command, day, machine, and whether others used it when this began. */
export async function provenance(command: string): Promise<string> {
  const machine = machineLine({ 'classic-level': await versionOf('classic-level') })
  const [load = 0] = loadavg()
  const others =
    load < SHARED_LOAD ? '' : `; the machine was shared with other work (load ${load.toFixed(1)} at the start)`
  return `Made by \`${command}\` on ${new Date().toISOString().slice(0, 10)}, ${machine}${others}`
}

/** Of a package that is installed. Found by its file: some packages export neither that nor anything else by `import`. */
export async function versionOf(name: string): Promise<string> {
  const folders = createRequire(import.meta.url).resolve.paths(name) ?? []
  const file = folders.map((folder) => join(folder, name, 'package.json')).find((path) => existsSync(path))
  if (file === undefined) throw new Error(`${name} is not installed`)
  const { version } = JSON.parse(await readFile(file, 'utf8')) as { version: string }
  return version
}

/** A page of results. */
export async function writePage(folder: string, name: string, page: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, name), page)
}

/** The rows as a table of Markdown, its columns aligned. */
export function markdownTable(rows: readonly Row[]): string {
  const names = Object.keys(rows[0] ?? {})
  const lines = [names, ...rows.map((row) => names.map((name) => show(row[name] ?? '')))]
  const widths = names.map((_, column) => Math.max(3, ...lines.map((line) => line[column]?.length ?? 0)))
  const shown = lines.map((line) => `| ${line.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`)
  return [shown[0], `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...shown.slice(1)].join('\n')
}

/** Columns aligned, numbers to the right. */
export function printTable(rows: readonly Row[]): void {
  const [first] = rows
  if (first === undefined) return
  const names = Object.keys(first)
  const cells = rows.map((row) => names.map((name) => show(row[name] ?? '')))
  const widths = names.map((name, column) => Math.max(name.length, ...cells.map((line) => line[column]?.length ?? 0)))
  const isNumber = names.map((name) => typeof first[name] === 'number')
  const line = (texts: readonly string[]) =>
    texts
      .map((text, column) => (isNumber[column] ? text.padStart(widths[column] ?? 0) : text.padEnd(widths[column] ?? 0)))
      .join('  ')
      .trimEnd()
  console.log(line(names))
  console.log(widths.map((width) => '─'.repeat(width)).join('  '))
  for (const texts of cells) console.log(line(texts))
}

/** The value of `--name value`; undefined if it was not said. */
export function argument(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`)
  return at === -1 ? undefined : process.argv[at + 1]
}

/** True if `--name` was said. */
export function flag(name: string): boolean {
  return process.argv.includes(`--${name}`)
}

async function measureOnce(measure: Measurement, roundMs: number): Promise<number> {
  const startedAt = performance.now()
  const operations = await measure(startedAt + roundMs)
  return (operations * 1_000) / (performance.now() - startedAt)
}

function show(value: string | number): string {
  return typeof value === 'number' ? Math.round(value).toLocaleString('en') : value
}
