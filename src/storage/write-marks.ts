/**
 * Which keys the nodes of this process write, in memory that all of its threads share: so that whoever keeps what it has read knows
 * at once that it may have changed, and asks nobody.
 *
 * Keys fall into slots. A node counts a write in its key's slot before LevelDB has it (`begin`), and once more when it is accepted
 * and read by everybody (`end`), which is before anybody can be told of it. A reader takes the count of a slot *before* it asks the
 * replicas, and only while no write to the slot is under way; as long as the count is the same, no replica has changed since,
 * and the same replicas would give the same answer. So this holds for every r, and for linearizability where r + w > n and 2r > n.
 *
 * What changes replicas otherwise (a store that is opened again may hold a write that was never acknowledged; a table gives
 * partitions to others) is told by a generation: the supervisor counts it up before the change can be seen, and for a table once
 * more after the last moment at which owners before it can have answered.
 *
 * A thread that ends leaves writes behind that never end. They are known by its own counts, from which the supervisor
 * balances the slots. Where the thread ended between two counts, a slot stays unbalanced: nothing of it is kept any more, which is safe.
 *
 * Called by the store (`NodeMarks`), the supervisor (`WriteMarks`) and the near cache.
 */

import type { Key } from '../protocol/ids.js'
import { hashOf } from './record-cache.js'

/**
 * Keys that share a slot make each other's readers ask again: of 200,000 keys each has 0.8 neighbours on average (3 with 65,536 slots).
 * Pages of it that nobody has written take no memory.
 */
const SLOTS = 262_144
const SLOT_MASK = SLOTS - 1
/** Counts begin again from 0: a number that V8 keeps without a box. */
const COUNT_MASK = 0x3fff_ffff
const INT32_BYTES = 4

/** Shared counts: a generation, then for each slot the writes begun, then those ended. */
export class WriteMarks {
  readonly #cells: Int32Array

  constructor(readonly shared: SharedArrayBuffer = new SharedArrayBuffer((1 + 2 * SLOTS) * INT32_BYTES)) {
    this.#cells = new Int32Array(shared)
  }

  /** What was read in another generation is not to be believed. */
  get generation(): number {
    return Atomics.load(this.#cells, 0) & COUNT_MASK
  }

  /** How often its slot has been written; never negative. `hash`: as by `hashOf`. */
  countOf(hash: number): number {
    return Atomics.load(this.#cells, 1 + (hash & SLOT_MASK)) & COUNT_MASK
  }

  /** The same; −1: a write is under way. Ended is read first: it never runs ahead of what has begun. */
  countAtRest(hash: number): number {
    const slot = hash & SLOT_MASK
    const ended = Atomics.load(this.#cells, 1 + SLOTS + slot)
    const begun = Atomics.load(this.#cells, 1 + slot)
    return ended === begun ? begun & COUNT_MASK : -1
  }

  /** Replicas may have changed in ways that no count tells. */
  forgetAll(): void {
    Atomics.add(this.#cells, 0, 1)
  }

  /** Ends the writes of a node whose thread has ended. `own`: its own counts. */
  endAllOf(own: SharedArrayBuffer): void {
    const pending = new Int32Array(own)
    for (let slot = 0; slot < SLOTS; slot++) {
      const left = pending[slot] as number
      if (left === 0) continue
      pending[slot] = 0
      Atomics.add(this.#cells, 1 + SLOTS + slot, left)
    }
  }
}

/** What one node's store counts. */
export class NodeMarks {
  readonly #cells: Int32Array
  /** Writes of this node under way, by slot. Only its own thread writes here while it lives. */
  readonly #own: Int32Array

  constructor(shared: SharedArrayBuffer, own: SharedArrayBuffer) {
    this.#cells = new Int32Array(shared)
    this.#own = new Int32Array(own)
  }

  static newCounts(): SharedArrayBuffer {
    return new SharedArrayBuffer(SLOTS * INT32_BYTES)
  }

  /** Before the store has it. The order of the two counts matters where the thread ends between them: see above. */
  begin(key: Key): void {
    const slot = hashOf(key) & SLOT_MASK
    Atomics.add(this.#cells, 1 + slot, 1)
    this.#own[slot] = (this.#own[slot] as number) + 1
  }

  /** Whoever reads the key now gets what was written; nobody has been told yet. */
  end(key: Key): void {
    const slot = hashOf(key) & SLOT_MASK
    this.#own[slot] = (this.#own[slot] as number) - 1
    Atomics.add(this.#cells, 1 + SLOTS + slot, 1)
  }
}
