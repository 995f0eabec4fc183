/**
 * A node's Merkle trees on the disk, written when its store has been closed in order.
 *
 * ```
 * 0 magic 'CTMT'   4 version 1   5 fan u8   6 partitions u16 - 1   8 store id (8 bytes)   16 sequence f64   24 trees u32
 * for each tree: partition u32, numbers u32, so many i32 (leaf, low, high; …)
 * last: CRC32C of everything before it                                                         (little endian)
 * ```
 *
 * Believed only of the very store that it was written of, and only if nothing has been written to that since (`sequence`). So
 * one that is torn, missing or of another day costs a pass over the store, and nothing else.
 *
 * Called by the node's thread.
 */

import { readFile, writeFile } from 'node:fs/promises'
import type { TreeImage } from '../protocol/repair/merkle-forest.js'
import { fanOf } from '../protocol/repair/merkle-tree.js'
import { crc32cOf } from './crc32c.js'
import { codeOf } from './store-error.js'

/** Whose trees they are. */
export interface TreeOwner {
  /** 16 hex digits. */
  readonly storeId: string
  /** Batches that the store has accepted. */
  readonly sequence: number
  readonly partitions: number
}

const MAGIC = 0x544d5443 // CTMT
const VERSION = 1
const HEAD_BYTES = 28
const TREE_HEAD_BYTES = 8
const SUM_BYTES = 4

/** Errors: those of fs. */
export async function writeTrees(path: string, owner: TreeOwner, trees: readonly TreeImage[]): Promise<void> {
  await writeFile(path, encodeTrees(owner, trees))
}

/** Undefined: there are none that can be believed, or read. */
export async function readTrees(path: string, owner: TreeOwner): Promise<readonly TreeImage[] | undefined> {
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (error) {
    // Whatever keeps the system from reading it: they are built anew.
    if (codeOf(error) === undefined) throw error
    return undefined
  }
  return decodeTrees(bytes, owner)
}

function encodeTrees({ storeId, sequence, partitions }: TreeOwner, trees: readonly TreeImage[]): Buffer {
  const numbers = trees.reduce((sum, { leaves }) => sum + leaves.length, 0)
  const bytes = Buffer.alloc(HEAD_BYTES + trees.length * TREE_HEAD_BYTES + numbers * 4 + SUM_BYTES)
  bytes.writeUInt32LE(MAGIC, 0)
  bytes[4] = VERSION
  bytes[5] = fanOf(partitions)
  bytes.writeUInt16LE(partitions - 1, 6)
  bytes.write(storeId, 8, 8, 'hex')
  bytes.writeDoubleLE(sequence, 16)
  bytes.writeUInt32LE(trees.length, 24)
  let at = HEAD_BYTES
  for (const { partition, leaves } of trees) {
    bytes.writeUInt32LE(partition, at)
    bytes.writeUInt32LE(leaves.length, at + 4)
    at += TREE_HEAD_BYTES
    for (const number of leaves) at = bytes.writeInt32LE(number, at)
  }
  bytes.writeUInt32LE(crc32cOf(bytes, 0, at), at)
  return bytes
}

function decodeTrees(bytes: Buffer, { storeId, sequence, partitions }: TreeOwner): TreeImage[] | undefined {
  const end = bytes.length - SUM_BYTES
  if (end < HEAD_BYTES || bytes.readUInt32LE(0) !== MAGIC || bytes[4] !== VERSION) return undefined
  if (bytes.readUInt32LE(end) !== crc32cOf(bytes, 0, end)) return undefined
  const isOurs =
    bytes[5] === fanOf(partitions) &&
    bytes.readUInt16LE(6) === partitions - 1 &&
    bytes.toString('hex', 8, 16) === storeId &&
    bytes.readDoubleLE(16) === sequence
  if (!isOurs) return undefined
  const trees: TreeImage[] = []
  let at = HEAD_BYTES
  for (let left = bytes.readUInt32LE(24); left > 0; left--) {
    const leaves = new Int32Array(bytes.readUInt32LE(at + 4))
    const partition = bytes.readUInt32LE(at)
    at += TREE_HEAD_BYTES
    for (let index = 0; index < leaves.length; index++, at += 4) leaves[index] = bytes.readInt32LE(at)
    trees.push({ partition, leaves })
  }
  return trees
}
