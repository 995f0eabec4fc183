/**
 * Values by ever-growing whole numbers, for what lives shortly and at a high rate: requests, writes on their way.
 *
 * Not a `Map`, and no `Set` either. V8's hash tables leave a link from each outgrown table to its successor. Where
 * entries come and go thousands of times a second:
 *   1. a table that once grew old lies in the old generation;
 *   2. it is outgrown and dead, but until the next major collection its link keeps the successor alive, which so grows old too;
 *   3. from 2, for ever: each table brings everything that was ever in it into the old generation.
 * With every request of a gateway promoted, collecting garbage took a quarter of the processor (`node --trace-gc` shows
 * scavenges that free little). Here a larger table is not linked from the smaller one, and removing leaves nothing behind.
 *
 * Open addressing with linear probing; removal moves later entries back (Knuth, TAOCP 3, 6.4, algorithm R), so that there
 * are no tombstones. Decides nothing.
 */

import { assert } from './assert.js'

const SLOTS_MIN = 16
/** Knuth's multiplicative hash: 2^32 divided by the golden ratio. Ids count up by one or two. */
const MULTIPLIER = 0x9e3779b1

export class IdTable<Value> {
  /** 0: the slot is free. */
  #ids = new Float64Array(SLOTS_MIN)
  #values: (Value | undefined)[] = new Array(SLOTS_MIN).fill(undefined)
  #shift = 32 - Math.log2(SLOTS_MIN)
  #size = 0

  get size(): number {
    return this.#size
  }

  get(id: number): Value | undefined {
    return this.#values[this.#slotOf(id)]
  }

  /** Errors: asserts that the id is 1 or more and not there yet. */
  add(id: number, value: Value): void {
    if (this.#size * 2 >= this.#ids.length) this.#grow()
    const slot = this.#slotOf(id)
    if (!(id >= 1) || this.#ids[slot] !== 0) assert(false, 'an id is 1 or more, and given once', { id })
    this.#ids[slot] = id
    this.#values[slot] = value
    this.#size += 1
  }

  /** Removes and returns the value; undefined if there is none. */
  take(id: number): Value | undefined {
    let free = this.#slotOf(id)
    if (id === 0 || this.#ids[free] !== id) return undefined
    const taken = this.#values[free]
    const mask = this.#ids.length - 1
    for (let slot = (free + 1) & mask; this.#ids[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#homeOf(this.#ids[slot] as number)
      // It may move back only if its search, which begins at its home, passes the free slot.
      if (((slot - home) & mask) < ((slot - free) & mask)) continue
      this.#ids[free] = this.#ids[slot] as number
      this.#values[free] = this.#values[slot]
      free = slot
    }
    this.#ids[free] = 0
    this.#values[free] = undefined
    this.#size -= 1
    return taken
  }

  /** Sorted by id: a copy, so that what is done with one may change the table. */
  values(): Value[] {
    const ids = this.#ids.filter((id) => id !== 0).sort()
    return Array.from(ids, (id) => this.get(id) as Value)
  }

  /** Where the id is, or where it would go. */
  #slotOf(id: number): number {
    const mask = this.#ids.length - 1
    let slot = this.#homeOf(id)
    while (this.#ids[slot] !== 0 && this.#ids[slot] !== id) slot = (slot + 1) & mask
    return slot
  }

  #homeOf(id: number): number {
    return Math.imul(id, MULTIPLIER) >>> this.#shift
  }

  #grow(): void {
    const ids = this.#ids
    const values = this.#values
    this.#ids = new Float64Array(ids.length * 2)
    this.#values = new Array(ids.length * 2).fill(undefined)
    this.#shift -= 1
    for (let from = 0; from < ids.length; from++) {
      const id = ids[from] as number
      if (id === 0) continue
      const slot = this.#slotOf(id)
      this.#ids[slot] = id
      this.#values[slot] = values[from]
    }
  }
}
