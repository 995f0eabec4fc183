/**
 * Records that were read or written lately, as their stored bytes, beside LevelDB's own cache of blocks. A hit costs a
 * tenth of a read of LevelDB through its binding.
 *
 * A ring: entries are appended, and the oldest are overwritten. Not a `Map` of objects: some ten thousand small arrays for
 * each node would be walked by every collection of garbage; one buffer and one index are never looked at. Pages that
 * were never written take no memory.
 *
 * It must never show anything but what LevelDB has accepted: the store puts in what it read, and replaces what it wrote
 * once that was accepted. There is one reader and one writer, the node's own thread, so nothing needs to be invalidated
 * from outside. Bytes are copied in and out: what lies in the ring is overwritten.
 */

import type { Key } from '../protocol/ids.js'
import { aligned, RECORD_ALIGNMENT, type RecordSlab } from './record-slab.js'

/** In words: hash, record bytes, key chars. The key follows, then the record, each from a multiple of a word on. */
const HEADER_BYTES = 3 * RECORD_ALIGNMENT
const [RECORD_BYTES, KEY_CHARS] = [1, 2]
/** Longer ones are copied by the runtime, whose call needs a view of its own first. */
const WORDWISE_BYTES_MAX = 512
/** One place in the index for so many bytes of the ring: about two for each small record. */
const BYTES_PER_PLACE = 64
/**
 * Places that a key may have. Where there are too few, keys push each other out, and each time one comes back it is appended anew, which
 * pushes out the rest: with one place a tenth of all reads missed what the ring had room for, with four and a tag of seven bits
 * a twentieth, with eight and fifteen bits a thousandth.
 */
const WAYS = 8
/** What is smaller keeps nothing. */
export const RECORD_CACHE_BYTES_MIN = 65_536
const BYTES_MAX = 1_073_741_824

export class RecordCache {
  readonly #ring: Buffer
  /** The same, as words. */
  readonly #words: Int32Array
  /** By hash, some to a bucket: where the entry was appended, counted since the beginning. */
  readonly #places: Float64Array
  /** Of each place: some bits of the hash, no two alike in a bucket; 0: nothing is there. */
  readonly #tags: Uint16Array
  readonly #bucketMask: number
  /** Bytes ever appended. */
  #written = 0
  /** Of those, when the ring's first byte was written last. */
  #lapFrom = 0
  #hashes = new Int32Array(0)
  /** Of no meaning: what nobody uses would not be looked at. */
  seen = 0

  /** Shape: `bytes` below 65,536 keep nothing; never more than 1 GiB. */
  constructor(bytes: number) {
    const capacity = bytes < RECORD_CACHE_BYTES_MIN ? 0 : Math.min(bytes, BYTES_MAX) & -RECORD_ALIGNMENT
    this.#ring = Buffer.allocUnsafeSlow(capacity)
    this.#words = new Int32Array(this.#ring.buffer, 0, capacity / RECORD_ALIGNMENT)
    const buckets = capacity === 0 ? 1 : 2 ** Math.ceil(Math.log2(capacity / BYTES_PER_PLACE / WAYS))
    this.#places = new Float64Array(buckets * WAYS)
    this.#tags = new Uint16Array(buckets * WAYS)
    this.#bucketMask = buckets - 1
  }

  /** Where the record is; −1: it is not here. Holds until the next `put` or `replace`. */
  find(key: Key, hash = hashOf(key)): number {
    return this.#find(key, hash)
  }

  /**
   * The hashes of keys that are looked for next. Where their entries would be is looked at as well, all before the first is needed: so
   * the processor waits for the memory of several at a time. Holds until the next call.
   */
  prepare(keys: readonly Key[]): Int32Array {
    if (this.#hashes.length < keys.length) this.#hashes = new Int32Array(keys.length)
    const hashes = this.#hashes
    for (let index = 0; index < keys.length; index++) hashes[index] = hashOf(keys[index] as Key)
    let seen = 0
    for (let index = 0; index < keys.length; index++) seen ^= this.#look(hashes[index] as number)
    this.seen = seen
    return hashes
  }

  #look(hash: number): number {
    const place = this.#placeOf(hash)
    const appended = place < 0 ? -1 : (this.#places[place] as number)
    return appended < this.#oldest ? 0 : (this.#words[this.#offsetOf(appended) / RECORD_ALIGNMENT] as number)
  }

  /** Bytes of what was found. */
  bytesAt(place: number): number {
    return this.#words[place / RECORD_ALIGNMENT + RECORD_BYTES] as number
  }

  /** A word of what was found. */
  wordAt(place: number, word: number): number {
    return this.#words[this.#bodyOf(place) / RECORD_ALIGNMENT + word] as number
  }

  /** Copies what was found, but its first `skipped` bytes (whole words), to `to`, where `slab` has room for it. */
  copyTo(slab: RecordSlab, to: number, place: number, skipped = 0): void {
    const bytes = this.bytesAt(place) - skipped
    const from = this.#bodyOf(place) + skipped
    if (bytes > WORDWISE_BYTES_MAX) return slab.bytes.set(this.#ring.subarray(from, from + bytes), to)
    const words = this.#words
    const target = slab.words
    const last = aligned(bytes) / RECORD_ALIGNMENT
    const [source, begin] = [from / RECORD_ALIGNMENT, to / RECORD_ALIGNMENT]
    for (let word = 0; word < last; word++) target[begin + word] = words[source + word] as number
  }

  /** Keeps what was read. */
  put(key: Key, record: Uint8Array): void {
    const hash = hashOf(key)
    if (this.#overwrite(this.#find(key, hash), record)) return
    const needed = HEADER_BYTES + aligned(key.length) + aligned(record.length)
    // A record that would push out much of the rest is not worth it.
    if (needed > this.#ring.length / 16) return this.#forget(hash)
    let at = this.#written - this.#lapFrom
    if (at + needed > this.#ring.length) {
      this.#lapFrom += this.#ring.length
      this.#written = this.#lapFrom
      at = 0
    }
    const ring = this.#ring
    const place = this.#placeFor(hash)
    this.#places[place] = this.#written
    this.#tags[place] = tagOf(hash)
    this.#written += needed
    const header = at / RECORD_ALIGNMENT
    this.#words[header] = hash
    this.#words[header + RECORD_BYTES] = record.length
    this.#words[header + KEY_CHARS] = key.length
    for (let index = 0; index < key.length; index++) ring[at + HEADER_BYTES + index] = key.charCodeAt(index)
    ring.set(record, this.#bodyOf(at))
  }

  /** What was written has been accepted: replaces what is here of the key, and adds nothing. */
  replace(key: Key, record: Uint8Array): void {
    if (this.#written === 0) return
    if (this.#find(key, hashOf(key)) >= 0) this.put(key, record)
  }

  /** In place where it fits, so that what changes often does not push out the rest. */
  #overwrite(at: number, record: Uint8Array): boolean {
    if (at < 0 || aligned(this.bytesAt(at)) !== aligned(record.length)) return false
    this.#words[at / RECORD_ALIGNMENT + RECORD_BYTES] = record.length
    this.#ring.set(record, this.#bodyOf(at))
    return true
  }

  /** The key's record is not what is here any more, or may not be. */
  drop(key: Key): void {
    this.#forget(hashOf(key))
  }

  #forget(hash: number): void {
    const place = this.#placeOf(hash)
    if (place >= 0) this.#tags[place] = 0
  }

  /** Of the one entry in its bucket that may be the key's; −1: there is none. */
  #placeOf(hash: number): number {
    const from = (hash & this.#bucketMask) * WAYS
    const tag = tagOf(hash)
    for (let place = from; place < from + WAYS; place++) if (this.#tags[place] === tag) return place
    return -1
  }

  /** For a new entry: that of the one with the same tag, a free one, or the oldest. */
  #placeFor(hash: number): number {
    const same = this.#placeOf(hash)
    if (same >= 0) return same
    const from = (hash & this.#bucketMask) * WAYS
    let chosen = from
    for (let place = from; place < from + WAYS; place++) {
      if (this.#tags[place] === 0) return place
      if ((this.#places[place] as number) < (this.#places[chosen] as number)) chosen = place
    }
    return chosen
  }

  /** What was appended before is overwritten. */
  get #oldest(): number {
    return Math.max(0, this.#written - this.#ring.length)
  }

  /** Where in the ring the bytes are that were appended then, if they are still there. */
  #offsetOf(appended: number): number {
    const at = appended - this.#lapFrom
    return at < 0 ? at + this.#ring.length : at
  }

  /** Where the record of the entry at `at` begins. */
  #bodyOf(at: number): number {
    return at + HEADER_BYTES + aligned(this.#words[at / RECORD_ALIGNMENT + KEY_CHARS] as number)
  }

  /** Where the key's entry begins in the ring; -1: it is not there, or was overwritten. */
  #find(key: Key, hash: number): number {
    const place = this.#placeOf(hash)
    if (place < 0) return -1
    const appended = this.#places[place] as number
    const ring = this.#ring
    if (appended < this.#oldest) return -1
    const at = this.#offsetOf(appended)
    const header = at / RECORD_ALIGNMENT
    if (this.#words[header] !== hash || this.#words[header + KEY_CHARS] !== key.length) return -1
    const body = at + HEADER_BYTES
    for (let index = 0; index < key.length; index++) if (ring[body + index] !== key.charCodeAt(index)) return -1
    return at
  }
}

/** Bits that the bucket is not chosen by. Never 0. */
function tagOf(hash: number): number {
  return 1 + (hash >>> 17)
}

/** FNV-1a, finished by MurmurHash3's mixer. */
export function hashOf(key: Key): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
