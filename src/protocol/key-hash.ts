/**
 * Two 32-bit hashes of a key, in place: the hot path hashes each key once and makes no garbage.
 *
 * FNV-1a and a second multiplicative hash, neither finished: who uses them mixes them (`mix`). Called by `Replica`'s machines and
 * by whoever must find a key's leaf.
 */

import type { Key } from './ids.js'

export class KeyHash {
  /** Of the key hashed last. */
  key: Key = ''
  a = 0x811c9dc5
  b = 0x9e3779b9 | 0

  of(key: Key): this {
    // A put looks its key up several times in a row.
    if (key === this.key) return this
    let a = 0x811c9dc5
    let b = 0x9e3779b9
    for (let index = 0; index < key.length; index++) {
      const code = key.charCodeAt(index)
      a = Math.imul(a ^ code, 0x01000193)
      b = Math.imul(b + code, 0x85ebca6b) ^ (b >>> 15)
    }
    this.key = key
    this.a = a
    this.b = b | 0
    return this
  }
}

/** MurmurHash3's finisher: every bit of the input reaches every bit of the output. */
export function mix(hash: number): number {
  let mixed = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
