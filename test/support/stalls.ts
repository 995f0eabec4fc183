/**
 * The stalls that callers saw, each put down to a fault. Decides nothing about what is acceptable.
 */

import type { HistoryRow } from './history.js'

/** A fault that was injected. */
export interface InjectedFault {
  readonly kind: string
  readonly node: string
  /** When the fault was asked for, nanoseconds of the shared clock: it cannot have had an effect before. */
  readonly injectedAt: number
}

/** A request that took long. */
export interface Stall {
  readonly latencyMs: number
  readonly kind: HistoryRow['kind']
  readonly invokedAt: number
  /** The last fault before the answer; undefined: there was none. */
  readonly fault: InjectedFault | undefined
}

/** What one kind of fault cost its callers; `none` stands for what happened before the first fault. */
export interface StallSummary {
  readonly faultKind: string
  readonly faults: number
  /** The longest single request of each fault, sorted: median and maximum. */
  readonly longestMsMedian: number
  readonly longestMsMax: number
}

/** Percentiles over all requests, in milliseconds. */
export interface LatencySummary {
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly max: number
}

/** For each fault (and for the time before the first) the longest request that is put down to it. Faults ascend in time. */
export function longestStalls(rows: Iterable<HistoryRow>, faults: readonly InjectedFault[]): Stall[] {
  const longest = new Map<InjectedFault | undefined, Stall>()
  for (const row of rows) {
    if (row.outcome === 'pending') continue
    const latencyMs = (row.returnedAt - row.invokedAt) / 1e6
    const fault = causeOf(row, faults)
    const known = longest.get(fault)
    if (known !== undefined && known.latencyMs >= latencyMs) continue
    longest.set(fault, { latencyMs, kind: row.kind, invokedAt: row.invokedAt, fault })
  }
  return [...longest.values()].sort((a, b) => a.invokedAt - b.invokedAt)
}

/** One line per kind of fault. */
export function summarizeStalls(stalls: readonly Stall[]): StallSummary[] {
  const kinds = new Set(stalls.map((stall) => stall.fault?.kind ?? 'none'))
  return [...kinds].map((faultKind) => {
    const ofKind = stalls.filter((stall) => (stall.fault?.kind ?? 'none') === faultKind)
    const sorted = ofKind.map((stall) => stall.latencyMs).sort((a, b) => a - b)
    const longestMsMedian = sorted[Math.floor(sorted.length / 2)] ?? 0
    return { faultKind, faults: ofKind.length, longestMsMedian, longestMsMax: sorted.at(-1) ?? 0 }
  })
}

/** Percentiles of every answered request. */
export function summarizeLatency(rows: Iterable<HistoryRow>): LatencySummary {
  const latencies: number[] = []
  for (const row of rows) if (row.outcome === 'answered') latencies.push((row.returnedAt - row.invokedAt) / 1e6)
  const sorted = Float64Array.from(latencies).sort()
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  return { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1) }
}

/** The fault whose time (until the next one) the request spent most of its own in; of two alike the later. */
function causeOf({ invokedAt, returnedAt }: HistoryRow, faults: readonly InjectedFault[]): InjectedFault | undefined {
  let cause: InjectedFault | undefined
  let longest = -1
  let until = returnedAt
  for (let index = countUntil(faults, returnedAt) - 1; index >= -1 && until >= invokedAt; index--) {
    const fault = faults[index]
    const since = Math.max(fault?.injectedAt ?? 0, invokedAt)
    if (until - since > longest) {
      longest = until - since
      cause = fault
    }
    until = since === invokedAt ? -1 : since
  }
  return cause
}

/** How many of the faults were injected by then. */
function countUntil(faults: readonly InjectedFault[], time: number): number {
  let low = 0
  let high = faults.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((faults[middle]?.injectedAt ?? 0) <= time) low = middle + 1
    else high = middle
  }
  return low
}
