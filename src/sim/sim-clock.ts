/**
 * The stamp clock that all threads of a simulated process share, and the ceiling in its cluster folder. A process begins with a
 * monotonic clock that counts from anywhere and a wall clock that may have been set; what outlives it is the ceiling.
 *
 * The arithmetic is the protocol's own. Called by `SimWorld` and, to have the ceiling renewed, by `SimSupervisor`.
 */

import { ceilingDueNs, mayStamp, openingOffsetNs } from '../protocol/versions/stamp-clock.js'

/** Less than of a real process, so that runs of a few seconds come near it. */
const CEILING = { aheadNs: 400_000_000n, renewNs: 200_000_000n }
const FIRST_WALL_NS = 1_000_000_000n

export class SimClock {
  /** Virtual time at which the monotonic clock stood at zero. */
  #baseNs = 0n
  #offsetNs = 0n
  /** No two readings are equal. */
  #lastNs = 0n
  /** As this process knows it, and as it lies on the disk. */
  #ceilingNs = 0n
  #storedNs = 0n

  constructor() {
    this.open(0, 0n)
  }

  /** What is on disk. */
  get storedCeilingNs(): bigint {
    return this.#storedNs
  }

  /** A new process. `wallSkewNs`: how wrong its wall clock is. It stamps nothing before its first ceiling is on disk. */
  open(nowMs: number, wallSkewNs: bigint): void {
    this.#baseNs = nsOf(nowMs)
    const wallNs = FIRST_WALL_NS + nsOf(nowMs) + wallSkewNs
    this.#offsetNs = openingOffsetNs({ storedCeilingNs: this.#storedNs, wallNs, monotonicNs: 0n })
    this.#lastNs = 0n
    this.#ceilingNs = this.#offsetNs
    this.onStored(this.dueNs(nowMs) ?? this.#ceilingNs)
  }

  readNs(nowMs: number): bigint {
    const nowNs = nsOf(nowMs) - this.#baseNs + this.#offsetNs
    this.#lastNs = nowNs > this.#lastNs ? nowNs : this.#lastNs + 1n
    return this.#lastNs
  }

  /** Undefined: it would pass the ceiling. */
  stampNs(nowMs: number): bigint | undefined {
    const ns = this.readNs(nowMs)
    return mayStamp(ns, this.#ceilingNs) ? ns : undefined
  }

  /** The ceiling that is to be written now. */
  dueNs(nowMs: number): bigint | undefined {
    return ceilingDueNs(nsOf(nowMs) - this.#baseNs + this.#offsetNs, this.#ceilingNs, CEILING)
  }

  onStored(ceilingNs: bigint): void {
    this.#storedNs = ceilingNs
    this.#ceilingNs = ceilingNs
  }
}

function nsOf(ms: number): bigint {
  return BigInt(Math.round(ms * 1e6))
}
