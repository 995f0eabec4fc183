/**
 * Gets and puts a second: without the dashboard, with somebody who reads its stream (what a browser elsewhere costs the cluster), and with
 * a page open in a browser on the same processors. The three take turns, a second each, in another order every round, so that what
 * else the machine does falls on all of them.
 */

import { get, type IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Page } from 'playwright-core'
import type { HttpServer } from '../../src/cli/http/http-server.js'
import type { Cluster } from '../../src/index.js'
import { median } from './idle-cost.js'
import { keyOf, type Stand } from './stand.js'

const MS = 1_000
/** A page that is being loaded costs more than one that is open. */
const SETTLE_MS = 3_000
const CALLERS = 64
/** Of four calls, three are gets. */
const PUT_EVERY = 4
const RESAMPLES = 2_000

export const WAYS = ['without', 'read', 'page'] as const
export type Way = (typeof WAYS)[number]

export interface Throughput {
  readonly rounds: number
  /** Median of the rates, calls a second. */
  readonly perSecond: Readonly<Record<Way, number>>
  /** By how much less than without, in percent: the median of the rounds, and where 95 % of resampled medians lie. */
  readonly cost: Readonly<Record<Way, readonly [median: number, low: number, high: number]>>
}

export async function throughputs(stand: Stand, rounds: number): Promise<Throughput> {
  const rates: Record<Way, number[]> = { without: [], read: [], page: [] }
  await rateOf(stand.cluster, 2 * MS)
  for (let round = 0; round < rounds; round++)
    for (let turn = 0; turn < WAYS.length; turn++) {
      // Each way stands once at each place, in three rounds.
      const way = WAYS[(turn + round) % WAYS.length] ?? 'without'
      rates[way].push(await withViewer(stand, way, () => rateOf(stand.cluster, MS)))
    }
  const per = <T>(of: (way: Way) => T) => Object.fromEntries(WAYS.map((way) => [way, of(way)])) as Record<Way, T>
  return {
    rounds,
    perSecond: per((way) => median(rates[way])),
    cost: per((way) => costOf(rates[way].map((rate, round) => 100 * (1 - rate / (rates.without[round] ?? rate))))),
  }
}

async function withViewer(stand: Stand, way: Way, measure: () => Promise<number>): Promise<number> {
  if (way === 'without') return measure()
  const http = await stand.serve()
  const endView = way === 'read' ? await readStream(http) : await openPage(stand, http)
  try {
    return await measure()
  } finally {
    await endView()
    await http.close()
  }
}

async function openPage(stand: Stand, http: HttpServer): Promise<() => Promise<void>> {
  const page: Page = await stand.browser.newPage({ viewport: { width: 1440, height: 900 } })
  await page.goto(http.url)
  await page.locator('[data-node]').first().waitFor()
  await delay(SETTLE_MS)
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
