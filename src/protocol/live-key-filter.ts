/**
 * Remembers, in fixed memory, which keys are known to be live in the store, so that a write that is newer than anything
 * there need not read first: the only thing it would learn is whether the count of live keys changes.
 *
 * A direct-mapped table of 32-bit fingerprints. It forgets when two keys meet in one place (then the store is read), and
 * it errs once in four billion lookups (then the count of live keys is off by one); no record ever hangs on it.
 * Called by `Replica`.
 */

import type { Key } from './ids.js'

/** Places; 2 MiB. */
const PLACES = 1 << 19

export class LiveKeyFilter {
  readonly #fingerprints = new Uint32Array(PLACES)
  /** Of the key hashed last. */
  #place = 0
  #fingerprint = 0

  /** True: the key is live in the store. False: not known. */
  has(key: Key): boolean {
    this.#hash(key)
    return this.#fingerprints[this.#place] === this.#fingerprint
  }

  add(key: Key): void {
    this.#hash(key)
    this.#fingerprints[this.#place] = this.#fingerprint
  }

  remove(key: Key): void {
    if (this.has(key)) this.#fingerprints[this.#place] = 0
  }

  /** FNV-1a and a second multiplicative hash, both finished by MurmurHash3's mixer; 0 stands for "nothing". */
  #hash(key: Key): void {
    let a = 0x811c9dc5
    let b = 0x9e3779b9
    for (let index = 0; index < key.length; index++) {
      const code = key.charCodeAt(index)
      a = Math.imul(a ^ code, 0x01000193)
      b = Math.imul(b + code, 0x85ebca6b) ^ (b >>> 15)
    }
    this.#place = mix(a) & (PLACES - 1)
    this.#fingerprint = mix(b) >>> 0 || 1
  }
}

function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
