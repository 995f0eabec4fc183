/**
 * Remembers, in fixed memory, which keys are known to be live in the store, so that a write that is newer than anything
 * there need not read first: the only thing it would learn is whether the count of live keys changes.
 *
 * Buckets of four 32-bit fingerprints. A full bucket forgets one of its keys (then the store is read), and it errs once
 * in a billion lookups (then the count of live keys is off by one); no record ever hangs on it. Four places a bucket, because
 * with one, a table that is a quarter full has already forgotten a tenth of its keys.
 * Called by `Replica`.
 */

import type { Key } from './ids.js'

/** 2 MiB in all. */
const BUCKETS = 1 << 17
const PLACES = 4

export class LiveKeyFilter {
  readonly #fingerprints = new Uint32Array(BUCKETS * PLACES)
  /** Of the key hashed last: where its bucket begins. */
  #bucket = 0
  #fingerprint = 0

  /** True: the key is live in the store. False: not known. */
  has(key: Key): boolean {
    this.#hash(key)
    return this.#find(this.#fingerprint) >= 0
  }

  add(key: Key): void {
    this.#hash(key)
    const fingerprint = this.#fingerprint
    if (this.#find(fingerprint) >= 0) return
    const free = this.#find(0)
    this.#fingerprints[free >= 0 ? free : this.#bucket + (fingerprint % PLACES)] = fingerprint
  }

  remove(key: Key): void {
    this.#hash(key)
    const place = this.#find(this.#fingerprint)
    if (place >= 0) this.#fingerprints[place] = 0
  }

  /** The place in the bucket that holds this; -1: none does. */
  #find(fingerprint: number): number {
    const bucket = this.#bucket
    const places = this.#fingerprints
    for (let place = bucket; place < bucket + PLACES; place++) if (places[place] === fingerprint) return place
    return -1
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
    this.#bucket = (mix(a) & (BUCKETS - 1)) * PLACES
    this.#fingerprint = mix(b) >>> 0 || 1
  }
}

function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
