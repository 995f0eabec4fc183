/** The process is killed at random moments, at either durability. */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type LivesReport, liveAndDie } from './lives.js'
import type { Effort, Outcome } from './outcome.js'

const WRITING_MS_MAX = 1_000

/** Half of the cycles at each durability. */
export async function tortureByKill({ folder, seed, count, nodes }: Effort): Promise<Outcome> {
  const reports: LivesReport[] = []
  for (const durability of ['process', 'disk'] as const) {
    const half = join(folder, durability)
    mkdirSync(half, { recursive: true })
    const lives = { seed, nodes, count: Math.ceil(count / 2), durability, writingMsMax: WRITING_MS_MAX }
    reports.push(await liveAndDie({ folder: half, strikes: 'nothing', ...lives }))
  }
  return { part: 'kill', figures: describeLives(reports), broken: reports.flatMap((report) => report.broken) }
}

/** The process is killed while nodes are wiped, given up and filled. */
export async function tortureRefill({ folder, seed, count, nodes }: Effort): Promise<Outcome> {
  mkdirSync(folder, { recursive: true })
  const lives = {
    folder,
    seed,
    nodes,
    count,
    durability: 'process',
    strikes: 'nodes',
    writingMsMax: 2 * WRITING_MS_MAX,
  } as const
  const report = await liveAndDie(lives)
  const broken = [...report.broken, ...(report.strikes === 0 ? ['no node was wiped or given up'] : [])]
  return { part: 'refill', figures: `${describeLives([report])}, ${report.strikes} nodes wiped or given up`, broken }
}

/** Totals over several runs. */
export function describeLives(reports: readonly LivesReport[]): string {
  const sum = (of: (report: LivesReport) => number) => reports.reduce((total, report) => total + of(report), 0)
  return [
    `${sum(({ lives }) => lives - 1)} kills (${sum(({ killedOpening }) => killedOpening)} while it opened)`,
    `${sum(({ acknowledged }) => acknowledged)} acknowledged writes on ${sum(({ keys }) => keys)} keys`,
    `${sum(({ cutShort }) => cutShort)} cut short, ${sum(({ quarantined }) => quarantined)} stores set aside`,
    `${sum(({ seconds }) => seconds).toFixed(1)} s`,
  ].join(', ')
}
