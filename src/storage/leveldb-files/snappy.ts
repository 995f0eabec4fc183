/**
 * Decompresses Snappy's raw format. Needed for index blocks only, which say where a table's other blocks are; data blocks are
 * checked by their checksum, compressed as they lie. A native package for some kilobytes a table would be one too many.
 *
 * The input must have passed its checksum: a wrong one is refused, not repaired.
 *
 * Source: google/snappy, format_description.txt.
 */
import { Cursor } from './cursor.js'
import { Damage } from './damage.js'

/** A three-byte copy gives 64 bytes at most. */
const RATIO_MAX = 24

/** Errors: throws Damage('format'). */
export function decompressSnappy(compressed: Uint8Array): Uint8Array {
  const input = new Cursor(compressed)
  const length = input.varint()
  if (length > compressed.length * RATIO_MAX) throw new Damage('format', 'a compressed block claims too many bytes')
  const output = new Uint8Array(length)
  let written = 0
  while (!input.atEnd) {
    const tag = littleEndian(input.take(1))
    if ((tag & 3) === 0) {
      const literal = input.take(literalLength(input, tag))
      if (literal.length > length - written) throw new Damage('format', 'a compressed block is too long')
      output.set(literal, written)
      written += literal.length
      continue
    }
    const copy = readCopy(input, tag)
    if (copy.offset === 0 || copy.offset > written || copy.length > length - written) {
      throw new Damage('format', 'a compressed block copies from outside itself')
    }
    // Byte by byte: a copy may read what it has just written.
    for (let at = 0; at < copy.length; at++) output[written + at] = output[written + at - copy.offset] ?? 0
    written += copy.length
  }
  if (written !== length) throw new Damage('format', 'a compressed block is too short')
  return output
}

function literalLength(input: Cursor, tag: number): number {
  const short = tag >>> 2
  return 1 + (short < 60 ? short : littleEndian(input.take(short - 59)))
}

function readCopy(input: Cursor, tag: number): { offset: number; length: number } {
  if ((tag & 3) === 1) {
    return { offset: ((tag >>> 5) << 8) | littleEndian(input.take(1)), length: 4 + ((tag >>> 2) & 7) }
  }
  return { offset: littleEndian(input.take((tag & 3) === 2 ? 2 : 4)), length: 1 + (tag >>> 2) }
}

function littleEndian(bytes: Uint8Array): number {
  return bytes.reduceRight((value, byte) => value * 256 + byte, 0)
}
