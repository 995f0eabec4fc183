/**
 * One location, many lives: each is a process that reads back what the lives before it left, goes on writing and is killed at
 * a moment that chance chooses, a fifth of them while it opens. The last one ends in order. Then every key's history over all
 * lives must be linearizable: no acknowledged write lost, no deleted key back, no value that nobody wrote.
 *
 * `afterKill` may do to the files what it likes between two lives. Called by the kill, the power, the refill and the disk part.
 */

import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Prng } from '../../../src/protocol/prng.js'
import { checkLinearizability, describeViolation } from '../../../src/sim/checkers/linearizability.js'
import { type History, operationsByKey } from '../history.js'
import { readJournal } from '../journal.js'
import { Child, describeEnding } from './child.js'
import { firstOf } from './outcome.js'
import { keysUsed } from './shape.js'
import type { WriterReport, WriterTask } from './writer.child.js'

export interface LivesOptions {
  readonly folder: string
  readonly seed: number
  readonly count: number
  readonly nodes: number
  readonly durability: WriterTask['durability']
  readonly strikes: WriterTask['strikes']
  /** Default: in `folder`. */
  readonly location?: string
  /** Latest moment of the kill after the first answer, or where something strikes, after it did for the first time. */
  readonly writingMsMax: number
  readonly environment?: (life: number) => NodeJS.ProcessEnv
  readonly afterKill?: (life: number) => readonly string[]
}

export interface LivesReport {
  readonly lives: number
  readonly killedOpening: number
  readonly strikes: number
  /** Openings that a full disk refused. */
  readonly refused: number
  readonly acknowledged: number
  /** Requests that failed; where no disk is full, none may. */
  readonly failed: number
  /** Writes that were on their way when the process was killed. */
  readonly cutShort: number
  readonly keys: number
  readonly quarantined: number
  readonly seconds: number
  readonly broken: readonly string[]
}

/** A life that does not open or end within this has hung. */
const LIFE_MS_MAX = 90_000
const OPENING_MS_MAX = 700

interface Life {
  readonly reports: readonly WriterReport[]
  /** Undefined: it ended as it should. */
  readonly broken?: string
}

export async function liveAndDie(options: LivesOptions): Promise<LivesReport> {
  const startedMs = performance.now()
  const prng = new Prng(options.seed)
  const histories: History[] = []
  const broken: string[] = []
  const counts = { lives: 0, killedOpening: 0, strikes: 0, refused: 0, quarantined: 0 }
  for (let life = 0; life <= options.count && broken.length === 0; life++) {
    const ends = life === options.count
    const journal = join(options.folder, 'journal')
    rmSync(journal, { force: true })
    const killInOpening = !ends && life > 0 && prng.below(5) === 0
    const killAfterMs = 1 + prng.below(killInOpening ? OPENING_MS_MAX : options.writingMsMax)
    const kill = ends ? undefined : { isInOpening: killInOpening, afterMs: killAfterMs }
    const { reports, broken: failure } = await live(
      taskOf(options, { life, journal, ends, histories }),
      kill,
      options.environment?.(life),
    )
    if (existsSync(journal)) histories.push(readJournal(journal))
    counts.lives += 1
    counts.killedOpening += reports.some(({ type }) => type === 'verified') ? 0 : 1
    counts.strikes += reports.filter(({ type }) => type === 'struck').length
    counts.refused += reports.filter(({ type }) => type === 'refused').length
    const last = reports.find((report) => report.type === 'ended')
    if (last?.type === 'ended') {
      counts.quarantined = last.quarantined
      // What has moved away stays on the disk of who had it.
      const isComplete =
        options.strikes === 'nodes' ? last.copies >= 3 * last.liveKeys : last.copies === 3 * last.liveKeys
      if (!isComplete) broken.push(`${last.copies} copies of ${last.liveKeys} live keys at the end`)
    }
    if (failure !== undefined) broken.push(`life ${life}: ${failure}`)
    if (!ends) broken.push(...(options.afterKill?.(life) ?? []).map((line) => `life ${life}: ${line}`))
  }
  const checked = check(histories)
  if (checked.failed > 0 && options.strikes !== 'disk')
    broken.push(`${checked.failed} requests failed although one owner at a time was away`)
  const seconds = (performance.now() - startedMs) / 1_000
  return { ...counts, ...checked, seconds, broken: firstOf([...broken, ...checked.broken]) }
}

function taskOf(
  options: LivesOptions,
  { life, journal, ends, histories }: { life: number; journal: string; ends: boolean; histories: readonly History[] },
): WriterTask {
  // Above every number that was used: an operation takes one, and what is read back takes none.
  const firstNumber = histories.reduce((sum, history) => Math.max(sum, numbersUsed(history)), 0)
  const { folder, durability, strikes, seed, nodes } = options
  return {
    location: options.location ?? join(folder, 'data'),
    durability,
    strikes,
    nodes,
    journal,
    firstNumber,
    keys: keysUsed(firstNumber),
    seed: seed * 10_000 + life,
    ends,
  }
}

/** Runs one process to its end, which without a kill must be a good one. */
async function live(
  task: WriterTask,
  kill: { isInOpening: boolean; afterMs: number } | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Life> {
  const reports: WriterReport[] = []
  const child = new Child<WriterReport>('./writer.child.js', task, { environment })
  const watch = new AbortController()
  const after = async (ms: number, deed: () => void): Promise<void> => {
    await delay(ms, undefined, { signal: watch.signal }).then(deed, () => undefined)
  }
  let killed: 'as-planned' | 'hung' | undefined
  const end = (why: 'as-planned' | 'hung') => () => {
    killed = why
    child.kill()
  }
  const startsAt = task.strikes === 'nothing' ? 'working' : 'struck'
  const timers = [after(LIFE_MS_MAX, end('hung'))]
  if (kill?.isInOpening === true) timers.push(after(kill.afterMs, end('as-planned')))
  child.onReport((report) => {
    reports.push(report)
    if (kill?.isInOpening === false && report.type === startsAt) timers.push(after(kill.afterMs, end('as-planned')))
  })
  const ending = await child.ended
  watch.abort()
  await Promise.all(timers)
  if (killed === 'hung') return { reports, broken: `not done after ${LIFE_MS_MAX} ms: ${ending.stderr}` }
  const isGood = kill === undefined ? ending.code === 0 : killed === 'as-planned' && ending.signal === 'SIGKILL'
  return isGood ? { reports } : { reports, broken: describeEnding(ending) }
}

function check(
  histories: readonly History[],
): Pick<LivesReport, 'acknowledged' | 'failed' | 'cutShort' | 'keys' | 'broken'> {
  const broken: string[] = []
  let [acknowledged, cutShort, failed, keys] = [0, 0, 0, 0]
  for (const history of histories) {
    for (const { kind, outcome } of history.rows()) {
      if (outcome === 'failed' || outcome === 'unknown') failed += 1
      else if (kind !== 'get' && outcome === 'answered') acknowledged += 1
      else if (kind !== 'get') cutShort += 1
    }
  }
  for (const operations of operationsByKey(histories)) {
    keys += 1
    broken.push(...checkLinearizability(operations).violations.map(describeViolation))
  }
  return { acknowledged, failed, cutShort, keys, broken }
}

/** One above the highest number that was put; gets and deletes after that one took numbers that nobody will miss. */
function numbersUsed(history: History): number {
  let used = 0
  for (const { kind, value } of history.rows()) if (kind === 'put') used = Math.max(used, value + 1)
  return used
}
