/**
 * The way from the roots of two replicas' Merkle trees down to the leaves that differ: which nodes to ask about next.
 *
 * While clients write, two replicas differ all the time, in what is under way to one of them. So nodes that are not equal are
 * looked at again after a pause, and count only if they are not equal at any look. That is exact, too: where a leaf was equal at
 * one moment, nothing was missing at that moment.
 *
 * A partition of which more than half of the tree differs is compared as a whole: listing its leaves would cost more than it
 * saves. So is one whose tree the peer cannot trust, or this node itself, if that goes on for long. Called by `Exchange`.
 */

import type { LeafId, PartitionId } from '../ids.js'
import { LEAF_LEVEL } from './merkle-tree.js'

/** Nodes that one message asks about. */
const NODES_MAX = 2_048
/** Leaves that one pass over the store looks for; of more, their partitions are compared as wholes. */
const LEAVES_MAX = 8_192
/** How often unequal nodes of a level are looked at, by level. */
const LOOKS = [1, 2, 3] as const
const LOOK_PAUSE_MS = 50
/** Trees that are being built anew are waited for so often. */
const BLIND_PAUSE_MS = 200
const BLIND_WAITS_MAX = 300

interface TreeNode {
  readonly partition: PartitionId
  readonly node: number
}

export interface TreeQuestion {
  readonly level: number
  readonly partitions: readonly PartitionId[]
  readonly nodes: readonly number[]
}

export class TreeWalk {
  readonly #fan: number
  #level = 0
  /** Of this level and look: still to be asked about; asked about; not equal. */
  #waiting: TreeNode[]
  #asked: TreeNode[] = []
  #unequal: TreeNode[] = []
  #looks = 0
  #blind = new Set<PartitionId>()
  #blindWaits = 0
  readonly #wholes = new Set<PartitionId>()
  #leaves: TreeNode[] = []
  /** Before the next question. */
  pauseMs = 0
  isDone = false

  constructor(partitions: readonly PartitionId[], fan: number) {
    this.#fan = fan
    this.#waiting = partitions.map((partition) => ({ partition, node: 0 }))
  }

  /** What to ask next. Undefined: it is done, or one pauses. `isTrusted`: are this node's own trees? */
  next(isTrusted: (partition: PartitionId) => boolean): TreeQuestion | undefined {
    const trusted: TreeNode[] = []
    for (const node of this.#waiting) {
      if (isTrusted(node.partition)) trusted.push(node)
      else this.#blind.add(node.partition)
    }
    this.#asked = trusted.splice(0, NODES_MAX)
    this.#waiting = trusted
    if (this.#asked.length === 0) {
      this.#endLevel()
      return undefined
    }
    const partitions = this.#asked.map(({ partition }) => partition)
    return { level: this.#level, partitions, nodes: this.#asked.map(({ node }) => node) }
  }

  /** What was asked last was not answered. */
  repeat(): void {
    this.#waiting = [...this.#asked, ...this.#waiting]
    this.#asked = []
  }

  onAnswer(places: readonly number[], blind: readonly PartitionId[]): void {
    for (const partition of blind) this.#blind.add(partition)
    for (const place of places) {
      const node = this.#asked[place]
      if (node !== undefined && !this.#blind.has(node.partition)) this.#unequal.push(node)
    }
    this.#asked = []
    this.pauseMs = 0
    if (this.#waiting.length === 0) this.#endLevel()
  }

  /** Once it is done: what is to be compared key by key. */
  result(): { readonly wholes: readonly PartitionId[]; readonly leaves: readonly LeafId[] } {
    const leaves = this.#leaves.filter(({ partition }) => !this.#wholes.has(partition))
    if (leaves.length > LEAVES_MAX) {
      for (const { partition } of leaves) this.#wholes.add(partition)
      leaves.length = 0
    }
    const perTree = this.#fan * this.#fan
    return {
      wholes: [...this.#wholes].sort((a, b) => a - b),
      leaves: leaves.map(({ partition, node }) => partition * perTree + node).sort((a, b) => a - b),
    }
  }

  #endLevel(): void {
    this.#looks += 1
    const isLooked = this.#looks >= (LOOKS[this.#level] ?? 1)
    const unequal = this.#unequal
    this.#unequal = []
    if (unequal.length === 0) return this.#endDescent()
    if (!isLooked) {
      this.#waiting = unequal
      this.pauseMs = LOOK_PAUSE_MS
      return
    }
    this.#looks = 0
    if (this.#level === LEAF_LEVEL) {
      this.#leaves.push(...unequal)
      return this.#endDescent()
    }
    this.#waiting = this.#level === 0 ? this.#childrenOf(unequal) : this.#childrenOf(this.#withoutWholes(unequal))
    this.#level += 1
    if (this.#waiting.length === 0) this.#endDescent()
  }

  /** The bottom is reached; those that were blind begin at their roots. */
  #endDescent(): void {
    this.#level = 0
    this.#looks = 0
    if (this.#blind.size === 0) {
      this.isDone = true
      return
    }
    this.#blindWaits += 1
    if (this.#blindWaits > BLIND_WAITS_MAX) {
      for (const partition of this.#blind) this.#wholes.add(partition)
      this.isDone = true
      return
    }
    this.#waiting = [...this.#blind].map((partition) => ({ partition, node: 0 }))
    this.#blind = new Set()
    this.pauseMs = BLIND_PAUSE_MS
  }

  #withoutWholes(unequal: readonly TreeNode[]): readonly TreeNode[] {
    const counts = new Map<PartitionId, number>()
    for (const { partition } of unequal) counts.set(partition, (counts.get(partition) ?? 0) + 1)
    for (const [partition, count] of counts) if (count > this.#fan / 2) this.#wholes.add(partition)
    return unequal.filter(({ partition }) => !this.#wholes.has(partition))
  }

  #childrenOf(nodes: readonly TreeNode[]): TreeNode[] {
    return nodes.flatMap(({ partition, node }) =>
      Array.from({ length: this.#fan }, (_, child) => ({ partition, node: node * this.#fan + child })),
    )
  }
}
