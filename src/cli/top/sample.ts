/** What lies between two looks at `cluster.metrics()`: rates and latencies of the interval, not averages since the opening. */

import type { ClusterMetrics, RepairMetrics, RequestMetrics } from '../../shared/cluster-reports.js'

export type RequestName = keyof ClusterMetrics['requests']

export interface RequestRates {
  readonly perSecond: number
  readonly failedPerSecond: number
  /** Undefined: there was no request. At most this, and at least 15/16 of it. */
  readonly p50Ms: number | undefined
  readonly p99Ms: number | undefined
  readonly maxMs: number | undefined
}

export interface Sample {
  readonly intervalMs: number
  readonly requests: Readonly<Record<RequestName | 'all', RequestRates>>
  /** In the interval. */
  readonly repairs: RepairMetrics
}

type Latencies = RequestMetrics['latencies']

export function sampleOf(before: ClusterMetrics, now: ClusterMetrics): Sample {
  const intervalMs = Math.max(1, Math.round(now.atMs - before.atMs))
  const names = Object.keys(now.requests) as RequestName[]
  const differences = names.map((name) => ({ name, ...difference(before.requests[name], now.requests[name]) }))
  const all = {
    failed: differences.reduce((sum, { failed }) => sum + failed, 0),
    latencies: differences.flatMap(({ latencies }) => latencies).sort(([a], [b]) => a - b),
  }
  const requests = Object.fromEntries(
    [...differences, { name: 'all' as const, ...all }].map((one) => [one.name, ratesOf(one, intervalMs)]),
  )
  const repairs = Object.fromEntries(
    Object.entries(now.repairs).map(([name, sum]) => [name, sum - before.repairs[name as keyof RepairMetrics]]),
  )
  return {
    intervalMs,
    requests: requests as unknown as Sample['requests'],
    repairs: repairs as unknown as RepairMetrics,
  }
}

function difference(before: RequestMetrics, now: RequestMetrics): { failed: number; latencies: Latencies } {
  const had = new Map(before.latencies)
  const latencies = now.latencies
    .map(([upToUs, requests]) => [upToUs, requests - (had.get(upToUs) ?? 0)] as const)
    .filter(([, requests]) => requests > 0)
  return { failed: now.failed - before.failed, latencies }
}

function ratesOf({ failed, latencies }: { failed: number; latencies: Latencies }, intervalMs: number): RequestRates {
  const ended = latencies.reduce((sum, [, requests]) => sum + requests, 0)
  const seconds = intervalMs / 1_000
  return {
    perSecond: tenths(ended / seconds),
    failedPerSecond: tenths(failed / seconds),
    p50Ms: percentile(latencies, ended * 0.5),
    p99Ms: percentile(latencies, ended * 0.99),
    maxMs: percentile(latencies, ended),
  }
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10
}

/** The latency that so many of the requests did not exceed. */
function percentile(latencies: Latencies, rank: number): number | undefined {
  let seen = 0
  for (const [upToUs, requests] of latencies) {
    seen += requests
    if (seen >= rank) return upToUs / 1_000
  }
  return undefined
}
