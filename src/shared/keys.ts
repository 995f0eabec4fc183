/**
 * Keys at the edge: user strings and bytes to the protocol's binary strings and back (see `protocol/ids.ts`, `Key`).
 *
 * A string that is pure ASCII is its own binary string: the common case costs one scan and no copy.
 */

import { isLogKey } from '../protocol/batch-log/log-keys.js'
import type { Key } from '../protocol/ids.js'
import { CoterieError } from './errors.js'

/** Longest key. */
export const KEY_BYTES_MAX = 65_535

/** Errors: INVALID_KEY for other types, an empty key, a key of more than 65,535 bytes, one of the cluster's own. */
export function keyFromUser(key: string | Uint8Array): Key {
  let result: Key
  if (typeof key === 'string') result = isAscii(key) ? key : Buffer.from(key, 'utf8').toString('latin1')
  else if (key instanceof Uint8Array) result = asBuffer(key).toString('latin1')
  else throw new CoterieError('INVALID_KEY', `a key must be a string or Uint8Array, got ${describe(key)}`)
  if (result.length === 0) throw new CoterieError('INVALID_KEY', 'a key must not be empty')
  if (result.length > KEY_BYTES_MAX) {
    const facts = { keyBytes: result.length, keyBytesMax: KEY_BYTES_MAX }
    throw new CoterieError('INVALID_KEY', `a key has at most ${KEY_BYTES_MAX} bytes, got ${result.length}`, facts)
  }
  if (isLogKey(result))
    throw new CoterieError('INVALID_KEY', "keys that begin so are the cluster's own (logged batches)")
  return result
}

/** A bound of a range: like a key, but may be empty. */
export function boundFromUser(bound: string | Uint8Array): Key {
  return bound.length === 0 && (typeof bound === 'string' || bound instanceof Uint8Array) ? '' : keyFromUser(bound)
}

/** The user's key as bytes. */
export function keyToBytes(key: Key): Uint8Array {
  return Buffer.from(key, 'latin1')
}

/** A value at the edge. Errors: INVALID_VALUE for other types and for more than `valueBytesMax` bytes. */
export function valueFromUser(value: string | Uint8Array, valueBytesMax: number): Uint8Array {
  if (typeof value !== 'string' && !(value instanceof Uint8Array)) {
    throw new CoterieError('INVALID_VALUE', `a value must be a string or Uint8Array, got ${describe(value)}`)
  }
  const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value
  if (bytes.byteLength > valueBytesMax) {
    const facts = { valueBytes: bytes.byteLength, valueBytesMax }
    throw new CoterieError(
      'INVALID_VALUE',
      `a value has at most ${valueBytesMax} bytes, got ${bytes.byteLength}`,
      facts,
    )
  }
  return bytes
}

/** A loop: a call of a regular expression costs more than looking at a short key. */
function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) if (text.charCodeAt(index) > 0x7f) return false
  return true
}

/** A Buffer over the same bytes. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function describe(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value
}
