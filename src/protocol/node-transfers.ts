/**
 * What goes from owner to owner when rows change: a node gives its records to a pending owner, fills its own places, and drops
 * what it does not own any more. A part of `DynamoNode`, called by nobody else.
 *
 * No partition is filled before what was left of it of an earlier time has been dropped: see `handoff/purge.ts`.
 */

import { Fill } from './handoff/fill.js'
import { lostPartitions, Purge, uncleanAtBoot } from './handoff/purge.js'
import { type ChunkReply, TransferSource } from './handoff/transfer-source.js'
import type { Epoch, NodeId, PartitionId } from './ids.js'
import { REPLY } from './messages.js'
import type { NodeIdentity } from './node-identity.js'
import type { NodePost } from './node-post.js'
import type { NodeRequests } from './node-requests.js'
import type { MerkleForest } from './repair/merkle-forest.js'
import type { Replica } from './replica.js'
import type { PartitionTable } from './ring/table.js'
import type { StorePage } from './store-contract.js'
import type { TableKeeper } from './table-keeper.js'
import type { TransferBudget } from './transfer-budget.js'
import type { FillOrder, TransferChunk, TransferPull } from './transfer-messages.js'

export class NodeTransfers {
  readonly #identity: NodeIdentity
  readonly #post: NodePost
  readonly #take: () => number
  readonly #source: TransferSource
  readonly #forest: MerkleForest
  readonly fill: Fill
  readonly purge: Purge
  /** Fills that wait for the table they were made for, or until the store is clean; oldest first. */
  #held: FillOrder[] = []

  constructor(options: {
    identity: NodeIdentity
    post: NodePost
    take: () => number
    budget: TransferBudget
    /** The small texts of its store. */
    meta: Readonly<Record<string, string>>
    table: PartitionTable
    forest: MerkleForest
  }) {
    const { identity, take, meta, table } = options
    this.#identity = identity
    this.#post = options.post
    this.#take = take
    this.#source = new TransferSource(options.budget)
    const unclean = identity.salvage ? [] : uncleanAtBoot(meta, table, identity.self)
    this.purge = new Purge({ unclean, take })
    this.#forest = options.forest
    this.fill = new Fill({ budget: options.budget, takeLocal: take, takeMessageId: take, trees: options.forest })
    for (const partition of unclean) this.#forest.drop(partition)
  }

  /**
   * Under an older table it is not known yet what must be dropped first: what came before would be dropped with it, and be
   * reported as filled.
   */
  onStart(orders: readonly FillOrder[]): void {
    this.#held.push(...orders)
  }

  /** Partitions that are to be filled. */
  get filling(): number {
    return this.fill.remaining + this.#held.length
  }

  onPull(
    from: NodeId,
    message: TransferPull,
    machines: { keeper: TableKeeper; requests: NodeRequests },
    nowMs: number,
  ): void {
    const { partitions, rowEpochs } = message
    const mayRead = (partition: PartitionId, place: number): boolean =>
      machines.keeper.mayServeFill(partition, rowEpochs[place] ?? 0)
    // A salvaged store gives what it has.
    const isOurs = this.#identity.salvage || partitions.every(mayRead)
    if (isOurs && message.roots !== undefined)
      return this.#reply(this.#source.compareRoots(from, message, this.#forest), machines.requests)
    const refusal = isOurs ? (this.#source.isBusy(nowMs) ? REPLY.full : undefined) : REPLY.stale
    if (refusal !== undefined) return this.#reply(this.#source.refuse(message, from, refusal), machines.requests)
    const token = this.#take()
    this.#post.effect({ type: 'store/scan', token, scan: this.#source.onPull(from, message, token, nowMs) })
  }

  onChunk(from: NodeId, chunk: TransferChunk, nowMs: number): void {
    this.fill.onChunk(from, chunk, nowMs)
  }

  /** True if the page was for one of us. */
  onScanned(token: number, page: StorePage, requests: NodeRequests, nowMs: number): boolean {
    if (this.purge.onScanned(token, page, nowMs) || this.fill.onScanned(token, page, nowMs)) return true
    const chunk = this.#source.onScanned(token, page, nowMs)
    if (chunk !== undefined) this.#reply(chunk, requests)
    return chunk !== undefined
  }

  /** What is to be noted in the store beside a new table. */
  noteWith(before: PartitionTable, after: PartitionTable): Readonly<Record<string, string>> {
    const unclean = this.purge.noteBeside(this.#lost(before, after))
    return unclean === undefined ? {} : { unclean }
  }

  /** The new table is in the store, and is acted on. True: records are to be dropped. */
  onTable(before: PartitionTable, keeper: TableKeeper): boolean {
    const lost = this.#lost(before, keeper.table)
    this.purge.onLost(lost)
    for (const partition of lost) this.#forest.drop(partition)
    this.fill.onTable((partition, rowEpoch) => this.#isWanted(partition, rowEpoch, keeper), keeper.epoch)
    return lost.length > 0
  }

  advance(
    mayPull: (node: NodeId) => boolean,
    machines: { keeper: TableKeeper; replica: Replica },
    nowMs: number,
  ): void {
    this.purge.advance(nowMs)
    for (const output of this.purge.takeOutput()) {
      if (output.type === 'dropped') machines.replica.forget(output.keys)
      else this.#post.effect(output)
    }
    if (this.#held.length > 0) this.#beginFills(machines.keeper, nowMs)
    this.fill.advance(mayPull, nowMs)
  }

  nextDeadlineMs(mayPull: (node: NodeId) => boolean): number {
    return Math.min(this.purge.nextDeadlineMs(), this.fill.nextDeadlineMs(mayPull))
  }

  #beginFills(keeper: TableKeeper, nowMs: number): void {
    const orders: FillOrder[] = []
    const held: FillOrder[] = []
    for (const order of this.#held) {
      const { partition, rowEpoch } = order
      if (rowEpoch > keeper.row(partition).epoch) held.push(order)
      else if (this.#isWanted(partition, rowEpoch, keeper))
        (this.purge.isUnclean(partition) ? held : orders).push(order)
    }
    this.#held = held
    if (orders.length > 0) this.fill.onOrders(orders, keeper.epoch, nowMs)
  }

  #lost(before: PartitionTable, after: PartitionTable): readonly PartitionId[] {
    return this.#identity.salvage ? [] : lostPartitions(before, after, this.#identity.self)
  }

  #isWanted(partition: PartitionId, rowEpoch: Epoch, keeper: TableKeeper): boolean {
    const row = keeper.row(partition)
    const { self } = this.#identity
    return row.epoch === rowEpoch && [...row.pending, ...row.standbys, ...(row.staying ?? [])].includes(self)
  }

  #reply(chunk: ChunkReply, requests: NodeRequests): void {
    this.#post.send(chunk.to, chunk.message)
    if (chunk.damaged !== undefined) requests.heals.heal(chunk.damaged)
  }
}
