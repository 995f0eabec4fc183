/**
 * A writer that grows and a reader that never reads past its end, for the formats of this folder. Their notation is in
 * `record-codec.ts`.
 *
 * Called by the codecs, off the hot path of plain `lww` records.
 */

/** The reader was asked for more than there is: what is read was not written by the matching writer. */
export class CutShort extends Error {
  override readonly name = 'CutShort'
}

const FIRST_BYTES = 256

/** Appends to a buffer that doubles when it is full. */
export class ByteWriter {
  bytes = Buffer.allocUnsafe(FIRST_BYTES)
  /** Bytes written. */
  length = 0

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const needed = this.length + count
    if (needed <= this.bytes.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.bytes.length))
    larger.set(this.bytes.subarray(0, this.length))
    this.bytes = larger
  }

  byte(value: number): void {
    this.reserve(1)
    this.bytes[this.length++] = value
  }

  float(value: number): void {
    this.reserve(8)
    this.length = this.bytes.writeDoubleLE(value, this.length)
  }

  count(value: number): void {
    this.reserve(5)
    this.length = writeCount(value, this.bytes, this.length)
  }

  text(value: string): void {
    this.reserve(5 + 2 * value.length)
    this.length = writeText(value, this.bytes, this.length)
  }

  raw(value: Uint8Array): void {
    this.reserve(value.length)
    this.bytes.set(value, this.length)
    this.length += value.length
  }

  /** What was written, and `extra` reserved bytes after it. */
  taken(extra = 0): Buffer {
    this.reserve(extra)
    return this.bytes.subarray(0, this.length + extra)
  }
}

/** Reads `bytes` from `at` up to `end`. Errors: CutShort. */
export class ByteReader {
  constructor(
    readonly bytes: Uint8Array,
    public at: number,
    readonly end: number,
  ) {}

  /** Moves on by `count` bytes. Shape: where it stood. */
  skip(count: number): number {
    const from = this.at
    if (count > this.end - from) throw new CutShort('the bytes end too early')
    this.at = from + count
    return from
  }

  byte(): number {
    return this.bytes[this.skip(1)] as number
  }

  float(): number {
    const from = this.skip(8)
    return new DataView(this.bytes.buffer, this.bytes.byteOffset + from, 8).getFloat64(0, true)
  }

  count(): number {
    let value = 0
    for (let scale = 1; scale <= 2 ** 28; scale *= 128) {
      const byte = this.byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
    throw new CutShort('a count has at most five bytes')
  }

  text(): string {
    const code = this.count()
    const chars = Math.floor(code / 2)
    const isWide = code % 2 === 1
    const from = this.skip(isWide ? 2 * chars : chars)
    const buffer = Buffer.from(this.bytes.buffer, this.bytes.byteOffset + from, this.at - from)
    return isWide ? buffer.toString('utf16le') : buffer.toString('latin1')
  }

  /** A view of the next `count` bytes. */
  raw(count: number): Uint8Array {
    const from = this.skip(count)
    return new Uint8Array(this.bytes.buffer, this.bytes.byteOffset + from, count)
  }
}

/** Writes any string so that it comes back the same, half surrogate pairs included. Shape: the offset after it. */
function writeText(text: string, bytes: Buffer, at: number): number {
  const isWide = !isLatin1(text, 0, text.length)
  const from = writeCount(2 * text.length + (isWide ? 1 : 0), bytes, at)
  return from + (isWide ? bytes.write(text, from, 'utf16le') : bytes.write(text, from, 'latin1'))
}

/** True if the chars `from` … `to` − 1 are all below 256. */
function isLatin1(text: string, from: number, to: number): boolean {
  for (let index = from; index < to; index++) if (text.charCodeAt(index) > 255) return false
  return true
}

/** LEB128; up to 2^35 − 1. Shape: the offset after it. */
function writeCount(value: number, bytes: Buffer, at: number): number {
  let left = value
  let to = at
  for (; left >= 128; left = Math.floor(left / 128)) bytes[to++] = (left % 128) | 128
  bytes[to++] = left
  return to
}
