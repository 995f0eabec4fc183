/**
 * Writes whose stamp is asked for first. Without a clock that all share, a later write could be stamped lower than one that
 * was acknowledged before, and would be lost; so a read quorum is asked for the highest stamp of each key, and the write is
 * stamped above all of them (the two phases of a multi-writer register: Attiya, Bar-Noy and Dolev, 1995; Lynch and
 * Shvartsman, 1997). A quorum of reads meets every quorum of writes: n − w + 1.
 *
 * One process has one clock, and needs none of this; the simulator can switch the shared clock off. Called by `Gateway`.
 */

import type { Failure } from '../failure.js'
import type { ActorId } from '../ids.js'
import type { RequestId } from '../messages.js'
import { makeStamp, type Stamp, stampTimeNs } from '../versions/stamp.js'
import type { OperationOutcome } from './request.js'

/** A write that waits for the stamps of its keys. */
interface Ask<Put> {
  readonly put: Put
  /** What its own clock said when it was called. */
  readonly timeNs: bigint
  waiting: number
  highestNs: bigint
  failure: Failure | undefined
}

/** What came of an ask: the write with its stamp, or why there is none; nothing has been written then. */
export interface Asked<Put> {
  readonly put: Put
  readonly stamped: Stamp | Failure
}

export class StampAsks<Put> {
  readonly #self: ActorId
  readonly #byRead = new Map<RequestId, Ask<Put>>()
  #lastNs = 0n

  constructor(self: ActorId) {
    this.#self = self
  }

  /** `reads`: one get for each key, at least one. */
  begin(put: Put, reads: readonly RequestId[], timeNs: bigint): void {
    const ask: Ask<Put> = { put, timeNs, waiting: reads.length, highestNs: 0n, failure: undefined }
    for (const read of reads) this.#byRead.set(read, ask)
  }

  /** A get has ended. Undefined: it was none of these, or others are awaited. `isOurs` tells which. */
  onRead(read: RequestId, outcome: OperationOutcome): Asked<Put> | undefined {
    const ask = this.#byRead.get(read)
    if (ask === undefined) return undefined
    this.#byRead.delete(read)
    ask.waiting -= 1
    if (outcome.type === 'failed') ask.failure ??= outcome.failure
    else if (outcome.type === 'value' && outcome.record?.kind === 'lww') {
      const timeNs = stampTimeNs(outcome.record.stamp)
      if (timeNs > ask.highestNs) ask.highestNs = timeNs
    }
    if (ask.waiting > 0) return undefined
    return { put: ask.put, stamped: ask.failure ?? this.#stampAbove(ask) }
  }

  isOurs(read: RequestId): boolean {
    return this.#byRead.has(read)
  }

  #stampAbove({ timeNs, highestNs }: Ask<Put>): Stamp {
    for (const atLeast of [timeNs, highestNs + 1n]) if (atLeast > this.#lastNs) this.#lastNs = atLeast - 1n
    this.#lastNs += 1n
    return makeStamp(this.#lastNs, 0, this.#self)
  }
}
