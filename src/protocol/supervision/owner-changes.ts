/**
 * How owners change, from the joint row to the flip that is active: see the header of `supervisor-core.ts` for the order.
 *
 * It decides when fills are ordered and from which stores, which rows are lost, when filled rows flip, and when a flip may be
 * served. It makes new tables through its host, which has them fsynced before anybody learns of them.
 *
 * A part of `SupervisorCore`, called by nobody else.
 */

import type { HealStuck } from '../heal-messages.js'
import type { Epoch, Incarnation, NodeId, PartitionId } from '../ids.js'
import { holdersNeeded, knowersNeeded, type Quorums, writeQuorumOf } from '../ring/quorum.js'
import { isJoint, type PartitionTable, type Row, rowOf } from '../ring/table.js'
import type { FillOrder } from '../transfer-messages.js'
import { jointPartitions, rowsAfterFill, rowsWithLoss } from './reassignment.js'
import type { Roster } from './roster.js'
import { StuckHeals } from './stuck-heals.js'
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
  readonly #stuck: StuckHeals
  /** Since when rows wait to flip together. */
  #readySinceMs: number | undefined
  /** Rebuilt: the newest epoch is activated (again) once everybody who answers has stored it. */
  #isResuming = false

  constructor(quorums: Quorums, host: ChangeHost, activeEpoch: Epoch) {
    this.#quorums = quorums
    this.#host = host
    this.#activeEpoch = activeEpoch
    this.#stuck = new StuckHeals(host, (row) => this.#sourcesNeeded(row))
  }

  /** Of a rebuilt core that does not know yet: the newest epoch that everybody who answers has stored. */
  get activeEpoch(): Epoch {
    if (!this.#isResuming) return this.#activeEpoch
    return Math.min(this.#host.tables.persisted.epoch, ...this.#answering.map(({ storedEpoch }) => storedEpoch))
  }

  /** Maybe by an older table: who is up, and who was found starting and is to end. Who boots is handed the newest. */
  get #answering(): readonly Supervised[] {
    return this.#host.nodes.sorted.filter(
      ({ phase, upSinceMs }) => phase === 'up' || (phase === 'opening' && upSinceMs !== undefined),
    )
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

  /**
   * Only what is lost now: remembered for a healthy row, it would have a later loss pass without a word. With nobody left to
   * fill there is nothing to accept.
   */
  acceptLoss(partitions: readonly PartitionId[]): void {
    if (this.#host.nodes.isDeserted) return
    for (const partition of partitions) {
      const row = this.#host.tables.newest.rows[partition]
      if (row?.lost !== true) continue
      if (this.#hasTooFewStores(row, partition)) this.#accepted.add(partition)
      this.#stuck.accept(row, partition)
    }
  }

  /** A node has damaged records that it cannot heal, or has them no more. */
  onStuck(from: NodeId, message: HealStuck): void {
    this.#stuck.onStuck(from, message)
  }

  /** Everything that may go on now, in the order of a change. */
  advance(nowMs: number): void {
    this.#orderFills()
    this.#markLosses()
    this.#flip(nowMs)
    this.#activate()
    this.#stuck.advance()
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
    if (this.#host.nodes.isDeserted) return false
    if (this.#stuck.isSalvageNeeded(node)) return true
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
    if (this.#host.nodes.isDeserted) return
    const orders = new Map<NodeId, FillOrder[]>()
    for (const partition of jointPartitions(this.#host.tables.persisted)) {
      const row = rowOf(this.#host.tables.persisted, partition)
      if (row.lost || row !== this.#host.tables.newest.rows[partition] || !this.isKnown(row)) continue
      const skips = this.#accepted.has(partition) ? { skipsDamaged: true } : {}
      for (const filling of row.staying ?? row.pending) {
        const node = filling === null ? undefined : this.#host.nodes.get(filling)
        if (node?.phase !== 'up') continue
        const sources = this.#chooseSources(row, partition, node.id)
        if (sources === undefined) continue
        const name = `${partition} ${node.id}`
        const earlier = this.#ordered.get(name)
        const isSame = earlier?.rowEpoch === row.epoch && earlier.incarnation === node.incarnation
        // A source that will never answer again (its salvaged store turned out to be gone) is replaced by another.
        if (isSame && earlier.sources.every((source) => this.#isReadable(source, partition))) continue
        this.#ordered.set(name, { rowEpoch: row.epoch, incarnation: node.incarnation, sources })
        const copy = row.staying !== undefined || this.#copies.has(node.id) ? { hasCopy: true } : {}
        const order = { partition, rowEpoch: row.epoch, sources, ...copy, ...skips }
        orders.set(node.id, [...(orders.get(node.id) ?? []), order])
      }
    }
    for (const [node, list] of orders) this.#host.post.send(node, { type: 'transfer/start', orders: list })
  }

  /** Any so many owners meet every write that was ever acknowledged. */
  #sourcesNeeded(row: Row): number {
    return holdersNeeded(this.#quorums, row.owners.length)
  }

  /**
   * The stores to fill a row from: n − w + 1 full owners, those alive first, then what the dead left on disk. Undefined:
   * not yet (a salvage is being started) or not at all (the row is lost). Who owns the row itself is one of them.
   */
  #chooseSources(row: Row, partition: PartitionId, self: NodeId): readonly NodeId[] | undefined {
    const others = row.owners.filter((owner): owner is NodeId => owner !== null && owner !== self)
    const own = row.owners.includes(self) ? 1 : 0
    const needed = this.#sourcesNeeded(row) - own
    const owners = others.map((owner) => this.#host.nodes.get(owner))
    const known = owners.filter((node) => node !== undefined)
    const alive = known.filter((node) => node.phase !== 'down' && !isSalvage(node))
    alive.sort((a, b) => Number(b.phase === 'up') - Number(a.phase === 'up'))
    if (alive.length >= needed) return alive.slice(0, needed).map((node) => node.id)
    const isAccepted = this.#accepted.has(partition)
    const readable = known.filter(
      (node) => !alive.includes(node) && (isAccepted ? !node.isStoreGone : this.#canSalvage(node, partition)),
    )
    for (const node of readable) if (node.phase === 'down') this.#host.salvage(node)
    if (readable.some((node) => node.phase !== 'salvaged')) return undefined
    const sources = [...alive, ...readable].map((node) => node.id)
    return sources.length >= needed || isAccepted ? sources.slice(0, Math.max(needed, 1 - own)) : undefined
  }

  #isReadable(source: NodeId, partition: PartitionId): boolean {
    const node = this.#host.nodes.get(source)
    if (node === undefined || node.phase === 'down') return false
    return this.#accepted.has(partition) ? !node.isStoreGone : this.#canSalvage(node, partition)
  }

  /** If it is dead: what it left can be read, to the last record of the partition. */
  #canSalvage(node: Supervised, partition: PartitionId): boolean {
    return !node.isStoreGone && !(isSalvage(node) && this.#stuck.isStuck(node.id, partition))
  }

  /**
   * Rows with fewer readable stores than a fill needs say so until an operator accepts it. With every node down for good all of
   * them do: what lies on the disks is read by nobody until the cluster is opened again.
   */
  #markLosses(): void {
    const { isDeserted } = this.#host.nodes
    const isLost = (row: Row, partition: PartitionId): boolean => {
      if (isDeserted || this.#stuck.isLost(row, partition)) return true
      return !this.#accepted.has(partition) && this.#hasTooFewStores(row, partition)
    }
    const table = rowsWithLoss(this.#host.tables.newest, isLost)
    if (table === this.#host.tables.newest) return
    const partitions: PartitionId[] = []
    table.rows.forEach((row, partition) => {
      if (row.lost && this.#host.tables.newest.rows[partition]?.lost !== true) partitions.push(partition)
    })
    const isAccepted = this.#accepted.size > 0 || this.#stuck.hasAccepted
    if (partitions.length === 0)
      this.#host.change(table, isAccepted ? 'an operator accepted the loss' : 'enough stores are there again')
    else this.#host.change(table, 'too few stores are left', [{ type: 'partition:lost', partitions }])
  }

  #hasTooFewStores(row: Row, partition: PartitionId): boolean {
    const isReadable = (owner: NodeId | null): boolean => {
      const node = owner === null ? undefined : this.#host.nodes.get(owner)
      return owner !== null && (node === undefined || this.#canSalvage(node, partition))
    }
    const readable = row.owners.filter(isReadable)
    return readable.length < this.#sourcesNeeded(row) && (isJoint(row) || readable.length < row.owners.length)
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
      if (!this.#answering.every((node) => node.storedEpoch >= this.#host.tables.persisted.epoch)) return
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
