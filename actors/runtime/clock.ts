/**
 * The clocks of the process, shared by all its threads.
 *
 * `nowMs` is for deadlines and timers. `StampClock` gives the nanoseconds of stamps: `hrtime`, one clock over all threads,
 * plus one offset that was set at opening above wall time and above the stored ceiling, so that stamps never go back, not
 * even when the wall clock does or after a reopening. It must not run past the ceiling on disk: the supervisor
 * renews it, and without a renewal no stamp is given. The arithmetic is `src/protocol/versions/stamp-clock.ts`.
 */

import { ceilingDueNs, mayStamp, openingOffsetNs } from '../../src/protocol/versions/stamp-clock.js'

/** Monotonic milliseconds, the same in every thread of the process (`performance.now` counts from each thread's start). */
export function nowMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1_000 + nanoseconds / 1e6
}

/** How far ahead of now the ceiling on disk is kept, and how close it may come before it is renewed. */
const CEILING = { aheadNs: 30_000_000_000n, renewNs: 15_000_000_000n }

const OFFSET_CELL = 0
const CEILING_CELL = 1

/** Shape: two 64-bit cells, offset and ceiling in nanoseconds. */
export function createStampClock(storedCeilingNs: bigint): StampClock {
  const clock = new StampClock(new SharedArrayBuffer(16))
  const wallNs = BigInt(Date.now()) * 1_000_000n
  clock.setOffset(openingOffsetNs({ storedCeilingNs, wallNs, monotonicNs: process.hrtime.bigint() }))
  return clock
}

export class StampClock {
  readonly #cells: BigInt64Array

  constructor(readonly shared: SharedArrayBuffer) {
    this.#cells = new BigInt64Array(shared)
  }

  setOffset(offsetNs: bigint): void {
    Atomics.store(this.#cells, OFFSET_CELL, offsetNs)
  }

  /** The ceiling is on disk: stamps may go up to it. */
  raiseCeiling(ceilingNs: bigint): void {
    Atomics.store(this.#cells, CEILING_CELL, ceilingNs)
  }

  /** Nanoseconds, whether or not a stamp may be given. */
  readNs(): bigint {
    return process.hrtime.bigint() + Atomics.load(this.#cells, OFFSET_CELL)
  }

  get #ceilingNs(): bigint {
    return Atomics.load(this.#cells, CEILING_CELL)
  }

  /** The ceiling that the supervisor should write now, if any. */
  ceilingDueNs(): bigint | undefined {
    return ceilingDueNs(this.readNs(), this.#ceilingNs, CEILING)
  }

  /** Nanoseconds for the stamps of a turn; undefined if they would pass the ceiling on disk. */
  stampNs(): bigint | undefined {
    const ns = this.readNs()
    return mayStamp(ns, this.#ceilingNs) ? ns : undefined
  }
}
