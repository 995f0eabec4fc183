/**
 * A stamp in 11 bytes and its actor, and back to the identical string, fast: this runs for every record read or written.
 *
 * Only what `makeStamp` makes is packed (16 and 4 lowercase hex digits, two dots, an actor of latin1 chars); every other
 * string is kept as a text, so that nothing is ever changed on its way through a store. The layout is in `record-codec.ts`.
 *
 * Called by the record codec only.
 */

import type { Stamp } from '../protocol/versions/stamp.js'
import { isLatin1 } from './byte-cursors.js'

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

/** Bytes of the packed stamp; 0 if it must be kept as a text. */
export function packedBytesOf(stamp: Stamp): number {
  return isFramed(stamp) ? PACKED_BYTES + stamp.length - FRAME_CHARS : 0
}

/** Writes a stamp that `packedBytesOf` said can be packed. Shape: the offset after it. */
export function packStamp(stamp: Stamp, bytes: Buffer, at: number): number {
  const actorLength = stamp.length - FRAME_CHARS
  bytes[at] = actorLength
  for (let index = 0; index < 8; index++) bytes[at + 1 + index] = hexByte(stamp, 2 * index)
  bytes[at + 9] = hexByte(stamp, stamp.length - 4)
  bytes[at + 10] = hexByte(stamp, stamp.length - 2)
  for (let index = 0; index < actorLength; index++) bytes[at + PACKED_BYTES + index] = stamp.charCodeAt(17 + index)
  return at + PACKED_BYTES + actorLength
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

/** True if packing and unpacking gives the same string again. */
function isFramed(stamp: Stamp): boolean {
  const last = stamp.length - 5
  if (last < 17 || last - 17 > ACTOR_LENGTH_MAX) return false
  if (stamp.charCodeAt(16) !== DOT || stamp.charCodeAt(last) !== DOT) return false
  return isHex(stamp, 0, 16) && isHex(stamp, last + 1, last + 5) && isLatin1(stamp, 17, last)
}

function isHex(text: string, from: number, to: number): boolean {
  for (let index = from; index < to; index++) {
    const code = text.charCodeAt(index)
    if (code > 255 || DIGIT_OF[code] === NOT_HEX) return false
  }
  return true
}

function hexByte(text: string, at: number): number {
  return ((DIGIT_OF[text.charCodeAt(at)] as number) << 4) | (DIGIT_OF[text.charCodeAt(at + 1)] as number)
}

function writeHex(at: number, byte: number): number {
  scratch[at] = CODE_OF[byte >>> 4] as number
  scratch[at + 1] = CODE_OF[byte & 15] as number
  return at + 2
}
