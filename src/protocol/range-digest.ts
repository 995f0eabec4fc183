/** A short text that is equal for equal contents of a range of keys. Called by fills that have a copy already, and by whom they read from. */

import type { Key } from './ids.js'
import { type VersionRecord, versionText } from './versions/record.js'

/** Two 32-bit FNV-1a lanes over keys and versions, in key order. Not cryptographic: both sides are ours. */
export function digestOf(records: ReadonlyMap<Key, VersionRecord>): string {
  let a = 0x811c9dc5
  let b = 0x1b873593
  for (const [key, record] of records) {
    const text = `${key}\u0000${versionText(record)}\u0001`
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index)
      a = Math.imul(a ^ code, 0x01000193)
      b = Math.imul(b ^ code, 0x85ebca6b) ^ (b >>> 13)
    }
  }
  return `${(a >>> 0).toString(16)}-${(b >>> 0).toString(16)}-${records.size}`
}
