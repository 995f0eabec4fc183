/** Processor time of the cluster's own process while no request comes: alone, recorded, and looked at by a page. */

import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { frameOf } from '../../src/cli/http/entries.js'
import { Recording } from '../../src/cli/http/recording.js'
import { sampleOf } from '../../src/cli/top/sample.js'
import type { Stand } from './stand.js'

const MS = 4_000
const ROUNDS = 5
/** Of the times in /proc. */
const TICK_MS = 10
export const LOOKS = 200

export interface IdleCost {
  /** Milliseconds of processor time a second, the median of some rounds. */
  readonly alone: number
  readonly recorded: number
  readonly watched: number
  /** Of the browser's own processes meanwhile. */
  readonly browser: number
  /** Microseconds, the median. */
  readonly lookUs: number
}

export async function idleCost(stand: Stand): Promise<IdleCost> {
  const costs: Record<Exclude<keyof IdleCost, 'lookUs'>, number[]> = {
    alone: [],
    recorded: [],
    watched: [],
    browser: [],
  }
  for (let round = 0; round < ROUNDS; round++) {
    costs.alone.push(await costOf(MS))
    const http = await stand.serve()
    costs.recorded.push(await costOf(MS))
    const page = await stand.browser.newPage()
    await page.goto(http.url)
    await page.locator('[data-node]').first().waitFor()
    await delay(3_000)
    const fromMs = browserMs()
    const startMs = performance.now()
    costs.watched.push(await costOf(MS))
    costs.browser.push((1_000 * (browserMs() - fromMs)) / (performance.now() - startMs))
    await page.close()
    await http.close()
  }
  return {
    alone: median(costs.alone),
    recorded: median(costs.recorded),
    watched: median(costs.watched),
    browser: median(costs.browser),
    lookUs: lookUs(stand),
  }
}

/** What the recorder does at each look, again and again. */
function lookUs({ cluster }: Stand): number {
  const recording = new Recording()
  let before = cluster.metrics()
  const times = Array.from({ length: LOOKS }, () => {
    const from = performance.now()
    const status = cluster.status()
    const metrics = cluster.metrics()
    recording.add(frameOf(status, sampleOf(before, metrics), Date.now()))
    before = metrics
    return 1_000 * (performance.now() - from)
  })
  return median(times)
}

async function costOf(ms: number): Promise<number> {
  const from = process.cpuUsage()
  const fromMs = performance.now()
  await delay(ms)
  const { user, system } = process.cpuUsage(from)
  return (user + system) / (performance.now() - fromMs)
}

/** Processor time of every chromium there is here, as Linux has it. */
export function browserMs(): number {
  let ticks = 0
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('chromium')) continue
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
      ticks += Number(fields[11]) + Number(fields[12])
    } catch (error) {
      // It has ended meanwhile.
      if (!['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    }
  }
  return ticks * TICK_MS
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}
