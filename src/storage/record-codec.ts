/**
 * A record as bytes, and back: what a store keeps under a data key.
 *
 * ```
 * byte 0      format version, 1
 * byte 1      flags: 1 siblings, 2 tombstone (lww only)
 * lww:        stamp, then the value up to the trailer (nothing if tombstone)
 * siblings:   count, then for each entry: actor text, counter f64, count, then for each sibling, newest first:
 *             1 byte (1: tombstone), stamp, count of value bytes, value
 * last 4      CRC32C, little endian, of the key's bytes followed by all bytes before the trailer
 *
 * stamp:      1 byte actor length 0…254, 8 bytes time, 2 bytes index (big endian), actor in latin1; a stamp that
 *             `makeStamp` did not make: 1 byte 255, then a text
 * text:       count of 2 × length + (1 if wide), then latin1, or UTF-16LE if wide
 * count:      LEB128, low 7 bits first
 * ```
 *
 * The key is in the sum, so that a good record under a wrong key (LevelDB returns some when a block is damaged) is
 * damaged too. Whatever is not exactly what `encodeRecord` wrote is `'damaged'`: one flipped bit, a lost tail, a format
 * version that this code does not know (a newer Coterie wrote here; the caller heals from replicas or gives up, but never
 * takes it for absent). Encoding is total: actors may come from a client's forged context and be any string.
 *
 * Called by the stores for every key they read or write. It never keeps a reference to what it was given: `encodeRecord`
 * copies, `decodeRecord` returns values that are views into `bytes`, which must not be reused.
 */

import type { Key } from '../protocol/ids.js'
import type { DvvEntry, Sibling } from '../protocol/versions/dvv.js'
import type { LwwRecord, SiblingsRecord, VersionRecord } from '../protocol/versions/record.js'
import type { Stamp } from '../protocol/versions/stamp.js'
import { ByteReader, ByteWriter, CutShort } from './byte-cursors.js'
import { crc32cOf, crc32cOfText } from './crc32c.js'
import { FLAG_TOMBSTONE, HEADER_BYTES, isPackedLww, PackedLww } from './packed-lww.js'
import { packedBytesOf, packStamp, TEXT_STAMP, unpackStamp } from './stamp-codec.js'

const RECORD_FORMAT = 1

const FLAG_SIBLINGS = 1
/** The checksum. */
export const TRAILER_BYTES = 4

/** The bytes of a record. Errors: none. */
export function encodeRecord(key: Key, record: VersionRecord): Buffer {
  if (record instanceof PackedLww) return encodePacked(key, record)
  if (record.kind === 'siblings') return encodeSiblings(key, record)
  const stampBytes = packedBytesOf(record.stamp)
  const packed = stampBytes === 0 ? undefined : encodeLww(key, record, stampBytes)
  return packed ?? encodeTextStamped(key, record)
}

/** The record that was encoded under this key, or `'damaged'`. The values are views into `bytes`. Errors: none. */
export function decodeRecord(key: Key, bytes: Uint8Array): VersionRecord | 'damaged' {
  const end = bytes.length - TRAILER_BYTES
  if (end < HEADER_BYTES || bytes[0] !== RECORD_FORMAT) return 'damaged'
  if (checksumAt(bytes, end) !== crc32cOf(bytes, 0, end, crc32cOfText(key))) return 'damaged'
  return decodeBody(bytes, 0, end)
}

/**
 * Without looking at the checksum, of bytes that were checked before they were kept in memory: the record that lies from
 * `from` to before `to`, its checksum included.
 */
export function decodeUnchecked(bytes: Uint8Array, from: number, to: number): VersionRecord | 'damaged' {
  return decodeBody(bytes, from, to - TRAILER_BYTES)
}

function encodePacked(key: Key, { bytes: packed, from, end }: PackedLww): Buffer {
  const bytes = Buffer.allocUnsafe(end - from + TRAILER_BYTES)
  bytes.set(new Uint8Array(packed.buffer, packed.byteOffset + from, end - from))
  return seal(key, bytes, end - from)
}

/** One allocation, of Node's pool where it is small: it goes to LevelDB, which copies it. Undefined: the stamp is no packed one. */
function encodeLww(key: Key, { stamp, value }: LwwRecord, stampBytes: number): Buffer | undefined {
  const end = HEADER_BYTES + stampBytes + (value === null ? 0 : value.length)
  const bytes = Buffer.allocUnsafe(end + TRAILER_BYTES)
  bytes[0] = RECORD_FORMAT
  bytes[1] = value === null ? FLAG_TOMBSTONE : 0
  const body = packStamp(stamp, bytes, HEADER_BYTES)
  if (body < 0) return undefined
  if (value !== null) bytes.set(value, body)
  return seal(key, bytes, end)
}

function encodeTextStamped(key: Key, { stamp, value }: LwwRecord): Buffer {
  const writer = new ByteWriter()
  writer.byte(RECORD_FORMAT)
  writer.byte(value === null ? FLAG_TOMBSTONE : 0)
  writeStamp(writer, stamp)
  if (value !== null) writer.raw(value)
  return seal(key, writer.taken(TRAILER_BYTES), writer.length)
}

function encodeSiblings(key: Key, record: SiblingsRecord): Buffer {
  const writer = new ByteWriter()
  writer.byte(RECORD_FORMAT)
  writer.byte(FLAG_SIBLINGS)
  writer.count(record.set.length)
  for (const entry of record.set) {
    writer.text(entry.actor)
    writer.float(entry.counter)
    writer.count(entry.siblings.length)
    for (const sibling of entry.siblings) writeSibling(writer, sibling)
  }
  return seal(key, writer.taken(TRAILER_BYTES), writer.length)
}

function writeSibling(writer: ByteWriter, { stamp, value }: Sibling): void {
  writer.byte(value === null ? 1 : 0)
  writeStamp(writer, stamp)
  writer.count(value === null ? 0 : value.length)
  if (value !== null) writer.raw(value)
}

function writeStamp(writer: ByteWriter, stamp: Stamp): void {
  const stampBytes = packedBytesOf(stamp)
  writer.reserve(stampBytes)
  const after = stampBytes === 0 ? -1 : packStamp(stamp, writer.bytes, writer.length)
  if (after >= 0) {
    writer.length = after
    return
  }
  writer.byte(TEXT_STAMP)
  writer.text(stamp)
}

function seal(key: Key, bytes: Buffer, end: number): Buffer {
  const crc = crc32cOf(bytes, 0, end, crc32cOfText(key))
  bytes[end] = crc
  bytes[end + 1] = crc >>> 8
  bytes[end + 2] = crc >>> 16
  bytes[end + 3] = crc >>> 24
  return bytes
}

function checksumAt(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16)
  return (low | ((bytes[at + 3] as number) << 24)) >>> 0
}

function decodeBody(bytes: Uint8Array, from: number, end: number): VersionRecord | 'damaged' {
  if (isPackedLww(bytes, from, end)) return new PackedLww(bytes, from, end)
  try {
    return decodeSlowly(bytes, from, end)
  } catch (error) {
    // Only a wrong checksum that happens to match comes here.
    if (error instanceof CutShort) return 'damaged'
    throw error
  }
}

function decodeSlowly(bytes: Uint8Array, from: number, end: number): VersionRecord | 'damaged' {
  const reader = new ByteReader(bytes, from + HEADER_BYTES, end)
  const flags = bytes[from + 1]
  if (flags === 0 || flags === FLAG_TOMBSTONE) {
    const stamp = readStamp(reader)
    return { kind: 'lww', stamp, value: flags === FLAG_TOMBSTONE ? null : viewOf(bytes, reader.at, end) }
  }
  if (flags !== FLAG_SIBLINGS) return 'damaged'
  const set: DvvEntry[] = []
  for (let entries = reader.count(); entries > 0; entries--) {
    const actor = reader.text()
    const counter = reader.float()
    const siblings: Sibling[] = []
    for (let left = reader.count(); left > 0; left--) siblings.push(readSibling(reader))
    set.push({ actor, counter, siblings })
  }
  return reader.at === end ? { kind: 'siblings', set } : 'damaged'
}

function readSibling(reader: ByteReader): Sibling {
  const isTombstone = reader.byte() === 1
  const stamp = readStamp(reader)
  const value = reader.raw(reader.count())
  return { stamp, value: isTombstone ? null : value }
}

function readStamp(reader: ByteReader): Stamp {
  const actorLength = reader.byte()
  if (actorLength === TEXT_STAMP) return reader.text()
  const at = reader.at - 1
  reader.skip(10 + actorLength)
  return unpackStamp(reader.bytes, at, actorLength)
}

/** Not `Buffer#subarray`: slower, and a plain array is what a value is. */
function viewOf(bytes: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from)
}
