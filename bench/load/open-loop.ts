/**
 * Open-loop load: requests begin when they are due, whether the ones before have been answered or not, and a latency counts from
 * when its request was due. A closed loop stops asking while the store stalls, and so leaves out what its users would have
 * waited (coordinated omission; Tene, "How NOT to measure latency").
 */

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { build, type Histogram } from 'hdr-histogram-js'

/** What is due in a millisecond is due at its beginning: timers are no finer, and waiting for one is not the store's fault. */
const TICK_MS = 1
/** A store that answers nothing must not fill the memory: requests beyond these count as failed. */
const IN_FLIGHT_MAX = 200_000
/** µs: an hour would be too. */
const LATENCY_US_MAX = 120_000_000

export interface OpenLoopOptions {
  readonly perSecond: number
  readonly durationMs: number
  /** The number of the request. */
  call(number: number): Promise<unknown>
}

/** What callers saw, and how their event loop fared. */
export interface OpenLoopResult {
  readonly sent: number
  readonly failed: number
  /** The first failure's words. */
  readonly failure: string | undefined
  /** Between the moments when the first and the last of those that failed were due. */
  readonly failingMs: number
  /** µs, from when requests were due, of those that did not fail. */
  readonly latencies: Histogram
  /** How much later than asked the event loop came round. */
  readonly lagMsP99: number
}

/** Resolves once every request has been answered. */
export async function runOpenLoop({ perSecond, durationMs, call }: OpenLoopOptions): Promise<OpenLoopResult> {
  const latencies = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: LATENCY_US_MAX,
    numberOfSignificantValueDigits: 3,
  })
  const counts = { sent: 0, failed: 0, inFlight: 0 }
  let failure: string | undefined
  const failedDue = { firstMs: Number.POSITIVE_INFINITY, lastMs: Number.NEGATIVE_INFINITY }
  const fail = (dueMs: number, error: unknown): void => {
    counts.failed += 1
    failure ??= String(error)
    failedDue.firstMs = Math.min(failedDue.firstMs, dueMs)
    failedDue.lastMs = Math.max(failedDue.lastMs, dueMs)
  }
  const waiting = new Set<Promise<void>>()
  const request = async (number: number, dueMs: number): Promise<void> => {
    counts.inFlight += 1
    try {
      await call(number)
      latencies.recordValue(Math.min(LATENCY_US_MAX, Math.max(1, Math.round((performance.now() - dueMs) * 1_000))))
    } catch (error) {
      fail(dueMs, error)
    } finally {
      counts.inFlight -= 1
    }
  }
  const begin = (dueMs: number): void => {
    const number = counts.sent++
    if (counts.inFlight >= IN_FLIGHT_MAX) fail(dueMs, 'too many unanswered requests')
    else track(waiting, request(number, dueMs))
  }
  const delay = monitorEventLoopDelay({ resolution: TICK_MS })
  delay.enable()
  await eachTick(durationMs, (dueMs, tick) => {
    const until = Math.floor(((tick + 1) * TICK_MS * perSecond) / 1_000)
    while (counts.sent < until) begin(dueMs)
  })
  delay.disable()
  await Promise.all(waiting)
  return {
    sent: counts.sent,
    failed: counts.failed,
    failure,
    failingMs: Math.max(0, failedDue.lastMs - failedDue.firstMs),
    latencies,
    lagMsP99: Math.max(0, delay.percentile(99) / 1e6 - TICK_MS),
  }
}

/** Milliseconds at a percentile. */
export function percentileMs({ latencies }: OpenLoopResult, percentile: number): number {
  return latencies.getValueAtPercentile(percentile) / 1_000
}

function track(waiting: Set<Promise<void>>, request: Promise<void>): void {
  waiting.add(request)
  void request.finally(() => waiting.delete(request))
}

/** Calls for each tick, in order and none left out: those that the event loop was late for, at once. */
async function eachTick(durationMs: number, onTick: (dueMs: number, tick: number) => void): Promise<void> {
  // Timers go off at whole milliseconds of the process's clock, and so a tick is to be due then.
  const startMs = Math.ceil(performance.now())
  const ticks = Math.floor(durationMs / TICK_MS)
  let tick = 0
  await new Promise<void>((resolve) => {
    const turn = (): void => {
      for (; tick < ticks && startMs + tick * TICK_MS <= performance.now(); tick++)
        onTick(startMs + tick * TICK_MS, tick)
      if (tick === ticks) resolve()
      else setTimeout(turn, Math.max(0, startMs + tick * TICK_MS - performance.now()))
    }
    turn()
  })
}
