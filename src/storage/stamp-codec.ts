/**
 * A stamp in 11 bytes and its actor, and back to the identical string, fast: this runs for every record read or written.
 *
 * Only what `makeStamp` makes is packed (16 and 4 lowercase hex digits, two dots, an actor of latin1 chars); every other
 * string is kept as a text, so that nothing is ever changed on its way through a store. The layout is in `record-codec.ts`.
 *
 * Called by the record codec and by packed records.
 */

import type { Stamp } from '../protocol/versions/stamp.js'

/** In place of the actor length: a text follows. */
export const TEXT_STAMP = 255

const ACTOR_LENGTH_MAX = 254
const PACKED_BYTES = 11
/** Hex digits, dots: what a stamp has besides its actor. */
const FRAME_CHARS = 22
const DOT = 0x2e

const NOT_HEX = 16
/** Char code → digit, or NOT_HEX. */
const DIGIT_OF = Uint8Array.from({ length: 256 }, (_, code) => {
  const digit = '0123456789abcdef'.indexOf(String.fromCharCode(code))
  return digit === -1 ? NOT_HEX : digit
})
const CODE_OF = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))

/** The text of the stamp being decoded. One native call at its end makes a flat string; 20 concatenations would not. */
const scratch = Buffer.allocUnsafeSlow(FRAME_CHARS + ACTOR_LENGTH_MAX)

/** Bytes of the stamp if it can be packed, which `packStamp` finds out; 0: it must be kept as a text. */
export function packedBytesOf(stamp: Stamp): number {
  const actorLength = stamp.length - FRAME_CHARS
  return actorLength < 0 || actorLength > ACTOR_LENGTH_MAX ? 0 : PACKED_BYTES + actorLength
}

/** Bytes that the stamp packed at `at` takes. */
export function packedStampBytes(bytes: Uint8Array, at: number): number {
  return PACKED_BYTES + (bytes[at] as number)
}

/**
 * Writes a stamp of which `packedBytesOf` gave a number. Shape: the offset after it; −1: packing and unpacking would not give
 * the same string again, so that it must be kept as a text (the bytes are spoilt).
 */
export function packStamp(stamp: Stamp, bytes: Buffer, at: number): number {
  const actorLength = stamp.length - FRAME_CHARS
  const last = stamp.length - 5
  // Looked at together in the end: a digit that is none has bit 4, a char that is not latin1 a bit above 7.
  let digits = 0
  let chars = 0
  bytes[at] = actorLength
  let to = at + 1
  for (let index = 0; index < 16; index += 2) {
    const [high, low] = [stamp.charCodeAt(index), stamp.charCodeAt(index + 1)]
    chars |= high | low
    const [upper, lower] = [DIGIT_OF[high & 255] as number, DIGIT_OF[low & 255] as number]
    digits |= upper | lower
    bytes[to++] = (upper << 4) | lower
  }
  for (let index = last + 1; index < stamp.length; index += 2) {
    const [high, low] = [stamp.charCodeAt(index), stamp.charCodeAt(index + 1)]
    chars |= high | low
    const [upper, lower] = [DIGIT_OF[high & 255] as number, DIGIT_OF[low & 255] as number]
    digits |= upper | lower
    bytes[to++] = (upper << 4) | lower
  }
  for (let index = 17; index < last; index++) {
    const code = stamp.charCodeAt(index)
    chars |= code
    bytes[to++] = code
  }
  const isFramed = stamp.charCodeAt(16) === DOT && stamp.charCodeAt(last) === DOT
  return isFramed && digits < NOT_HEX && chars < 256 ? to : -1
}

/** The stamp packed at `at`, whose actor has `actorLength` bytes. The caller has checked that the bytes are there. */
export function unpackStamp(bytes: Uint8Array, at: number, actorLength: number): Stamp {
  let to = 0
  for (let from = at + 1; from < at + 9; from++) to = writeHex(to, bytes[from] as number)
  scratch[to++] = DOT
  const actor = at + PACKED_BYTES
  for (let from = actor; from < actor + actorLength; from++) scratch[to++] = bytes[from] as number
  scratch[to++] = DOT
  to = writeHex(to, bytes[at + 9] as number)
  to = writeHex(to, bytes[at + 10] as number)
  return scratch.toString('latin1', 0, to)
}

function writeHex(at: number, byte: number): number {
  scratch[at] = CODE_OF[byte >>> 4] as number
  scratch[at + 1] = CODE_OF[byte & 15] as number
  return at + 2
}
