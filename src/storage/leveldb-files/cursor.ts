/**
 * Reads LevelDB's variable-length numbers and length-prefixed strings from a byte array, front to back.
 *
 * Numbers are JavaScript numbers: offsets, sizes and file numbers beyond 2^53 do not occur, and one that is read is damage.
 *
 * Source: leveldb 1.20, util/coding.h.
 */
import { Damage } from './damage.js'

/** Ten groups of seven bits hold 64 bits. */
const VARINT_BYTES_MAX = 10

export class Cursor {
  readonly bytes: Uint8Array
  position = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get atEnd(): boolean {
    return this.position >= this.bytes.length
  }

  /** Only the shortest encoding passes: a footer has no checksum, and this leaves a flipped bit no place to hide in. */
  varint(): number {
    let value = 0
    let scale = 1
    for (let count = 1; count <= VARINT_BYTES_MAX; count++) {
      const byte = this.bytes[this.position]
      if (byte === undefined) throw new Damage('format', 'a number is cut off')
      this.position++
      value += (byte & 0x7f) * scale
      scale *= 128
      if (byte < 0x80) {
        if (byte === 0 && count > 1) throw new Damage('format', 'a number is not in its shortest form')
        if (!Number.isSafeInteger(value)) throw new Damage('format', 'a number is beyond 2^53')
        return value
      }
    }
    throw new Damage('format', 'a number is longer than 64 bits')
  }

  take(length: number): Uint8Array {
    if (length > this.bytes.length - this.position) throw new Damage('format', 'a string is cut off')
    const taken = this.bytes.subarray(this.position, this.position + length)
    this.position += length
    return taken
  }

  lengthPrefixed(): Uint8Array {
    return this.take(this.varint())
  }
}
