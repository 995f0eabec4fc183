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
 * from outside. Bytes are copied in and out.
 */

import type { Key } from '../protocol/ids.js'

/** 4 hash, 4 value bytes, 2 key bytes. */
const HEADER_BYTES = 10
/** One place in the index for so many bytes of the ring: about two for each small record. */
const BYTES_PER_PLACE = 64
const BYTES_MIN = 65_536
const BYTES_MAX = 1_073_741_824

export class RecordCache {
  readonly #ring: Buffer
  /** By hash: where the entry was appended, counted since the beginning, plus one; 0: nothing. */
  readonly #places: Float64Array
  /** Bytes ever appended. */
  #written = 0

  /** Shape: `bytes` below 65,536 keep nothing; never more than 1 GiB. */
  constructor(bytes: number) {
    const capacity = bytes < BYTES_MIN ? 0 : Math.min(bytes, BYTES_MAX)
    this.#ring = Buffer.allocUnsafeSlow(capacity)
    this.#places = new Float64Array(capacity === 0 ? 1 : 2 ** Math.ceil(Math.log2(capacity / BYTES_PER_PLACE)))
  }

  /** A copy of the record's bytes; undefined: it is not here. */
  get(key: Key): Buffer | undefined {
    const at = this.#find(key, hashOf(key))
    if (at < 0) return undefined
    const from = at + HEADER_BYTES + key.length
    const bytes = this.#ring.readUInt32LE(at + 4)
    const copy = Buffer.allocUnsafe(bytes)
    this.#ring.copy(copy, 0, from, from + bytes)
    return copy
  }

  /** Keeps what was read. */
  put(key: Key, record: Uint8Array): void {
    const hash = hashOf(key)
    const needed = HEADER_BYTES + key.length + record.length
    // A record that would push out much of the rest is not worth it.
    if (needed > this.#ring.length / 16) return this.#forget(hash)
    let at = this.#written % this.#ring.length
    if (at + needed > this.#ring.length) {
      this.#written += this.#ring.length - at
      at = 0
    }
    const ring = this.#ring
    this.#places[hash & (this.#places.length - 1)] = this.#written + 1
    this.#written += needed
    ring.writeInt32LE(hash, at)
    ring.writeUInt32LE(record.length, at + 4)
    ring.writeUInt16LE(key.length, at + 8)
    const body = at + HEADER_BYTES
    for (let index = 0; index < key.length; index++) ring[body + index] = key.charCodeAt(index)
    ring.set(record, body + key.length)
  }

  /** What was written has been accepted: replaces what is here of the key, and adds nothing. */
  replace(key: Key, record: Uint8Array): void {
    if (this.#written === 0) return
    const at = this.#find(key, hashOf(key))
    if (at < 0) return
    // In place where it fits, so that what is written often does not push out the rest.
    if (this.#ring.readUInt32LE(at + 4) === record.length) this.#ring.set(record, at + HEADER_BYTES + key.length)
    else this.put(key, record)
  }

  /** The key's record is not what is here any more, or may not be. */
  drop(key: Key): void {
    this.#forget(hashOf(key))
  }

  #forget(hash: number): void {
    this.#places[hash & (this.#places.length - 1)] = 0
  }

  /** Where the key's entry begins in the ring; -1: it is not there, or was overwritten. */
  #find(key: Key, hash: number): number {
    const appended = (this.#places[hash & (this.#places.length - 1)] as number) - 1
    const ring = this.#ring
    if (appended < 0 || appended < this.#written - ring.length) return -1
    const at = appended % ring.length
    if (ring.readInt32LE(at) !== hash || ring.readUInt16LE(at + 8) !== key.length) return -1
    const body = at + HEADER_BYTES
    for (let index = 0; index < key.length; index++) if (ring[body + index] !== key.charCodeAt(index)) return -1
    return at
  }
}

/** FNV-1a, finished by MurmurHash3's mixer. */
function hashOf(key: Key): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
