/**
 * Remembers, in bounded memory, which keys are known to be live in the store, and in which version, so that a write that is newer
 * than anything there need not read first: all that it would learn is whether the count of live keys changes, and what
 * leaves the Merkle tree.
 *
 * Buckets of four places: a fingerprint of 64 bits and a version hash of 32. A full bucket forgets one of its keys (then the
 * store is read). With the 10 or 17 bits that choose the bucket a key is known by 74 bits or more: two keys are not taken for one.
 * Four places a bucket, because with one, a table that is a quarter full has already forgotten a tenth of its keys.
 * Called by `Replica`.
 */

import type { Key } from './ids.js'
import { type KeyHash, mix } from './key-hash.js'

/** 48 KiB, for a node that knows few keys; once they are half full, 6 MiB. */
const BUCKETS_FEW = 1 << 10
const BUCKETS_ALL = 1 << 17
const PLACES = 4
/** A bucket is twelve words: four low halves of fingerprints, four high ones, four versions. One line of the processor's cache, or two. */
const HIGHS = PLACES
const VERSIONS = 2 * PLACES
const BUCKET_WORDS = 3 * PLACES

export class LiveKeyFilter {
  #words = new Uint32Array(BUCKETS_FEW * BUCKET_WORDS)
  #buckets = BUCKETS_FEW
  /** Places that are taken. */
  #known = 0
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
      if (this.#known * 2 >= this.#buckets * PLACES && this.#buckets < BUCKETS_ALL) this.#grow(hash)
      this.#place = this.#placeForNew()
      this.#words[this.#place] = this.#low
      this.#words[this.#place + HIGHS] = this.#high
    }
    this.#words[this.#place + VERSIONS] = version
  }

  remove(hash: KeyHash): void {
    this.#look(hash)
    if (this.#place >= 0) {
      this.#words[this.#place + VERSIONS] = 0
      this.#known -= 1
    }
    this.#place = -1
  }

  /** Forgets all: what chose a key's bucket is not kept, so it cannot be moved. */
  #grow(hash: KeyHash): void {
    this.#buckets = BUCKETS_ALL
    this.#words = new Uint32Array(BUCKETS_ALL * BUCKET_WORDS)
    this.#known = 0
    this.#key = undefined
    this.#look(hash)
  }

  #placeForNew(): number {
    const words = this.#words
    const end = this.#bucket + PLACES
    for (let place = this.#bucket; place < end; place++) {
      if (words[place + VERSIONS] !== 0) continue
      this.#known += 1
      return place
    }
    return this.#bucket + (this.#high % PLACES)
  }

  /** A write looks its key up several times in a row. */
  #look({ key, a, b }: KeyHash): void {
    if (key === this.#key) return
    this.#key = key
    this.#bucket = (mix(a) & (this.#buckets - 1)) * BUCKET_WORDS
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
