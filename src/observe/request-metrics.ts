/**
 * The metrics of requests. Latencies are known in buckets of 1/16; the bounds that are shown here are powers of two of a microsecond,
 * which are bounds there too, so that every bucket is exact and none is estimated.
 */

import { FAILURE_CODES } from '../protocol/failure.js'
import type { RequestMetrics } from '../shared/cluster-reports.js'
import { type MetricDefinition, type Sample, type Seen, single } from './metric.js'

/** 32 µs … 8.4 s. */
const BOUNDS_US = Array.from({ length: 19 }, (_, doublings) => 32 * 2 ** doublings)

function operations({ metrics }: Seen): (readonly [operation: string, RequestMetrics])[] {
  return Object.entries(metrics.requests)
}

function durations(operation: string, { ended, totalUs, latencies }: RequestMetrics): Sample[] {
  const samples: Sample[] = []
  let requests = 0
  let place = 0
  for (const boundUs of BOUNDS_US) {
    // Whole microseconds, cut off: at most 31 is below 32.
    for (let next = latencies[place]; next !== undefined && next[0] < boundUs; next = latencies[++place])
      requests += next[1]
    samples.push({ suffix: '_bucket', labels: { operation, le: String(boundUs / 1e6) }, value: requests })
  }
  samples.push({ suffix: '_bucket', labels: { operation, le: '+Inf' }, value: ended })
  samples.push({ suffix: '_sum', labels: { operation }, value: totalUs / 1e6 })
  samples.push({ suffix: '_count', labels: { operation }, value: ended })
  return samples
}

export const REQUEST_METRICS: readonly MetricDefinition[] = [
  {
    name: 'coterie_request_duration_seconds',
    type: 'histogram',
    labels: ['operation'],
    unit: 'seconds',
    help: 'How long requests took that have ended, failed ones too, of every thread that calls. `get` has reads and each key of getMany, `scan` has pages.',
    read: (seen) => operations(seen).flatMap(([operation, requests]) => durations(operation, requests)),
  },
  {
    name: 'coterie_request_failures_total',
    type: 'counter',
    labels: ['operation', 'code'],
    unit: 'requests',
    help: 'Requests that ended with an error, by its code; every pair is there.',
    read: (seen) =>
      operations(seen).flatMap(([operation, { failures }]) =>
        FAILURE_CODES.map((code) => ({ labels: { operation, code }, value: failures[code] ?? 0 })),
      ),
  },
  {
    name: 'coterie_near_cache_hits_total',
    type: 'counter',
    labels: [],
    unit: 'requests',
    help: 'Of the gets, those that asked no node: the thread that called had kept the value. They took no time.',
    read: ({ metrics }) => single(metrics.nearCacheHits),
  },
]
