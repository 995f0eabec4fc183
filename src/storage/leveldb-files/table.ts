/**
 * Verifies a table file (.ldb, .sst): footer, index, metaindex, filter, and the checksum of every block.
 *
 * A table's writer leaves no gaps, so the blocks must tile the file from its first byte to the footer, and the footer's padding
 * must be zero. With that, no byte of a table goes unchecked: a flip in the footer, which has no checksum, moves an edge.
 * The blocks lie in file order, so the file is read once from front to back.
 *
 * Source: leveldb doc/table_format.md; leveldb 1.20, table/table_builder.cc.
 */
import { type BlockHandle, blockEnd, checkBlock, readHandle, readHandles } from './block.js'
import { Cursor } from './cursor.js'
import { Damage } from './damage.js'
import type { FileWindow } from './file-window.js'

/** Bytes: two handles of 20 at most, padded, and the magic number. */
const FOOTER_BYTES = 48
const MAGIC_LOW = 0x8b80fb57
const MAGIC_HIGH = 0xdb477524

/**
 * Shape:  returns the number of blocks checked.
 * Errors: throws Damage.
 */
export function verifyTable(file: FileWindow): number {
  const { metaindex, index } = readFooter(file)
  const blocks = [...readHandles(file, index), ...readHandles(file, metaindex)]
  let edge = 0
  for (const block of [...blocks, metaindex, index]) {
    if (block.offset !== edge) throw new Damage('framing', 'the blocks leave a gap or overlap', edge)
    edge = blockEnd(block)
  }
  for (const block of blocks) checkBlock(file, block)
  return blocks.length + 2
}

function readFooter(file: FileWindow): { metaindex: BlockHandle; index: BlockHandle } {
  const at = file.bytes - FOOTER_BYTES
  if (at < 0) throw new Damage('size', 'too short for a table', 0)
  const footer = file.view(at, FOOTER_BYTES)
  if (footer.readUInt32LE(FOOTER_BYTES - 8) !== MAGIC_LOW || footer.readUInt32LE(FOOTER_BYTES - 4) !== MAGIC_HIGH) {
    throw new Damage('format', 'not a table: wrong magic number', file.bytes - 8)
  }
  const cursor = new Cursor(footer.subarray(0, FOOTER_BYTES - 8))
  const metaindex = readHandle(cursor)
  const index = readHandle(cursor)
  if (cursor.take(FOOTER_BYTES - 8 - cursor.position).some((byte) => byte !== 0)) {
    throw new Damage('format', 'the padding of the footer is not zero', at)
  }
  // Before anything is read by these handles: they are all that has no checksum.
  if (blockEnd(index) !== at || blockEnd(metaindex) !== index.offset) {
    throw new Damage('framing', 'the footer does not point to the blocks before it', at)
  }
  return { metaindex, index }
}
