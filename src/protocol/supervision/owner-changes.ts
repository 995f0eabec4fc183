/**
 * How owners change, from the joint row to the flip that is active: see the header of `supervisor-core.ts` for the order.
 *
 * It decides when fills are ordered and from which stores, which rows are lost, when filled rows flip, and when a flip may be
 * served. It makes new tables through its host, which has them fsynced before anybody learns of them.
 *
 * A part of `SupervisorCore`, called by nobody else.
 */

import type { Epoch, Incarnation, NodeId, PartitionId } from '../ids.js'
import type { FillOrder } from '../messages.js'
import { holdersNeeded, knowersNeeded, type Quorums, writeQuorumOf } from '../ring/quorum.js'
import { isJoint, type PartitionTable, type Row, rowOf } from '../ring/table.js'
import { jointPartitions, rowsAfterFill, rowsWithLoss } from './reassignment.js'
import type { Roster } from './roster.js'
import { isSalvage, type Supervised } from './supervised.js'
import type { SupervisorNotice } from './supervisor-events.js'
import type { SupervisorPost } from './supervisor-post.js'
import type { TableBook } from './table-book.js'

/** Rows that are filled soon after each other flip under one epoch: each is fsynced, and stored by every node. */
const FLIP_GATHER_MS = 100

/** What the changes need of the supervisor. */
export interface ChangeHost {
  readonly tables: TableBook
  readonly nodes: Roster
  readonly post: SupervisorPost
  /** A new epoch: persisted, then announced. */
  change(table: PartitionTable, reason: string, notices?: readonly SupervisorNotice[]): void
  /** Reads what a dead node left on disk. */
  salvage(node: Supervised): void
}

export class OwnerChanges {
  readonly #quorums: Quorums
  readonly #host: ChangeHost
  #activeEpoch: Epoch
  /** Flips that are not active yet: epoch → the old owners of each flipped row. */
  readonly #flips = new Map<Epoch, readonly (readonly (NodeId | null)[])[]>()
  /** What has been ordered: partition and node → row epoch, life of the node, and where it reads. */
  readonly #ordered = new Map<
    string,
    { readonly rowEpoch: Epoch; readonly incarnation: Incarnation; readonly sources: readonly NodeId[] }
  >()
  readonly #filled = new Map<PartitionId, Map<NodeId, Epoch>>()
  readonly #accepted = new Set<PartitionId>()
  /** Nodes that hold nearly everything. */
  readonly #copies = new Set<NodeId>()
  /** Since when rows wait to flip together. */
  #readySinceMs: number | undefined
  /** Rebuilt: the newest epoch is activated (again) once every living node has stored it. */
  #isResuming = false

  constructor(quorums: Quorums, host: ChangeHost, activeEpoch: Epoch) {
    this.#quorums = quorums
    this.#host = host
    this.#activeEpoch = activeEpoch
  }

  get activeEpoch(): Epoch {
    return this.#activeEpoch
  }

  /** No flip waits for being activated. */
  get isSettled(): boolean {
    return this.#flips.size === 0
  }

  /** Some row is being filled, and that goes on without an operator. */
  isMoving(): boolean {
    return jointPartitions(this.#host.tables.newest).some((partition) => {
      const row = this.#host.tables.newest.rows[partition]
      return row !== undefined && isJoint(row) && !row.lost
    })
  }

  /** Who has stored which epoch, and which flips are active, is not known any more. */
  resume(): void {
    this.#isResuming = true
  }

  /** It was a standby, or was made of a backup. */
  onCopy(node: NodeId): void {
    this.#copies.add(node)
  }

  hasCopy(node: NodeId): boolean {
    return this.#copies.has(node)
  }

  onFilled(from: NodeId, partitions: readonly PartitionId[], rowEpochs: readonly Epoch[]): void {
    partitions.forEach((partition, index) => {
      const nodes = this.#filled.get(partition) ?? new Map<NodeId, Epoch>()
      this.#filled.set(partition, nodes.set(from, rowEpochs[index] ?? 0))
    })
  }

  /** Only what is lost now: remembered for a healthy row, it would have a later loss pass without a word. */
  acceptLoss(partitions: readonly PartitionId[]): void {
    for (const partition of partitions)
      if (this.#host.tables.newest.rows[partition]?.lost === true) this.#accepted.add(partition)
  }

  /** Everything that may go on now, in the order of a change. */
  advance(nowMs: number): void {
    this.#orderFills()
    this.#markLosses()
    this.#flip(nowMs)
    this.#activate()
    this.#endSalvage()
  }

  #endSalvage(): void {
    for (const node of this.#host.nodes.sorted) {
      if (node.phase === 'salvaged' && !this.isSalvageNeeded(node))
        this.#host.post.terminate(node, 'what it left has been read')
    }
  }

  /** A dead node's store is read for a fill that goes on. */
  isSalvageNeeded(node: Supervised): boolean {
    return jointPartitions(this.#host.tables.newest).some((partition) =>
      rowOf(this.#host.tables.newest, partition).owners.includes(node.id),
    )
  }

  /** How many of these old places answer nobody under an epoch before this one. */
  #countStored(owners: readonly (NodeId | null)[], epoch: Epoch): number {
    return owners.filter((owner) => {
      const node = owner === null ? undefined : this.#host.nodes.get(owner)
      // Vacant, dead, or with its table still to be handed to it: it cannot answer under an older epoch.
      if (node === undefined || node.upSinceMs === undefined || isSalvage(node)) return true
      return node.storedEpoch >= epoch
    }).length
  }

  /** So many of its owners go by the row that the others make no quorum: every write goes to all that it names. */
  isKnown(row: Row): boolean {
    return this.#isStored(row.owners, row.epoch)
  }

  /** By so many of these places that the others make no quorum by what was before. */
  #isStored(owners: readonly (NodeId | null)[], epoch: Epoch): boolean {
    return this.#countStored(owners, epoch) >= knowersNeeded(this.#quorums, owners.length)
  }

  #orderFills(): void {
    const orders = new Map<NodeId, FillOrder[]>()
    for (const partition of jointPartitions(this.#host.tables.persisted)) {
      const row = rowOf(this.#host.tables.persisted, partition)
      if (row !== this.#host.tables.newest.rows[partition] || !this.isKnown(row)) continue
      for (const filling of row.staying ?? row.pending) {
        const node = filling === null ? undefined : this.#host.nodes.get(filling)
        if (node?.phase !== 'up') continue
        const sources = this.#chooseSources(row, partition, node.id)
        if (sources === undefined) continue
        const name = `${partition} ${node.id}`
        const earlier = this.#ordered.get(name)
        const isSame = earlier?.rowEpoch === row.epoch && earlier.incarnation === node.incarnation
        // A source that will never answer again (its salvaged store turned out to be gone) is replaced by another.
        if (isSame && earlier.sources.every((source) => this.#isReadable(source))) continue
        this.#ordered.set(name, { rowEpoch: row.epoch, incarnation: node.incarnation, sources })
        const order = { partition, rowEpoch: row.epoch, sources }
        const hasCopy = row.staying !== undefined || this.#copies.has(node.id)
        const own = hasCopy ? { ...order, hasCopy } : order
        orders.set(node.id, [...(orders.get(node.id) ?? []), own])
      }
    }
    for (const [node, list] of orders) this.#host.post.send(node, { type: 'transfer/start', orders: list })
  }

  /**
   * The stores to fill a row from: n − w + 1 full owners, those alive first, then what the dead left on disk. Undefined:
   * not yet (a salvage is being started) or not at all (the row is lost). Who owns the row itself is one of them.
   */
  #chooseSources(row: Row, partition: PartitionId, self: NodeId): readonly NodeId[] | undefined {
    const others = row.owners.filter((owner): owner is NodeId => owner !== null && owner !== self)
    const own = row.owners.includes(self) ? 1 : 0
    const needed = holdersNeeded(this.#quorums, row.owners.length) - own
    const owners = others.map((owner) => this.#host.nodes.get(owner))
    const known = owners.filter((node) => node !== undefined)
    const alive = known.filter((node) => node.phase !== 'down' && !isSalvage(node))
    alive.sort((a, b) => Number(b.phase === 'up') - Number(a.phase === 'up'))
    if (alive.length >= needed) return alive.slice(0, needed).map((node) => node.id)
    const readable = known.filter((node) => !alive.includes(node) && !node.isStoreGone)
    for (const node of readable) if (node.phase === 'down') this.#host.salvage(node)
    if (readable.some((node) => node.phase !== 'salvaged')) return undefined
    const sources = [...alive, ...readable].map((node) => node.id)
    return sources.length >= needed || this.#accepted.has(partition)
      ? sources.slice(0, Math.max(needed, 1 - own))
      : undefined
  }

  #isReadable(source: NodeId): boolean {
    const node = this.#host.nodes.get(source)
    return node !== undefined && node.phase !== 'down' && !node.isStoreGone
  }

  /** Rows with fewer readable stores than a fill needs say so until an operator accepts it. */
  #markLosses(): void {
    const isLost = (row: Row, partition: PartitionId): boolean => {
      if (this.#accepted.has(partition)) return false
      const needed = holdersNeeded(this.#quorums, row.owners.length)
      const readable = row.owners.filter((owner) => owner !== null && this.#host.nodes.get(owner)?.isStoreGone !== true)
      return readable.length < needed && (isJoint(row) || readable.length < row.owners.length)
    }
    const table = rowsWithLoss(this.#host.tables.newest, isLost)
    if (table === this.#host.tables.newest) return
    const partitions: PartitionId[] = []
    table.rows.forEach((row, partition) => {
      if (row.lost && this.#host.tables.newest.rows[partition]?.lost !== true) partitions.push(partition)
    })
    if (partitions.length === 0) this.#host.change(table, 'an operator accepted the loss')
    else this.#host.change(table, 'too few stores are left', [{ type: 'partition:lost', partitions }])
  }

  #flip(nowMs: number): void {
    const ready = new Map<PartitionId, ReadonlySet<NodeId>>()
    for (const [partition, nodes] of this.#filled) {
      const row = this.#host.tables.newest.rows[partition]
      const filled = new Set<NodeId>()
      for (const [node, rowEpoch] of nodes) {
        if (row !== undefined && rowEpoch === row.epoch && (row.staying ?? row.pending).includes(node)) filled.add(node)
      }
      if (filled.size === 0) {
        this.#filled.delete(partition)
        continue
      }
      if (row !== undefined && this.#mayFlip(row, filled)) ready.set(partition, filled)
    }
    if (ready.size === 0) return
    this.#readySinceMs ??= nowMs
    if (this.#isMoreToCome(ready) && nowMs - this.#readySinceMs < FLIP_GATHER_MS) return
    this.#readySinceMs = undefined
    const before = this.#host.tables.newest
    this.#host.change(rowsAfterFill(before, ready), `${ready.size} partitions have been filled`)
    this.#flips.set(
      this.#host.tables.newest.epoch,
      [...ready.keys()].map((partition) => rowOf(before, partition).owners),
    )
    for (const partition of ready.keys()) {
      this.#filled.delete(partition)
      this.#accepted.delete(partition)
    }
  }

  #mayFlip({ pending, staying }: Row, filled: ReadonlySet<NodeId>): boolean {
    const { nodes } = this.#host
    const others = (staying ?? pending).filter((node): node is NodeId => node !== null && !filled.has(node))
    // Others that are being filled would have to begin anew under the flipped row: wait for those that are up.
    if (staying === undefined) return !others.some((node) => nodes.get(node)?.phase === 'up')
    // So many that every later quorum has one of them; and whoever may still come.
    const isAwaited = (node: Supervised | undefined) => node !== undefined && node.phase !== 'down' && !isSalvage(node)
    return (
      filled.size >= writeQuorumOf(this.#quorums, staying.length) && !others.some((node) => isAwaited(nodes.get(node)))
    )
  }

  #isMoreToCome(ready: ReadonlyMap<PartitionId, unknown>): boolean {
    const { newest } = this.#host.tables
    return jointPartitions(newest).some((partition) => !ready.has(partition) && newest.rows[partition]?.lost !== true)
  }

  /** Epochs become active in order. */
  #activate(): void {
    if (this.#isResuming) {
      const living = this.#host.nodes.sorted.filter((node) => node.phase === 'up')
      if (!living.every((node) => node.storedEpoch >= this.#host.tables.persisted.epoch)) return
      this.#isResuming = false
      this.#activeEpoch = this.#host.tables.persisted.epoch - 1
      // Everybody has stored what was flipped meanwhile.
      for (const epoch of this.#flips.keys()) if (epoch <= this.#activeEpoch) this.#flips.delete(epoch)
    }
    const before = this.#activeEpoch
    for (let epoch = this.#activeEpoch + 1; epoch <= this.#host.tables.persisted.epoch; epoch++) {
      const flipped = this.#flips.get(epoch) ?? []
      if (!flipped.every((owners) => this.#isStored(owners, epoch))) break
      this.#flips.delete(epoch)
      this.#activeEpoch = epoch
    }
    if (this.#activeEpoch === before) return
    for (const node of this.#host.nodes.sorted) {
      if (node.upSinceMs !== undefined)
        this.#host.post.send(node.id, { type: 'table/activate', epoch: this.#activeEpoch })
    }
  }
}
