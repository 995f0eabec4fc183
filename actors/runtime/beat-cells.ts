/**
 * Heartbeats of one link, in memory that both of its ends see. Only the newest counts, so it is left there for the receiver's next
 * look, and wakes nobody: as messages, beats were most of what an idle cluster woke up for.
 *
 * A link belongs to one life of each end, and so do its cells. Made by `Mesh`, written and read by `Ports`, which sends beats through
 * the link's faults like any other message, and the first of them by the port.
 */

import type { Incarnation } from '../../src/protocol/ids.js'
import type { Message } from '../../src/protocol/messages.js'

export type Beat = Message & { readonly type: 'membership/heartbeat' }

/** One end of the link's cells, as it is given to a thread. */
export interface BeatEnd {
  /** The counter of each end, as a double. */
  readonly shared: SharedArrayBuffer
  /** Which of them is written here; the other is read. */
  readonly side: 0 | 1
}

/** For both ends of a new link. */
export function createBeatEnds(): readonly [BeatEnd, BeatEnd] {
  const shared = new SharedArrayBuffer(2 * Float64Array.BYTES_PER_ELEMENT)
  return [
    { shared, side: 0 },
    { shared, side: 1 },
  ]
}

export class BeatCells {
  readonly #counters: Float64Array
  readonly #side: 0 | 1
  /** Of the peer's life at the other end. */
  readonly #incarnation: Incarnation
  #taken = 0

  constructor({ shared, side }: BeatEnd, incarnation: Incarnation) {
    this.#counters = new Float64Array(shared)
    this.#side = side
    this.#incarnation = incarnation
  }

  /** Instead of the one before. */
  put({ counter }: Beat): void {
    this.#counters[this.#side] = counter
  }

  /** The peer's newest beat, if it is another than last time. */
  take(): Beat | undefined {
    const counter = this.#counters[1 - this.#side] ?? 0
    if (counter === this.#taken) return undefined
    this.#taken = counter
    return { type: 'membership/heartbeat', incarnation: this.#incarnation, counter }
  }
}
