/**
 * What became of a gateway's requests, in shared memory: how many of each kind ended after how long, how long they took together,
 * how many failed with which code. Others read it without waking the thread; it only ever grows, so that several readers each see
 * their own interval.
 *
 * *What is measured:* from the turn of the caller's loop in which the call was made to the message (or timer) that brought its
 * end. So the queue in this thread counts, and so does a deadline that passed; what a program waits before it calls does
 * not, as with any clock that starts at the call (coordinated omission). Both times are read by the client and the gateway
 * anyway, once for all requests of a turn or message: no clock is read for this.
 *
 * *What it costs:* some 5 ns a request (a get costs 6 µs), against 20 ns of `perf_hooks.createHistogram().record` (Node 20), which no other thread could
 * read in intervals of its own. Every request is counted, none sampled.
 *
 * Called by the client (`record`) and `OpenCluster.metrics`.
 */

import { FAILURE_CODES, type FailureCode } from '../../src/protocol/failure.js'

/** The place of each kind. Of a `scan` each page is a request; `read` and each key of `getMany` are a `get`. */
export const REQUEST_KINDS = { get: 0, put: 1, delete: 2, batch: 3, scan: 4 } as const
export type RequestKind = (typeof REQUEST_KINDS)[keyof typeof REQUEST_KINDS]
const KINDS = Object.keys(REQUEST_KINDS).length

/** Sixteen buckets to each doubling: a latency is known to 1/16. Those below 32 µs are exact. */
const STEPS_LOG2 = 4
const STEPS = 1 << STEPS_LOG2
/** Microseconds go up to 2³¹ − 1, which is more than the longest deadline. */
const BUCKETS = bucketOf(0x7fff_ffff) + 1
/** Buckets, then microseconds of all together, then failures by code. */
const TOTAL_US = BUCKETS
const FAILURES = BUCKETS + 1
const CELLS = FAILURES + FAILURE_CODES.length
/** After those of all kinds: requests that were answered from a near cache. */
const HITS = KINDS * CELLS

/** Requests that took at most so many microseconds, and more than those of the bucket before. */
export type LatencyBucket = readonly [upToUs: number, requests: number]

export class RequestCounters {
  readonly #cells: Float64Array

  constructor(readonly shared: SharedArrayBuffer = new SharedArrayBuffer((KINDS * CELLS + 1) * 8)) {
    this.#cells = new Float64Array(shared)
  }

  /** `us`: a whole number, at least 0. `failure`: what it failed with; undefined: it did not. */
  record(kind: RequestKind, us: number, failure: FailureCode | undefined): void {
    const from = kind * CELLS
    const cells = this.#cells
    const cell = from + bucketOf(us)
    cells[cell] = (cells[cell] ?? 0) + 1
    cells[from + TOTAL_US] = (cells[from + TOTAL_US] ?? 0) + us
    if (failure === undefined) return
    const failed = from + FAILURES + FAILURE_CODES.indexOf(failure)
    cells[failed] = (cells[failed] ?? 0) + 1
  }

  /** One that asked nobody: its caller's thread kept the answer. */
  recordHit(kind: RequestKind): void {
    const cells = this.#cells
    cells[kind * CELLS] = (cells[kind * CELLS] ?? 0) + 1
    cells[HITS] = (cells[HITS] ?? 0) + 1
  }

  get hits(): number {
    return this.#cells[HITS] ?? 0
  }

  /** What another gateway that is gone has counted. */
  add(other: RequestCounters): void {
    other.#cells.forEach((value, cell) => {
      this.#cells[cell] = (this.#cells[cell] ?? 0) + value
    })
  }

  /** Requests, however they ended. */
  ended(kind: RequestKind): number {
    let sum = 0
    for (let cell = kind * CELLS; cell < kind * CELLS + BUCKETS; cell++) sum += this.#cells[cell] ?? 0
    return sum
  }

  failed(kind: RequestKind, code: FailureCode): number {
    return this.#cells[kind * CELLS + FAILURES + FAILURE_CODES.indexOf(code)] ?? 0
  }

  /** Microseconds that all of them took together. */
  totalUs(kind: RequestKind): number {
    return this.#cells[kind * CELLS + TOTAL_US] ?? 0
  }

  /** Those that are not empty, in order. */
  latencies(kind: RequestKind): LatencyBucket[] {
    const from = kind * CELLS
    const found: LatencyBucket[] = []
    // Nearly all are empty, and this is asked twice a second.
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const requests = this.#cells[from + bucket] ?? 0
      if (requests !== 0) found.push([lastOf(bucket), requests])
    }
    return found
  }
}

function bucketOf(us: number): number {
  const shift = Math.max(0, 31 - STEPS_LOG2 - Math.clz32(us))
  return (shift << STEPS_LOG2) + (us >>> shift)
}

/** The longest of a bucket. */
function lastOf(bucket: number): number {
  const shift = Math.max(0, (bucket >> STEPS_LOG2) - 1)
  const first = (bucket - shift * STEPS) * 2 ** shift
  return first + 2 ** shift - 1
}
