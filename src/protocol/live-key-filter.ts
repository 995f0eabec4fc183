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

import type { Key } from './ids.js'
import { type KeyHash, mix } from './key-hash.js'

/** 6 MiB in all. */
const BUCKETS = 1 << 17
const PLACES = 4
/** A bucket is twelve words: four low halves of fingerprints, four high ones, four versions. One line of the processor's cache, or two. */
const HIGHS = PLACES
const VERSIONS = 2 * PLACES
const BUCKET_WORDS = 3 * PLACES

export class LiveKeyFilter {
  readonly #words = new Uint32Array(BUCKETS * BUCKET_WORDS)
  /** Of the key looked for last: where its bucket begins, what it is known by, and its place, or −1. */
  #key: Key | undefined
  #bucket = 0
  #low = 0
  #high = 0
  #place = -1

  /** The hash of the version that is known to be live in the store; 0: not known. */
  versionOf(hash: KeyHash): number {
    this.#look(hash)
    return this.#place < 0 ? 0 : (this.#words[this.#place + VERSIONS] ?? 0)
  }

  /** `version`: never 0. */
  add(hash: KeyHash, version: number): void {
    this.#look(hash)
    if (this.#place < 0) {
      this.#place = this.#placeForNew()
      this.#words[this.#place] = this.#low
      this.#words[this.#place + HIGHS] = this.#high
    }
    this.#words[this.#place + VERSIONS] = version
  }

  remove(hash: KeyHash): void {
    this.#look(hash)
    if (this.#place >= 0) this.#words[this.#place + VERSIONS] = 0
    this.#place = -1
  }

  #placeForNew(): number {
    const words = this.#words
    const end = this.#bucket + PLACES
    for (let place = this.#bucket; place < end; place++) if (words[place + VERSIONS] === 0) return place
    return this.#bucket + (this.#high % PLACES)
  }

  /** A write looks its key up several times in a row. */
  #look({ key, a, b }: KeyHash): void {
    if (key === this.#key) return
    this.#key = key
    this.#bucket = (mix(a) & (BUCKETS - 1)) * BUCKET_WORDS
    this.#low = mix(b) >>> 0
    this.#high = mix(a ^ 0x5bd1e995) >>> 0
    this.#place = -1
    const words = this.#words
    const end = this.#bucket + PLACES
    for (let place = this.#bucket; place < end; place++) {
      if (words[place] !== this.#low || words[place + HIGHS] !== this.#high || words[place + VERSIONS] === 0) continue
      this.#place = place
      return
    }
  }
}
