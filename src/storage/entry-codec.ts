/**
 * The small entries beside the data: hints, named texts, and the identity that every batch rewrites. Notation and
 * checksum (over the entry's own name and its bytes) as in `record-codec.ts`.
 *
 * Called by the level store. Whatever is not exactly what was written is `'damaged'`.
 */

import type { Hint } from '../protocol/store-contract.js'
import { ByteReader, ByteWriter, CutShort } from './byte-cursors.js'
import { crc32cOf, crc32cOfText } from './crc32c.js'
import { decodeRecord, encodeRecord } from './record-codec.js'

const FORMAT = 1
const TRAILER_BYTES = 4

/** Who a store is, as it is stored. */
export interface StoredIdentity {
  readonly storeId: string
  /** The id before the last renewal; empty if there was none. An interrupted renewal is recognised by it. */
  readonly previousStoreId: string
  readonly sequence: number
  readonly liveKeys: number
}

/** 1 byte format, text target, count partition, text key, the record as under its key, trailer. */
export function encodeHint(hint: Hint): Buffer {
  const writer = begin()
  writer.text(hint.target)
  writer.count(hint.partition)
  writer.text(hint.key)
  writer.raw(encodeRecord(hint.key, hint.record))
  return seal(`h${hint.id}`, writer)
}

export function decodeHint(id: number, bytes: Uint8Array): Hint | 'damaged' {
  return open(`h${id}`, bytes, (reader) => {
    const target = reader.text()
    const partition = reader.count()
    const key = reader.text()
    const record = decodeRecord(key, reader.raw(reader.end - reader.at))
    return record === 'damaged' ? 'damaged' : { id, target, partition, key, record }
  })
}

/** 1 byte format, text, trailer. */
export function encodeMeta(name: string, value: string): Buffer {
  const writer = begin()
  writer.text(value)
  return seal(`m${name}`, writer)
}

export function decodeMeta(name: string, bytes: Uint8Array): string | 'damaged' {
  return open(`m${name}`, bytes, (reader) => reader.text())
}

/** 1 byte format, text store id, text previous id, f64 sequence, f64 live keys, trailer. */
export function encodeIdentity(identity: StoredIdentity): Buffer {
  const writer = begin()
  writer.text(identity.storeId)
  writer.text(identity.previousStoreId)
  writer.float(identity.sequence)
  writer.float(identity.liveKeys)
  return seal('i', writer)
}

export function decodeIdentity(bytes: Uint8Array): StoredIdentity | 'damaged' {
  return open('i', bytes, (reader) => {
    const storeId = reader.text()
    const previousStoreId = reader.text()
    return { storeId, previousStoreId, sequence: reader.float(), liveKeys: reader.float() }
  })
}

function begin(): ByteWriter {
  const writer = new ByteWriter()
  writer.byte(FORMAT)
  return writer
}

function seal(name: string, writer: ByteWriter): Buffer {
  const end = writer.length
  const bytes = writer.taken(TRAILER_BYTES)
  bytes.writeUInt32LE(checksumOf(name, bytes, end), end)
  return bytes
}

function open<T>(name: string, bytes: Uint8Array, read: (reader: ByteReader) => T): T | 'damaged' {
  const end = bytes.length - TRAILER_BYTES
  if (end < 1 || bytes[0] !== FORMAT) return 'damaged'
  const stored = new DataView(bytes.buffer, bytes.byteOffset + end, TRAILER_BYTES).getUint32(0, true)
  if (stored !== checksumOf(name, bytes, end)) return 'damaged'
  try {
    const reader = new ByteReader(bytes, 1, end)
    const result = read(reader)
    return reader.at === end ? result : 'damaged'
  } catch (error) {
    if (error instanceof CutShort) return 'damaged'
    throw error
  }
}

function checksumOf(name: string, bytes: Uint8Array, end: number): number {
  return crc32cOf(bytes, 0, end, crc32cOfText(name))
}
