/**
 * A block of a table: where it is, whether its checksum holds, and, for index blocks, what it lists.
 *
 * On disk a block is its contents, one byte of compression type, and a masked CRC32C over both.
 *
 * Source: leveldb doc/table_format.md; leveldb 1.20, table/format.cc and table/block_builder.cc.
 */
import { unmaskChecksum } from './checksum.js'
import { Cursor } from './cursor.js'
import { Damage } from './damage.js'
import type { FileWindow } from './file-window.js'
import { decompressSnappy } from './snappy.js'

export interface BlockHandle {
  readonly offset: number
  /** Contents without the trailer; bytes. */
  readonly bytes: number
}

/** Bytes: type 1, checksum 4. */
const BLOCK_TRAILER_BYTES = 5

const RAW = 0
const SNAPPY = 1

export function readHandle(cursor: Cursor): BlockHandle {
  return { offset: cursor.varint(), bytes: cursor.varint() }
}

/** Offset of the first byte after a block and its trailer. */
export function blockEnd(handle: BlockHandle): number {
  return handle.offset + handle.bytes + BLOCK_TRAILER_BYTES
}

/** Checks a block and gives its compression type. Errors: throws Damage('checksum' | 'format' | 'size' | 'unreadable'). */
export function checkBlock(file: FileWindow, handle: BlockHandle): number {
  const computed = file.crc32c(handle.offset, handle.bytes + 1)
  const trailer = file.view(handle.offset + handle.bytes, BLOCK_TRAILER_BYTES)
  if (unmaskChecksum(trailer.readUInt32LE(1)) !== computed) {
    throw new Damage('checksum', 'a block does not match its checksum', handle.offset)
  }
  const type = trailer.readUInt8(0)
  if (type !== RAW && type !== SNAPPY) throw new Damage('format', `compression type ${type}`, handle.offset)
  return type
}

/**
 * The handles that an index or metaindex block holds as values, in order.
 *
 * Errors: throws Damage.
 */
export function readHandles(file: FileWindow, handle: BlockHandle): BlockHandle[] {
  const type = checkBlock(file, handle)
  const stored = file.view(handle.offset, handle.bytes)
  // Parsed before the window moves, so a raw block needs no copy.
  const contents = type === SNAPPY ? decompressSnappy(stored) : stored
  const cursor = new Cursor(entriesOf(contents, handle.offset))
  const handles: BlockHandle[] = []
  while (!cursor.atEnd) {
    cursor.varint() // bytes shared with the key before
    const keyBytes = cursor.varint()
    const valueBytes = cursor.varint()
    cursor.take(keyBytes)
    handles.push(readHandle(new Cursor(cursor.take(valueBytes))))
  }
  return handles
}

/** A block without the array of restart offsets at its end. */
function entriesOf(contents: Uint8Array, offset: number): Uint8Array {
  const view = new DataView(contents.buffer, contents.byteOffset, contents.byteLength)
  const restarts = contents.length >= 4 ? view.getUint32(contents.length - 4, true) : Number.POSITIVE_INFINITY
  const end = contents.length - 4 * (restarts + 1)
  if (end < 0) throw new Damage('format', 'a block has no room for its restarts', offset)
  return contents.subarray(0, end)
}
