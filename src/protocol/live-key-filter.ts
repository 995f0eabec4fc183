/**
 * Remembers, in fixed memory, which keys are known to be live in the store, and in which version, so that a write that is newer
 * than anything there need not read first: all that it would learn is whether the count of live keys changes, and what
 * leaves the Merkle tree.
 *
 * Buckets of four places: a fingerprint of 64 bits and a version hash of 32. A full bucket forgets one of its keys (then the
 * store is read). With the 17 bits that choose the bucket a key is known by 81 bits: two keys are not taken for one. Four places a
 * bucket, because with one, a table that is a quarter full has already forgotten a tenth of its keys.
 * Called by `Replica`.
 */

import { type KeyHash, mix } from './key-hash.js'

/** 6 MiB in all. */
const BUCKETS = 1 << 17
const PLACES = 4

export class LiveKeyFilter {
  readonly #lows = new Uint32Array(BUCKETS * PLACES)
  readonly #highs = new Uint32Array(BUCKETS * PLACES)
  readonly #versions = new Uint32Array(BUCKETS * PLACES)
  /** Of the key looked for last: where its bucket begins, and what it is known by. */
  #bucket = 0
  #low = 0
  #high = 0

  /** The hash of the version that is known to be live in the store; 0: not known. */
  versionOf(hash: KeyHash): number {
    this.#look(hash)
    const place = this.#find()
    return place < 0 ? 0 : (this.#versions[place] ?? 0)
  }

  /** `version`: never 0. */
  add(hash: KeyHash, version: number): void {
    this.#look(hash)
    const known = this.#find()
    const place = known >= 0 ? known : this.#placeForNew()
    this.#lows[place] = this.#low
    this.#highs[place] = this.#high
    this.#versions[place] = version
  }

  remove(hash: KeyHash): void {
    this.#look(hash)
    const place = this.#find()
    if (place >= 0) this.#versions[place] = 0
  }

  /** The place in the bucket that holds the key; -1: none does. */
  #find(): number {
    const bucket = this.#bucket
    for (let place = bucket; place < bucket + PLACES; place++) {
      if (this.#lows[place] === this.#low && this.#highs[place] === this.#high && this.#versions[place] !== 0)
        return place
    }
    return -1
  }

  #placeForNew(): number {
    const bucket = this.#bucket
    for (let place = bucket; place < bucket + PLACES; place++) if (this.#versions[place] === 0) return place
    return bucket + (this.#high % PLACES)
  }

  #look({ a, b }: KeyHash): void {
    this.#bucket = (mix(a) & (BUCKETS - 1)) * PLACES
    this.#low = mix(b) >>> 0
    this.#high = mix(a ^ 0x5bd1e995) >>> 0
  }
}
