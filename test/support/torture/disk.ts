/**
 * A small disk fills up under the writers, has room again, fills up again, and the process is killed at random moments of that: while
 * it writes, finds no room, opens on the full disk, goes on. Half of the cycles at each durability.
 *
 * The process must never die by itself, and whatever was refused must be refused with a code.
 */

import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { mountSmallDisk } from '../small-disk.js'
import { describeLives } from './kill.js'
import { type LivesReport, liveAndDie } from './lives.js'
import type { Effort, Outcome } from './outcome.js'

const MIB_PER_NODE = 3
const WRITING_MS_MAX = 2_000

export async function tortureSmallDisk({ folder, seed, count, nodes }: Effort): Promise<Outcome> {
  const part = 'disk'
  const reports: LivesReport[] = []
  for (const durability of ['process', 'disk'] as const) {
    const half = join(folder, durability)
    mkdirSync(half, { recursive: true })
    const disk = mountSmallDisk(join(half, 'disk'), nodes * MIB_PER_NODE)
    if ('missing' in disk) return { part, figures: '', broken: [], notRun: disk.missing }
    const lives = { seed, nodes, count: Math.ceil(count / 2), durability, writingMsMax: WRITING_MS_MAX }
    const location = join(disk.folder, 'data')
    const report = await liveAndDie({ folder: half, location, strikes: 'disk', ...lives })
    if (report.broken.length > 0) cpSync(location, join(half, 'kept'), { recursive: true })
    disk.unmount()
    reports.push(report)
  }
  const sum = (of: (report: LivesReport) => number) => reports.reduce((total, report) => total + of(report), 0)
  const strikes = sum((report) => report.strikes)
  const full = `${strikes} times full, ${sum(({ failed }) => failed)} requests failed on it, ${sum(({ refused }) => refused)} openings refused`
  const broken = reports.flatMap((report) => report.broken)
  return {
    part,
    figures: `${describeLives(reports)}; ${full}`,
    broken: strikes === 0 ? [...broken, 'the disk was never full'] : broken,
  }
}
