/**
 * Room for records on their way from a store to a message: many small ones share one buffer, one behind the other. A buffer for
 * each would have to be made, and collected, with every read.
 *
 * Nothing is ever taken back: a slab lives for as long as somebody refers to a record in it. Called by the level store.
 */

/** What is kept of a slab by one record that is referred to. */
const SLAB_BYTES = 65_536
/** Records begin at multiples of it, so that they can be copied word by word. */
export const RECORD_ALIGNMENT = 4

export class RecordSlab {
  bytes = new Uint8Array(0)
  /** The same, as words. */
  words = new Int32Array(0)
  #taken = 0
  readonly #slabBytes: number

  constructor(slabBytes = SLAB_BYTES) {
    this.#slabBytes = slabBytes
  }

  /** Shape: where room of `bytes` begins in `this.bytes`, from now on the caller's. */
  take(bytes: number): number {
    const needed = aligned(bytes)
    if (this.#taken + needed > this.bytes.length) this.#begin(Math.max(this.#slabBytes, needed))
    const at = this.#taken
    this.#taken += needed
    return at
  }

  #begin(bytes: number): void {
    this.bytes = new Uint8Array(bytes)
    this.words = new Int32Array(this.bytes.buffer)
    this.#taken = 0
  }
}

/** The next multiple of the alignment. */
export function aligned(bytes: number): number {
  return (bytes + RECORD_ALIGNMENT - 1) & -RECORD_ALIGNMENT
}
