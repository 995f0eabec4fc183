/** What has been done since the cluster was opened: requests, and the repairs that it makes by itself. Called by `OpenCluster`. */

import { REQUEST_KINDS, type RequestCounters, type RequestKind } from '../../actors/runtime/request-counters.js'
import { FAILURE_CODES } from '../protocol/failure.js'
import type { ClusterEvents } from '../shared/cluster-events.js'
import type { ClusterMetrics, RepairMetrics, RequestMetrics } from '../shared/cluster-reports.js'

/** Counts what events tell. */
export class RepairsDone {
  #readRepairs = 0
  #keysExchanged = 0
  #hintsHandedBack = 0

  onEvent<Name extends keyof ClusterEvents>(name: Name, facts: ClusterEvents[Name][0]): void {
    if (name === 'repair') this.#readRepairs += 1
    else if (name === 'exchange') this.#keysExchanged += (facts as ClusterEvents['exchange'][0]).keysDiffering
    else if (name === 'handoff') this.#hintsHandedBack += (facts as ClusterEvents['handoff'][0]).hints
  }

  get sums(): RepairMetrics {
    return {
      readRepairs: this.#readRepairs,
      keysExchanged: this.#keysExchanged,
      hintsHandedBack: this.#hintsHandedBack,
    }
  }
}

export function clusterMetrics(
  gateways: readonly RequestCounters[],
  { atMs, repairs }: { readonly atMs: number; readonly repairs: RepairsDone },
): ClusterMetrics {
  const requests = Object.fromEntries(
    Object.entries(REQUEST_KINDS).map(([name, kind]) => [name, requestMetrics(gateways, kind)]),
  )
  const nearCacheHits = gateways.reduce((sum, { hits }) => sum + hits, 0)
  return { atMs, requests: requests as ClusterMetrics['requests'], nearCacheHits, repairs: repairs.sums }
}

function requestMetrics(gateways: readonly RequestCounters[], kind: RequestKind): RequestMetrics {
  const latencies = new Map<number, number>()
  for (const counters of gateways)
    for (const [upToUs, requests] of counters.latencies(kind))
      latencies.set(upToUs, (latencies.get(upToUs) ?? 0) + requests)
  const sorted = [...latencies].sort(([a], [b]) => a - b)
  const failures = FAILURE_CODES.map(
    (code) => [code, gateways.reduce((sum, counters) => sum + counters.failed(kind, code), 0)] as const,
  ).filter(([, requests]) => requests > 0)
  return {
    ended: sorted.reduce((sum, [, requests]) => sum + requests, 0),
    failed: failures.reduce((sum, [, requests]) => sum + requests, 0),
    failures: Object.fromEntries(failures),
    totalUs: gateways.reduce((sum, counters) => sum + counters.totalUs(kind), 0),
    latencies: sorted,
  }
}
