/**
 * Gets and puts a second, with the dashboard and without: with somebody who reads its stream (what a browser elsewhere costs the cluster),
 * and with a page open in a browser on the same processors. Each is measured between two times without it, so that what else the machine
 * does, and how it changes, falls on both; before every time the cluster rests as long, and is loaded for a while unmeasured.
 */

import { get, type IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import type { HttpServer } from '../../src/cli/http/http-server.js'
import type { Cluster } from '../../src/index.js'
import { browserMs, median } from './idle-cost.js'
import { keyOf, type Stand } from './stand.js'

const MS = 2_000
const WARM_MS = 500
/** A page that is being loaded costs more than one that is open. */
const SETTLE_MS = 3_000
const CALLERS = 64
/** Of four calls, three are gets. */
const PUT_EVERY = 4
const RESAMPLES = 2_000

export const WAYS = ['read', 'page'] as const
export type Way = (typeof WAYS)[number]

export interface Compared {
  /** Medians of the rates, calls a second. */
  readonly without: number
  readonly with: number
  /** By how much less than without, in percent: the median of the rounds, and where 95 % of resampled medians lie. */
  readonly cost: readonly [median: number, low: number, high: number]
  /** Milliseconds of processor time a second that the browser took meanwhile, the median. */
  readonly browserMs: number
}

interface Round {
  readonly without: number
  readonly with: number
  readonly browserMs: number
}

export interface Throughput {
  readonly rounds: number
  readonly ways: Readonly<Record<Way, Compared>>
}

export async function throughputs(stand: Stand, rounds: number): Promise<Throughput> {
  const found: Record<Way, Round[]> = { read: [], page: [] }
  await rateOf(stand.cluster, MS)
  for (const way of WAYS) {
    let before = await settledRate(stand)
    for (let round = 0; round < rounds; round++) {
      const seen = await rateWith(stand, way)
      const after = await settledRate(stand)
      found[way].push({ ...seen, without: (before + after) / 2 })
      before = after
    }
  }
  const ways = WAYS.map((way) => {
    const without = median(found[way].map((rates) => rates.without))
    const cost = costOf(found[way].map((rates) => 100 * (1 - rates.with / rates.without)))
    const browserMs = median(found[way].map((rates) => rates.browserMs))
    return [way, { without, with: median(found[way].map((rates) => rates.with)), cost, browserMs }]
  })
  return { rounds, ways: Object.fromEntries(ways) as Throughput['ways'] }
}

async function rateWith(stand: Stand, way: Way): Promise<Omit<Round, 'without'>> {
  const http = await stand.serve()
  const endView = way === 'read' ? await readStream(http) : await openPage(stand, http)
  await rest(stand)
  const [fromMs, browserFromMs] = [performance.now(), browserMs()]
  const rate = await rateOf(stand.cluster, MS)
  const browser = (1_000 * (browserMs() - browserFromMs)) / (performance.now() - fromMs)
  await endView()
  await http.close()
  return { with: rate, browserMs: browser }
}

async function settledRate(stand: Stand): Promise<number> {
  await rest(stand)
  return rateOf(stand.cluster, MS)
}

async function rest({ cluster }: Stand): Promise<void> {
  await delay(SETTLE_MS)
  await rateOf(cluster, WARM_MS)
}

async function openPage(stand: Stand, http: HttpServer): Promise<() => Promise<void>> {
  const page: Page = await stand.browser.newPage({ viewport: { width: 1440, height: 900 } })
  await page.goto(http.url)
  await page.locator('[data-node]').first().waitFor()
  return () => page.close()
}

async function readStream(http: HttpServer): Promise<() => Promise<void>> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${http.url}v1/stream`, resolve).once('error', reject)
  })
  response.resume()
  return async () => void response.destroy()
}

async function rateOf(cluster: Cluster, ms: number): Promise<number> {
  const fromMs = performance.now()
  const endMs = fromMs + ms
  let calls = 0
  const caller = async (number: number): Promise<void> => {
    for (let at = number; performance.now() < endMs; at += CALLERS + 1, calls++)
      await (at % PUT_EVERY === 0 ? cluster.put(keyOf(at * 7_919), 'y'.repeat(100)) : cluster.get(keyOf(at * 7_919)))
  }
  await Promise.all(Array.from({ length: CALLERS }, (_, number) => caller(number)))
  return calls / ((performance.now() - fromMs) / 1_000)
}

function costOf(percents: readonly number[]): readonly [number, number, number] {
  const medians = Array.from({ length: RESAMPLES }, () =>
    median(percents.map(() => percents[Math.floor(Math.random() * percents.length)] ?? 0)),
  ).sort((a, b) => a - b)
  const at = (share: number) => medians[Math.floor(share * (RESAMPLES - 1))] ?? Number.NaN
  return [median(percents), at(0.025), at(0.975)]
}
