/** Runs groups and says what came of it: tables, goals, what was not measured; keeps it or compares it with what was kept. */

import { loadavg } from 'node:os'
import { GOALS, type Judgement, judgeGoals } from '../goals.js'
import type { Group } from '../groups/group.js'
import { GROUPS } from '../groups.js'
import { machineLine, printTable, versionOf } from '../harness.js'
import { figureRow } from '../report/bench-page.js'
import { goalRow } from '../report/goals-page.js'
import { compareRatios, ratiosOf, readRatios } from '../report/ratios.js'
import { remakePages } from '../report/remake.js'
import { commitOfCheckout, type GroupResult, type Results } from '../report/results.js'
import { redisVersion } from '../subjects/redis-process.js'
import { type Context, type ContextOptions, makeContext } from './context.js'

export interface BenchOptions extends ContextOptions {
  /** Groups whose names begin like one of these. */
  readonly groupPrefixes: readonly string[]
  /** Keeps figures and ratios, and remakes the pages. */
  readonly remake: boolean
  /** Fails if a ratio is worse than the one kept. */
  readonly check: boolean
}

const PEERS = ['classic-level', 'lmdb', 'many-level', 'ioredis', 'lru-cache']

/** True if all was well: no floor missed that was measured, and with `check` no ratio worse. */
export async function runBench(options: BenchOptions): Promise<boolean> {
  const context = await makeContext(options)
  const results: Record<string, GroupResult> = {}
  try {
    for (const group of GROUPS.filter(({ name }) => isChosen(name, options)))
      results[group.name] = await runGroup(group, context)
  } finally {
    await context.end()
  }
  if (options.remake) await remakePages(results)
  const isMet = sayGoals(results, context)
  const isSame = options.check ? await sayComparison(results) : true
  for (const [who, why] of context.missing) console.log(`\nNOT MEASURED: ${who}: ${why}`)
  return isMet && isSame
}

async function runGroup(group: Group, context: Context): Promise<GroupResult> {
  const [load = 0] = loadavg()
  context.say(`\n${group.title} (${group.name})`)
  const missing = new Map<string, string>()
  const figures = await group.run({ ...context, missing })
  for (const [who, why] of missing) context.missing.set(who, why)
  printTable(figures.map((figure) => figureRow(figure, figures)))
  const { records, rounds } = context
  const run = {
    at: new Date().toISOString(),
    commit: await commitOfCheckout(),
    machine: await machineAndPeers(),
    ...{ load, records, rounds, missing: Object.fromEntries(missing) },
    workloads: [...new Set(figures.map(({ workload }) => workload))],
  }
  return { runs: [run], figures }
}

async function machineAndPeers(): Promise<string> {
  const packages = await Promise.all(PEERS.map(async (name) => [name, await versionOf(name)] as const))
  return machineLine({ ...Object.fromEntries(packages), Redis: redisVersion() ?? '(not installed)' })
}

function sayGoals(results: Results, { quick }: Context): boolean {
  const figures = Object.values(results).flatMap((result) => result.figures)
  const judged = judgeGoals(
    GOALS.filter(({ group }) => group in results),
    figures,
  )
  if (judged.length === 0) return true
  console.log('\nGoals')
  printTable(judged.map(goalRow))
  return quick || !judged.some(isBroken)
}

function isBroken({ goal, verdict }: Judgement): boolean {
  return goal.isFloor === true && verdict === 'MISSED'
}

async function sayComparison(results: Results): Promise<boolean> {
  const measured = ratiosOf(Object.values(results).flatMap(({ figures }) => figures))
  const compared = compareRatios(await readRatios(), measured)
  const worse = compared.filter(({ isWorse }) => isWorse)
  console.log(`\n${compared.length} ratios compared with those kept, ${worse.length} worse`)
  printTable(
    worse.map(({ stored, measured: now, tolerance }) => ({
      what: `${now.group}/${now.workload}`,
      who: now.subject,
      beside: now.beside,
      kept: stored.median.toFixed(2),
      now: now.median.toFixed(2),
      'may be lower by': `${(tolerance * 100).toFixed(0)} %`,
    })),
  )
  return worse.length === 0 && compared.length > 0
}

function isChosen(name: string, { groupPrefixes }: BenchOptions): boolean {
  return groupPrefixes.length === 0 || groupPrefixes.some((prefix) => name.startsWith(prefix))
}
