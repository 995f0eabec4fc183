/**
 * Values that this thread has read, kept by it: a `get` of one of them asks no node. (Hazelcast and Infinispan call it a near cache,
 * Redis client-side caching.)
 *
 * It shows nothing that the replicas would not answer at that moment: every write of any thread to a key is seen in shared memory
 * before it is acknowledged (`WriteMarks`), there are no invalidations that could be late or lost. What was read from r replicas
 * answers reads of as many or fewer.
 *
 * What is kept lies in a ring of bytes (`RecordCache`): bounded, and nothing that a collection of garbage would walk.
 *
 * Called by the client, before a read is sent and when its answer comes.
 */

import type { Epoch, Key } from './protocol/ids.js'
import { hashOf, RecordCache } from './storage/record-cache.js'
import { RecordSlab } from './storage/record-slab.js'
import type { WriteMarks } from './storage/write-marks.js'

/** Not here, or not any more. */
export const MISSED = Symbol('missed')

/** In words, before the value. The last: twice r, and one more if there was no such key. */
const [COUNT, GENERATION, EPOCH, REPLICAS] = [0, 1, 2, 3]
const HEADER_WORDS = 4
const HEADER_BYTES = HEADER_WORDS * Int32Array.BYTES_PER_ELEMENT
/** Small values share a buffer, as they do in Node's pool; larger ones have their own. */
const SLAB_BYTES = 8_192
const SLAB_VALUE_BYTES_MAX = SLAB_BYTES / 2

/** Taken before the replicas are asked: what the answer is kept under. Count −1: it is not to be kept. */
export interface ReadMark {
  readonly count: number
  readonly generation: number
  /** Of the table by which owners are asked. */
  readonly epoch: Epoch
}

export class NearCache {
  readonly #cache: RecordCache
  readonly #marks: WriteMarks
  readonly #slab = new RecordSlab(SLAB_BYTES)
  readonly #valueBytesMax: number
  readonly #scratch: Uint8Array
  readonly #header: Int32Array

  /** Shape: `bytes` as of `RecordCache`. */
  constructor(bytes: number, marks: WriteMarks) {
    this.#cache = new RecordCache(bytes)
    this.#marks = marks
    // The cache keeps nothing that is a larger share of it.
    this.#valueBytesMax = Math.max(0, Math.floor(bytes / 16) - HEADER_BYTES)
    this.#scratch = new Uint8Array(HEADER_BYTES + Math.min(this.#valueBytesMax, SCRATCH_BYTES_MAX))
    this.#header = new Int32Array(this.#scratch.buffer, 0, HEADER_WORDS)
  }

  /** See `RecordCache.prepare`. */
  prepare(keys: readonly Key[]): Int32Array {
    return this.#cache.prepare(keys)
  }

  /**
   * A copy of the value, which is the caller's; undefined: there is no such key. `r` 0 (`MAJORITY`): what a majority is follows the
   * owners that there are.
   */
  find(key: Key, r: number, epoch: Epoch, hash = hashOf(key)): Uint8Array | undefined | typeof MISSED {
    const place = this.#cache.find(key, hash)
    if (place < 0) return MISSED
    const cache = this.#cache
    const replicas = cache.wordAt(place, REPLICAS)
    if (!isEnough(replicas >> 1, r) || cache.wordAt(place, EPOCH) !== epoch) return MISSED
    if (cache.wordAt(place, COUNT) !== this.#marks.countOf(hash)) return MISSED
    if (cache.wordAt(place, GENERATION) !== this.#marks.generation) return MISSED
    return (replicas & 1) === 1 ? undefined : this.#copyOf(place)
  }

  #copyOf(place: number): Uint8Array {
    const slab = this.#slab
    const bytes = this.#cache.bytesAt(place) - HEADER_BYTES
    if (bytes > SLAB_VALUE_BYTES_MAX) {
      const alone = new RecordSlab(bytes)
      this.#cache.copyTo(alone, alone.take(bytes), place, HEADER_BYTES)
      return Buffer.from(alone.bytes.buffer, 0, bytes)
    }
    const at = slab.take(bytes)
    this.#cache.copyTo(slab, at, place, HEADER_BYTES)
    return Buffer.from(slab.bytes.buffer, at, bytes)
  }

  markOf(key: Key, epoch: Epoch): ReadMark {
    return { epoch, generation: this.#marks.generation, count: this.#marks.countAtRest(hashOf(key)) }
  }

  /** Keeps what r replicas have answered, for as long as nothing changes. */
  keep(key: Key, r: number, mark: ReadMark, value: Uint8Array | undefined): void {
    const bytes = value?.length ?? 0
    if (mark.count < 0 || bytes > this.#valueBytesMax || bytes > SCRATCH_BYTES_MAX) return
    this.#header[COUNT] = mark.count
    this.#header[GENERATION] = mark.generation
    this.#header[EPOCH] = mark.epoch
    this.#header[REPLICAS] = 2 * r + (value === undefined ? 1 : 0)
    if (value !== undefined) this.#scratch.set(value, HEADER_BYTES)
    this.#cache.put(key, this.#scratch.subarray(0, HEADER_BYTES + bytes))
  }
}

/** A number of replicas says nothing of a majority, nor a majority of a number. */
function isEnough(kept: number, asked: number): boolean {
  return kept === asked || (kept > asked && asked !== 0)
}

/** Longer values are not kept: copying them costs as much as asking for them. */
const SCRATCH_BYTES_MAX = 65_536
