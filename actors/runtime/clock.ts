/**
 * The clocks of the process, shared by all its threads.
 *
 * `nowMs` is for deadlines and timers. `StampClock` gives the nanoseconds of stamps: `hrtime`, one clock over all threads,
 * plus one offset that was set at opening above wall time and above the stored ceiling, so that stamps never go back, not
 * even when the wall clock does or after a reopening. It must not run past the ceiling on disk: the supervisor
 * renews it, and without a renewal no stamp is given. The arithmetic is `src/protocol/versions/stamp-clock.ts`.
 */

import { ceilingDueNs, mayStamp, openingOffsetNs } from '../../src/protocol/versions/stamp-clock.js'
import { CoterieError } from '../../src/shared/errors.js'

/** Monotonic milliseconds, the same in every thread of the process (`performance.now` counts from each thread's start). */
export function nowMs(): number {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1_000 + nanoseconds / 1e6
}

/** How far ahead of now the ceiling on disk is kept, and how close it may come before it is renewed. */
const CEILING = { aheadNs: 30_000_000_000n, renewNs: 15_000_000_000n }

const OFFSET_CELL = 0
const CEILING_CELL = 1

/**
 * No clock begins after the year 2200. The cells hold nanoseconds up to 2262: past that they would turn negative, and every
 * write would lose against all that were there before.
 */
const BEGIN_NS_MAX = BigInt(Date.UTC(2200, 0)) * 1_000_000n

/**
 * Shape:  two 64-bit cells, offset and ceiling in nanoseconds.
 * Errors: CoterieError CLOCK_UNAVAILABLE if the wall clock, or the ceiling on disk, is past the year 2200.
 */
export function createStampClock(storedCeilingNs: bigint): StampClock {
  const clock = new StampClock(new SharedArrayBuffer(16))
  const wallNs = BigInt(Date.now()) * 1_000_000n
  const beginNs = storedCeilingNs > wallNs ? storedCeilingNs : wallNs
  if (beginNs > BEGIN_NS_MAX) {
    const who = storedCeilingNs > wallNs ? 'the clock ceiling of this location' : 'the wall clock'
    const text = `stamps cannot begin after the year 2200, and ${who} says ${new Date(Number(beginNs / 1_000_000n)).getUTCFullYear()}`
    throw new CoterieError('CLOCK_UNAVAILABLE', text, { beginNs })
  }
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
