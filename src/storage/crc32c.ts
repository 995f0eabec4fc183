/**
 * CRC32C over parts of buffers and over binary strings, at the speed that small records need.
 *
 * A call into the native addon costs 150 to 250 ns before it looks at the first byte; tables of JavaScript ("slicing by
 * four") take about 1 ns a byte and win below some 250 bytes, which is where most records are. Both give the same sums.
 *
 * Called by the codecs and files of this folder. `leveldb-files/checksum.ts` has LevelDB's masked variant.
 */

import { createRequire } from 'node:module'

/** From here on the native addon is faster, a view's cost included (bench/micro/store-micro.ts). */
export const NATIVE_FROM_BYTES = 256

const TABLES = makeTables()

type NativeCrc32c = (bytes: Uint8Array, initial?: number) => number
let native: NativeCrc32c | undefined

/** Loaded at first use: it costs a thread some 10 ms, and one whose records are small never needs it. */
function crc32c(bytes: Uint8Array, initial: number): number {
  if (native === undefined) {
    const require = createRequire(import.meta.url)
    native = (require('@node-rs/crc32') as { readonly crc32c: NativeCrc32c }).crc32c
  }
  return native(bytes, initial)
}

/**
 * The checksum of bytes `from` … `to` − 1, continuing from `initial`.
 *
 * Shape:  crc32cOf(b, 0, n, crc32cOf(a, 0, m)) is the checksum of a and b together.
 * Units:  0 … 2^32 − 1.
 */
export function crc32cOf(bytes: Uint8Array, from = 0, to = bytes.length, initial = 0): number {
  if (to - from >= NATIVE_FROM_BYTES) return crc32c(bytes.subarray(from, to), initial)
  let crc = ~initial
  let index = from
  for (; index + 3 < to; index += 4) {
    crc ^=
      (bytes[index] as number) |
      ((bytes[index + 1] as number) << 8) |
      ((bytes[index + 2] as number) << 16) |
      ((bytes[index + 3] as number) << 24)
    crc =
      (TABLES[768 + (crc & 255)] as number) ^
      (TABLES[512 + ((crc >>> 8) & 255)] as number) ^
      (TABLES[256 + ((crc >>> 16) & 255)] as number) ^
      (TABLES[crc >>> 24] as number)
  }
  for (; index < to; index++) crc = (crc >>> 8) ^ (TABLES[(crc ^ (bytes[index] as number)) & 255] as number)
  return ~crc >>> 0
}

/** The checksum of a binary string's bytes; of a char above 255 only the low byte counts. */
export function crc32cOfText(text: string, initial = 0): number {
  let crc = ~initial
  for (let index = 0; index < text.length; index++) {
    crc = (crc >>> 8) ^ (TABLES[(crc ^ text.charCodeAt(index)) & 255] as number)
  }
  return ~crc >>> 0
}

/** TABLES[256 t + b]: what byte b does to the sum when t more bytes follow. Polynomial 0x1EDC6F41, reflected. */
function makeTables(): Int32Array {
  const tables = new Int32Array(1024)
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
    tables[byte] = crc
  }
  for (let index = 256; index < 1024; index++) {
    const before = tables[index - 256] as number
    tables[index] = (before >>> 8) ^ (tables[before & 255] as number)
  }
  return tables
}
