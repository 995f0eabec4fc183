/**
 * The Merkle trees of a node, one for each partition that it holds something of, kept up to date with every write.
 *
 * A tree that cannot be trusted is built anew by one pass over the store: after a life that was not closed in order, after a
 * write that the store refused, after a damaged record was replaced by nobody knows which version. Writes go on meanwhile:
 *   - what lies before the pass's place is in the tree, and changes it at once;
 *   - what lies beyond will be found by the pass;
 *   - of what is written while a page is being read (or was on its way into the store when that began), the page may show
 *     either version: what counts is what was written.
 * Trees are stored when the node is closed in order, and believed if the store has not been written to since.
 *
 * It must never claim a tree that leaves something out. Called by `Replica` (every write) and `DynamoNode`. Paced.
 */

import type { Key, PartitionId } from '../ids.js'
import { KeyHash } from '../key-hash.js'
import { pauseMs } from '../pacing.js'
import { partitionOf } from '../ring/slot.js'
import type { StorePage, StoreScan } from '../store-contract.js'
import { type VersionRecord, versionHash } from '../versions/record.js'
import { fanOf, MerkleTree } from './merkle-tree.js'

/** Of one page. */
const PAGE_KEYS = 1_024
const PAGE_BYTES = 262_144
/** Damaged records that a pass has found, and that are remembered. */
const HOLES_MAX = 16_384

/** A partition's leaves that are not empty: number, low, high; number, … */
export interface TreeImage {
  readonly partition: PartitionId
  readonly leaves: Int32Array
}

/** What is on its way into the store, oldest first. */
export type OnItsWay = Iterable<{ readonly keys: readonly Key[]; readonly records: readonly VersionRecord[] }>

/** One run over the store. */
interface Pass {
  readonly partitions: Set<PartitionId>
  /** Up to here everything is in the trees; undefined: nothing is. */
  after: Key | undefined
  /** Of the page that is being read; 0: none. */
  token: number
  /** Written beyond the pass's place since that page was asked for: version hashes. */
  readonly written: Map<Key, number>
  sinceMs: number
  notBeforeMs: number
}

export class MerkleForest {
  readonly fan: number
  readonly #partitions: number
  readonly #take: () => number
  readonly #hash = new KeyHash()
  readonly #trees: (MerkleTree | undefined)[]
  /** Not to be trusted, and in no pass yet. */
  readonly #due: Set<PartitionId>
  #pass: Pass | undefined
  /** Damaged when a pass came by: they count as nothing until they are replaced. */
  readonly #holes = new Set<Key>()
  /** More of them are damaged than can be remembered: not to be trusted until something of them is replaced. */
  readonly #hopeless = new Set<PartitionId>()

  /** Grows whenever a tree turns out not to be what the store holds. */
  lapses = 0

  /** `images`: of a store that was closed in order; without them every tree is built anew. */
  constructor(options: { partitions: number; take: () => number; images?: readonly TreeImage[] | undefined }) {
    const { partitions, images } = options
    this.#partitions = partitions
    this.#take = options.take
    this.fan = fanOf(partitions)
    this.#trees = new Array<MerkleTree | undefined>(partitions).fill(undefined)
    for (const { partition, leaves } of images ?? []) this.#trees[partition] = MerkleTree.of(leaves, this.fan)
    this.#due = new Set(images === undefined ? this.#trees.keys() : [])
  }

  /** Partitions whose trees are to be built anew. */
  get remaining(): number {
    return this.#due.size + (this.#pass?.partitions.size ?? 0)
  }

  isTrusted(partition: PartitionId): boolean {
    const isBuilding = this.#due.has(partition) || this.#pass?.partitions.has(partition) === true
    return !isBuilding && !this.#hopeless.has(partition)
  }

  /** A write is on its way into the store. `before`, `after`: version hashes; 0: nothing. */
  change(partition: PartitionId, hash: KeyHash, before: number, after: number): void {
    if (this.remaining > 0) {
      if (this.#due.has(partition)) return
      const pass = this.#pass
      if (pass?.partitions.has(partition) === true && !(pass.after !== undefined && hash.key <= pass.after)) {
        if (pass.token !== 0) pass.written.set(hash.key, after)
        return
      }
    }
    const isHole = this.#holes.size > 0 && this.#holes.delete(hash.key)
    this.#treeOf(partition).change(hash, isHole ? 0 : before, after)
  }

  /** A damaged record is about to be replaced; what it was, nobody knows. */
  onReplaced(partition: PartitionId, key: Key): void {
    if (!this.#holes.has(key) || this.#hopeless.has(partition)) this.distrust(partition)
  }

  /** Something of it was replaced, and nobody knows what. */
  distrust(partition: PartitionId): void {
    this.lapses += 1
    this.drop(partition)
    this.#due.add(partition)
  }

  /** The store has refused a write: what it holds is not what was counted. Where nothing was counted, nothing can be wrong. */
  distrustAll(): void {
    for (const partition of this.#trees.keys()) {
      if (this.#trees[partition] !== undefined || this.#pass?.partitions.has(partition) === true)
        this.distrust(partition)
    }
  }

  /** The partition is not ours any more; its records are being dropped, and it may come back once they are. */
  drop(partition: PartitionId): void {
    this.#pass?.partitions.delete(partition)
    this.#due.delete(partition)
    this.#hopeless.delete(partition)
    this.#trees[partition] = undefined
    for (const key of this.#holes) if (partitionOf(key, this.#partitions) === partition) this.#holes.delete(key)
  }

  low(partition: PartitionId, level: number, node: number): number {
    return this.#trees[partition]?.low(level, node) ?? 0
  }

  high(partition: PartitionId, level: number, node: number): number {
    return this.#trees[partition]?.high(level, node) ?? 0
  }

  /** All trees, to be stored; undefined: there are some that cannot be trusted. */
  images(): readonly TreeImage[] | undefined {
    // Whether what is damaged now will be then, nobody knows.
    if (this.remaining + this.#hopeless.size + this.#holes.size > 0) return undefined
    const images: TreeImage[] = []
    this.#trees.forEach((tree, partition) => {
      if (tree !== undefined && !tree.isEmpty) images.push({ partition, leaves: tree.leaves() })
    })
    return images
  }

  /** The page to be read next, if there is one. `onItsWay`: writes that it may or may not show. */
  advance(onItsWay: OnItsWay, nowMs: number): { readonly token: number; readonly scan: StoreScan } | undefined {
    if (this.remaining === 0) return undefined
    this.#pass ??= this.#begin(nowMs)
    const pass = this.#pass
    if (pass.token !== 0 || nowMs < pass.notBeforeMs) return undefined
    pass.token = this.#take()
    pass.sinceMs = nowMs
    for (const { keys, records } of onItsWay) {
      keys.forEach((key, index) => {
        pass.written.set(key, versionHash(records[index] as VersionRecord))
      })
    }
    const { after, partitions } = pass
    const range = { reverse: false, ...(after === undefined ? {} : { from: after, fromExclusive: true }) }
    const scan = { range, limit: PAGE_KEYS, bytesMax: PAGE_BYTES, partitions: [...partitions] }
    return { token: pass.token, scan }
  }

  /** True if the page was ours. */
  onScanned(token: number, page: StorePage, nowMs: number): boolean {
    const pass = this.#pass
    if (pass === undefined || pass.token !== token) return false
    page.keys.forEach((key, index) => {
      const record = page.records[index]
      if (record === undefined || pass.written.has(key)) return
      if (record === 'damaged') this.#onDamaged(pass, key)
      else this.#count(pass, key, versionHash(record))
    })
    for (const [key, version] of pass.written) {
      const isFound = page.next === undefined || key <= page.next
      if (isFound && (pass.after === undefined || key > pass.after)) this.#count(pass, key, version)
    }
    pass.written.clear()
    pass.token = 0
    pass.after = page.next
    pass.notBeforeMs = nowMs + pauseMs(pass.sinceMs, nowMs)
    if (page.next === undefined) this.#pass = undefined
    return true
  }

  /** When `advance` may do something although nothing happened; Infinity: not. */
  nextDeadlineMs(): number {
    if (this.remaining === 0) return Number.POSITIVE_INFINITY
    if (this.#pass === undefined) return 0
    return this.#pass.token !== 0 ? Number.POSITIVE_INFINITY : this.#pass.notBeforeMs
  }

  #begin(nowMs: number): Pass {
    const partitions = new Set(this.#due)
    this.#due.clear()
    for (const partition of partitions) this.#trees[partition] = undefined
    return { partitions, after: undefined, token: 0, written: new Map(), sinceMs: nowMs, notBeforeMs: nowMs }
  }

  #count(pass: Pass, key: Key, version: number): void {
    const partition = partitionOf(key, this.#partitions)
    if (pass.partitions.has(partition)) this.#treeOf(partition).change(this.#hash.of(key), 0, version)
  }

  #onDamaged(pass: Pass, key: Key): void {
    const partition = partitionOf(key, this.#partitions)
    if (!pass.partitions.has(partition)) return
    if (this.#holes.size < HOLES_MAX) this.#holes.add(key)
    else this.#hopeless.add(partition)
  }

  #treeOf(partition: PartitionId): MerkleTree {
    const tree = this.#trees[partition] ?? new MerkleTree(this.fan)
    this.#trees[partition] = tree
    return tree
  }
}
