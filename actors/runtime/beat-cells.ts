/**
 * Heartbeats of one link, in memory that both of its ends see. Only the newest counts, so it is left there for the receiver's next
 * look, and wakes nobody: as messages, beats were most of what an idle cluster woke up for.
 *
 * A link belongs to one life of each end, and so do its cells. Made by `Mesh`, written and read by `Ports`, which sends beats through
 * the link's faults like any other message.
 */

import type { Message } from '../../src/protocol/messages.js'

export type Beat = Message & { readonly type: 'membership/heartbeat' }

/** Of one sender: its incarnation, its counter; each is a double. */
const CELLS = 2

/** One end of the link's cells, as it is given to a thread. */
export interface BeatEnd {
  readonly shared: SharedArrayBuffer
  /** Whose half is written here; the other is read. */
  readonly side: 0 | 1
}

/** For both ends of a new link. */
export function createBeatEnds(): readonly [BeatEnd, BeatEnd] {
  const shared = new SharedArrayBuffer(2 * CELLS * Float64Array.BYTES_PER_ELEMENT)
  return [
    { shared, side: 0 },
    { shared, side: 1 },
  ]
}

export class BeatCells {
  readonly #out: Float64Array
  readonly #in: Float64Array
  #takenCounter = 0

  constructor({ shared, side }: BeatEnd) {
    const bytes = CELLS * Float64Array.BYTES_PER_ELEMENT
    this.#out = new Float64Array(shared, side * bytes, CELLS)
    this.#in = new Float64Array(shared, (1 - side) * bytes, CELLS)
  }

  /** An older one that a fault held back is overwritten like any other: counters only grow where they are learned. */
  put({ incarnation, counter }: Beat): void {
    this.#out[0] = incarnation
    this.#out[1] = counter
  }

  /** The peer's newest beat, if it is another than last time. */
  take(): Beat | undefined {
    const [incarnation = 0, counter = 0] = this.#in
    if (counter === this.#takenCounter) return undefined
    this.#takenCounter = counter
    return { type: 'membership/heartbeat', incarnation, counter }
  }
}
