/**
 * An lww record as it is stored, its stamp and value decoded only when somebody asks: most records that are read are
 * carried from the store through two threads to the program, and nobody on the way looks at their stamps.
 *
 * It keeps a reference to `bytes`, which must not be changed any more. Made by the record codec, the stores and the wire, of
 * bytes whose checksum was right.
 */

import type { LwwRecord } from '../protocol/versions/record.js'
import type { Stamp } from '../protocol/versions/stamp.js'
import { packedStampBytes, TEXT_STAMP, unpackStamp } from './stamp-codec.js'

export const FLAG_TOMBSTONE = 2
/** Format and flags. */
export const HEADER_BYTES = 2

export class PackedLww implements LwwRecord {
  readonly kind = 'lww'
  /** The record lies from `from` to before `end`, without its checksum. */
  readonly bytes: Uint8Array
  readonly from: number
  readonly end: number
  #stamp: Stamp | undefined = undefined

  constructor(bytes: Uint8Array, from: number, end: number) {
    this.bytes = bytes
    this.from = from
    this.end = end
  }

  get stamp(): Stamp {
    const at = this.from + HEADER_BYTES
    this.#stamp ??= unpackStamp(this.bytes, at, this.bytes[at] as number)
    return this.#stamp
  }

  /** A view. */
  get value(): Uint8Array | null {
    const { bytes, from, end } = this
    if (bytes[from + 1] === FLAG_TOMBSTONE) return null
    const body = from + HEADER_BYTES + packedStampBytes(bytes, from + HEADER_BYTES)
    // Not `subarray`, which looks up whose kind to make.
    return new Uint8Array(bytes.buffer, bytes.byteOffset + body, end - body)
  }

  /** As every other record of the kind. */
  toJSON(): LwwRecord {
    const { kind, stamp, value } = this
    return { kind, stamp, value }
  }

  hasStampOf(other: LwwRecord): boolean {
    if (!(other instanceof PackedLww)) return this.stamp === other.stamp
    const { bytes, from } = this
    const length = packedStampBytes(bytes, from + HEADER_BYTES)
    for (let index = HEADER_BYTES; index < HEADER_BYTES + length; index++) {
      if (bytes[from + index] !== other.bytes[other.from + index]) return false
    }
    return true
  }
}

/** Is what lies there, but for its checksum, an lww record with a packed stamp? */
export function isPackedLww(bytes: Uint8Array, from: number, end: number): boolean {
  const flags = bytes[from + 1]
  if (flags !== 0 && flags !== FLAG_TOMBSTONE) return false
  const at = from + HEADER_BYTES
  return at < end && bytes[at] !== TEXT_STAMP && at + packedStampBytes(bytes, at) <= end
}
