/**
 * One consistent cut over all nodes, sans-I/O: everybody confirms a freeze, then everybody takes a snapshot and goes on.
 *
 * The promise: whatever was acknowledged before the cut is in it, and with it everything that it followed; of what was on its way,
 * some. It needs `ownersNeeded` full owners of each partition: then every write quorum has one of them. Who is silent is left
 * out, as long as that holds; else there is no cut.
 *
 * Why no snapshot may be taken before the last freeze that counts has been confirmed:
 *   1. node1 confirms its freeze, takes its snapshot, and goes on; node2 is not frozen yet.
 *   2. A caller writes a, at node1 among others, after the snapshot, and then b, at node2 before its freeze.
 *   3. The cut has b, from node2, and not a.
 *
 * It must never leave a node frozen: whoever was asked to freeze and is not in the cut is released; and a node goes on by itself
 * after a while. Called by `actors/backup-cut.ts`, and by the simulator.
 */

import type { NodeId, PartitionId } from '../ids.js'
import { holdersNeeded, type Quorums, readQuorumOf } from '../ring/quorum.js'
import type { PartitionTable } from '../ring/table.js'

/** Who has not confirmed by this share of the time is not waited for any longer, if the others are enough. */
const STRAGGLER_SHARE = 0.5

export interface LeftOut {
  readonly node: NodeId
  readonly reason: string
}

export type CutOutput =
  /** Answered by `onFrozen`, once the store has accepted or refused what it was given before. */
  | { readonly type: 'freeze'; readonly node: NodeId }
  /** Answered by `onSnapshot`; the node goes on by it. */
  | { readonly type: 'snapshot'; readonly node: NodeId; readonly withinMs: number }
  /** It goes on, and gives up its snapshot if it has one. */
  | { readonly type: 'release'; readonly node: NodeId }
  /** The last of all. `partitions`: too few owners of these took part; then there is no cut. */
  | {
      readonly type: 'ended'
      readonly nodes: readonly NodeId[]
      readonly leftOut: readonly LeftOut[]
      readonly partitions: readonly PartitionId[]
      /** As it was from the last freeze to the first snapshot. */
      readonly table: PartitionTable
    }

export interface CutOptions {
  /** Everybody whose store counts; `isUp`: it can be asked. */
  readonly nodes: readonly { readonly id: NodeId; readonly isUp: boolean; readonly phase: string }[]
  readonly table: () => PartitionTable
  readonly ownersNeeded: (table: PartitionTable) => number
  /** Writes stop for no longer. */
  readonly freezeTimeoutMs: number
  readonly nowMs: number
}

export class CutCore {
  readonly #options: CutOptions
  readonly #asked: readonly NodeId[]
  readonly #leftOut = new Map<NodeId, string>()
  /** Whose answer to the present question is awaited. */
  readonly #awaited: Set<NodeId>
  readonly #frozen = new Set<NodeId>()
  readonly #taken = new Set<NodeId>()
  #table: PartitionTable | undefined
  #isEnded = false
  #output: CutOutput[] = []

  constructor(options: CutOptions) {
    this.#options = options
    for (const { id, isUp, phase } of options.nodes) if (!isUp) this.#leftOut.set(id, `it is ${phase}`)
    this.#asked = options.nodes.filter(({ isUp }) => isUp).map(({ id }) => id)
    this.#awaited = new Set(this.#asked)
    for (const node of this.#asked) this.#output.push({ type: 'freeze', node })
    this.#advance(options.nowMs)
  }

  takeOutput(): readonly CutOutput[] {
    const output = this.#output
    this.#output = []
    return output
  }

  /** When `onTime` may do something although nothing happened; Infinity: not. */
  nextDeadlineMs(afterMs: number): number {
    if (this.#isEnded) return Number.POSITIVE_INFINITY
    const { lateMs, endMs } = this.#times
    return this.#table === undefined && afterMs < lateMs ? lateMs : endMs
  }

  onTime(nowMs: number): void {
    this.#advance(nowMs)
  }

  /** False: it did not, or not for long enough. */
  onFrozen(node: NodeId, isFrozen: boolean, nowMs: number): void {
    if (this.#table !== undefined || !this.#awaited.delete(node)) return
    if (isFrozen) this.#frozen.add(node)
    this.#advance(nowMs)
  }

  /** `reason`: why there is none. */
  onSnapshot(node: NodeId, isTaken: boolean, reason: string, nowMs: number): void {
    if (this.#table === undefined || !this.#awaited.delete(node)) return
    if (isTaken) this.#taken.add(node)
    else this.#leftOut.set(node, reason)
    this.#advance(nowMs)
  }

  get #times(): { readonly lateMs: number; readonly endMs: number } {
    const { nowMs, freezeTimeoutMs } = this.#options
    return { lateMs: nowMs + freezeTimeoutMs * STRAGGLER_SHARE, endMs: nowMs + freezeTimeoutMs }
  }

  /** All have answered; or after a while enough have; or whoever has at the deadline. */
  #advance(nowMs: number): void {
    if (this.#isEnded) return
    const { lateMs, endMs } = this.#times
    if (this.#table === undefined) {
      const isOver = this.#awaited.size === 0 || nowMs >= endMs
      if (!isOver && !(nowMs >= lateMs && this.#isEnough(this.#options.table(), this.#frozen))) return
      this.#takeSnapshots(Math.max(1, endMs - nowMs))
    }
    if (this.#awaited.size === 0 || nowMs >= endMs) this.#end()
  }

  #takeSnapshots(withinMs: number): void {
    // From here to the snapshots nothing is accepted by any store of the cut.
    this.#table = this.#options.table()
    this.#awaited.clear()
    if (!this.#isEnough(this.#table, this.#frozen)) return
    for (const node of this.#frozen) {
      this.#awaited.add(node)
      this.#output.push({ type: 'snapshot', node, withinMs })
    }
  }

  #end(): void {
    this.#isEnded = true
    const { ownersNeeded } = this.#options
    const table = this.#table ?? this.#options.table()
    for (const node of this.#asked) {
      if (this.#taken.has(node) || this.#leftOut.has(node)) continue
      const isFrozen = this.#frozen.has(node)
      this.#leftOut.set(node, isFrozen ? 'too few others were frozen' : 'it did not confirm the freeze')
    }
    const partitions = partitionsShort(table, ownersNeeded(table), undamaged(this.#taken))
    for (const node of this.#asked)
      if (partitions.length > 0 || !this.#taken.has(node)) this.#output.push({ type: 'release', node })
    const leftOut = [...this.#leftOut].map(([node, reason]) => ({ node, reason }))
    this.#output.push({ type: 'ended', nodes: [...this.#taken].sort(), leftOut, partitions, table })
  }

  #isEnough(table: PartitionTable, nodes: ReadonlySet<NodeId>): boolean {
    return partitionsShort(table, this.#options.ownersNeeded(table), undamaged(nodes)).length === 0
  }
}

function undamaged(nodes: ReadonlySet<NodeId>): { node: NodeId; partitionsDamaged: readonly number[] }[] {
  return [...nodes].map((node) => ({ node, partitionsDamaged: [] }))
}

/** Partitions of which too few full owners are among these to be sure of every acknowledged write. */
export function partitionsShort(
  { rows }: PartitionTable,
  needed: number,
  copies: readonly { readonly node: NodeId; readonly partitionsDamaged: readonly PartitionId[] }[],
): PartitionId[] {
  const damaged = new Map(copies.map(({ node, partitionsDamaged }) => [node, new Set(partitionsDamaged)]))
  const short: PartitionId[] = []
  rows.forEach(({ owners }, partition) => {
    const held = owners.filter((owner) => owner !== null && damaged.get(owner)?.has(partition) === false)
    if (held.length < needed) short.push(partition)
  })
  return short
}

/**
 * So many full owners meet every write quorum; and where reads are linearizable, every read quorum too: who has read a value that
 * was not acknowledged yet, and writes what follows from it, must not be in the cut without it.
 */
export function ownersNeededFor({ rows }: PartitionTable, quorums: Quorums): number {
  let most = 0
  for (const { owners } of rows) {
    const places = owners.length
    const r = readQuorumOf(quorums, places)
    const readers = 2 * r > places ? places - r + 1 : 0
    most = Math.max(most, holdersNeeded(quorums, places), readers)
  }
  return most
}
