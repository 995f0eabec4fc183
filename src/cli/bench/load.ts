/** Callers that each ask, wait for the answer and ask again, for a while; and how long the answers took. */

import { createHistogram } from 'node:perf_hooks'

export type Operation = () => Promise<unknown>

export interface Figures {
  /** Answered in time to count. */
  readonly operations: number
  readonly failed: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
}

export interface Drive {
  readonly concurrency: number
  readonly ms: number
  /** Ends it early. */
  readonly signal: AbortSignal
}

/** Resolves once every caller has its last answer. Failures count; their latency too. Errors: the first failure, if nothing else came. */
export async function drive(operation: Operation, { concurrency, ms, signal }: Drive): Promise<Figures> {
  const latencies = createHistogram({ figures: 3, lowest: 1, highest: 600_000_000 })
  const startedMs = performance.now()
  let failed = 0
  let failure: unknown
  const caller = async (): Promise<void> => {
    while (!signal.aborted && performance.now() - startedMs < ms) {
      const askedMs = performance.now()
      try {
        await operation()
      } catch (error) {
        failed += 1
        failure ??= error
      }
      latencies.record(Math.max(1, Math.round((performance.now() - askedMs) * 1_000)))
    }
  }
  await Promise.all(Array.from({ length: concurrency }, caller))
  const operations = latencies.count
  if (failed > 0 && failed === operations) throw failure
  const percentileMs = (percentile: number) => (operations === 0 ? 0 : latencies.percentile(percentile) / 1_000)
  return {
    operations,
    failed,
    perSecond: Math.round((operations / (performance.now() - startedMs)) * 10_000) / 10,
    p50Ms: percentileMs(50),
    p99Ms: percentileMs(99),
    p999Ms: percentileMs(99.9),
    maxMs: operations === 0 ? 0 : latencies.max / 1_000,
  }
}
