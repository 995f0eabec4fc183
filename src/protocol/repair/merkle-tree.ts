/**
 * The Merkle tree of one partition: what a replica holds of it, summed up so that two replicas find where they differ without
 * reading anything.
 *
 * A key belongs to a leaf by its hash. A node's hash is the exclusive or of the 64-bit hashes of all entries (key and
 * version) below it, so that a write changes one node of each level, whatever the order of writes, and takes back what it replaces:
 * there is nothing to rebuild, nothing to lock. Not cryptographic: all replicas are ours. An entry is left out of account
 * if two versions of its key have the same 32-bit hash, which of 4 billion differences hides one.
 *
 * Three levels: the root, `fan` nodes, `fan`² leaves. Called by `MerkleForest`.
 */

import type { LeafId, PartitionId } from '../ids.js'
import { type KeyHash, mix } from '../key-hash.js'

/** Of the leaves. */
export const LEAF_LEVEL = 2

/** All partitions of a node together take some 10 MiB at most. */
export function fanOf(partitions: number): number {
  if (partitions <= 256) return 64
  return partitions <= 2_048 ? 32 : 16
}

/** The leaf that a key belongs to. */
function leafOf({ a, b }: KeyHash, fan: number): number {
  return mix(a ^ Math.imul(b, 0x27d4eb2f)) & (fan * fan - 1)
}

/** The number of a key's leaf among all leaves of a node. */
export function leafIdOf(partition: PartitionId, hash: KeyHash, fan: number): LeafId {
  return partition * fan * fan + leafOf(hash, fan)
}

export class MerkleTree {
  readonly #fan: number
  /** By level; two lanes a node. */
  readonly #levels: readonly Int32Array[]

  constructor(fan: number) {
    this.#fan = fan
    this.#levels = [1, fan, fan * fan].map((nodes) => new Int32Array(nodes * 2))
  }

  /** `before` and `after`: version hashes; 0: nothing is there. */
  change(hash: KeyHash, before: number, after: number): void {
    const low = entryLow(hash, before) ^ entryLow(hash, after)
    const high = entryHigh(hash, before) ^ entryHigh(hash, after)
    const leaf = leafOf(hash, this.#fan)
    this.#toggle(LEAF_LEVEL, leaf, low, high)
    this.#toggle(1, (leaf / this.#fan) | 0, low, high)
    this.#toggle(0, 0, low, high)
  }

  /** Two lanes. */
  low(level: number, node: number): number {
    return this.#levels[level]?.[node * 2] ?? 0
  }

  high(level: number, node: number): number {
    return this.#levels[level]?.[node * 2 + 1] ?? 0
  }

  get isEmpty(): boolean {
    return this.low(0, 0) === 0 && this.high(0, 0) === 0
  }

  /** Leaves that are not empty: number, low, high; number, … */
  leaves(): Int32Array {
    const leaves = this.#levels[LEAF_LEVEL] as Int32Array
    const found: number[] = []
    for (let leaf = 0; leaf < this.#fan * this.#fan; leaf++) {
      const low = leaves[leaf * 2] ?? 0
      const high = leaves[leaf * 2 + 1] ?? 0
      if (low !== 0 || high !== 0) found.push(leaf, low, high)
    }
    return Int32Array.from(found)
  }

  /** As `leaves` gave them. */
  static of(leaves: Int32Array, fan: number): MerkleTree {
    const tree = new MerkleTree(fan)
    for (let at = 0; at < leaves.length; at += 3) {
      const [leaf = 0, low = 0, high = 0] = leaves.subarray(at, at + 3)
      tree.#toggle(LEAF_LEVEL, leaf, low, high)
      tree.#toggle(1, (leaf / fan) | 0, low, high)
      tree.#toggle(0, 0, low, high)
    }
    return tree
  }

  #toggle(level: number, node: number, low: number, high: number): void {
    const hashes = this.#levels[level] as Int32Array
    hashes[node * 2] = (hashes[node * 2] ?? 0) ^ low
    hashes[node * 2 + 1] = (hashes[node * 2 + 1] ?? 0) ^ high
  }
}

function entryLow({ a }: KeyHash, version: number): number {
  return version === 0 ? 0 : mix(a ^ Math.imul(version, 0x9e3779b1))
}

function entryHigh({ b }: KeyHash, version: number): number {
  return version === 0 ? 0 : mix(b ^ Math.imul(version, 0x85ebca77))
}
