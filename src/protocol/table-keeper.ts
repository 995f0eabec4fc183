/**
 * A node's hold on the partition table: which it acts on, which it is storing, which rows it may serve.
 *
 * An epoch is stored before it is acted on. While a newer table is on its way, data messages that were made for it are
 * parked (their senders have at most one message of a kind outstanding, so that they are few) and handled after.
 * A row that this node newly owns in full is *guarded* until the supervisor says that enough old owners have stored the
 * flip: before, an old quorum could still answer without it. So is a row that has lost places, at everybody: its quorums are
 * smaller, and need not meet those of before.
 *
 * Called by `DynamoNode`; decides nothing about records.
 */

import type { Epoch, NodeId, PartitionId } from './ids.js'
import { REPLY, type ReplyStatus } from './messages.js'
import { isFullOwner, isJoint, type PartitionTable, type Row, rowOf } from './ring/table.js'

/** What a replica may do with an operation of a row. */
export type RowVerdict =
  | 'serve'
  /** The sender's row is older: tell it, with the table. */
  | 'stale'
  /** The sender's row is newer: adopt first. */
  | 'behind'
  /** Ours, but not to be served yet. */
  | 'guarded'

/** What a replica answers where it does not serve. */
export const STATUS_OF: Record<Exclude<RowVerdict, 'behind'>, ReplyStatus> = {
  serve: REPLY.ok,
  stale: REPLY.stale,
  guarded: REPLY.guarded,
}

export class TableKeeper {
  readonly #self: NodeId
  #table: PartitionTable
  /** The newest table seen; being stored if it is newer than ours. */
  #adopting: PartitionTable | undefined
  #activeEpoch: Epoch
  readonly #guarded = new Set<PartitionId>()
  /** What this node is to each partition, from the table: it is asked for every operation. */
  #roles: Uint8Array
  /** How many it has a part in. */
  #held: number
  /** Records that it held under an earlier table are still there; see `handoff/purge.ts`. */
  readonly #isUnclean: (partition: PartitionId) => boolean

  constructor(
    self: NodeId,
    table: PartitionTable,
    activeEpoch: Epoch,
    isUnclean: (partition: PartitionId) => boolean = () => false,
  ) {
    this.#self = self
    this.#isUnclean = isUnclean
    this.#table = table
    this.#roles = rolesOf(table, self)
    this.#held = countHeld(this.#roles)
    this.#activeEpoch = activeEpoch
    // What was guarded in an earlier life is not known any more: every row flipped since is.
    table.rows.forEach((row, partition) => {
      if (row.epoch > activeEpoch && !isJoint(row) && isFullOwner(row, self)) this.#guarded.add(partition)
    })
  }

  get table(): PartitionTable {
    return this.#table
  }

  get epoch(): Epoch {
    return this.#table.epoch
  }

  /** Partitions whose keys its store holds. */
  get held(): number {
    return this.#held
  }

  get isAdopting(): boolean {
    return this.#adopting !== undefined
  }

  /** A table was shown. True: store it, then call `onStored`. */
  offer(table: PartitionTable): boolean {
    if (table.epoch <= Math.max(this.#table.epoch, this.#adopting?.epoch ?? 0)) return false
    this.#adopting = table
    return true
  }

  /** The table of this epoch is in the store. Returns it if it is now the one to act on. */
  onStored(epoch: Epoch): PartitionTable | undefined {
    const table = this.#adopting
    if (table === undefined || table.epoch !== epoch) return undefined
    this.#adopting = undefined
    table.rows.forEach((row, partition) => {
      const before = rowOf(this.#table, partition)
      const isSmaller = row.owners.length < before.owners.length
      const isNew = isFullOwner(row, this.#self) && (isSmaller || !isFullOwner(before, this.#self))
      if (isNew && row.epoch > this.#activeEpoch) this.#guarded.add(partition)
      else if (!isFullOwner(row, this.#self)) this.#guarded.delete(partition)
    })
    this.#table = table
    this.#roles = rolesOf(table, this.#self)
    this.#held = countHeld(this.#roles)
    return table
  }

  onActivate(epoch: Epoch): void {
    if (epoch <= this.#activeEpoch) return
    this.#activeEpoch = epoch
    for (const partition of [...this.#guarded]) {
      if (rowOf(this.#table, partition).epoch <= epoch) this.#guarded.delete(partition)
    }
  }

  /** May this node answer a read of the partition whose sender goes by this row epoch? */
  judgeRead(partition: PartitionId, rowEpoch: Epoch): RowVerdict {
    const row = rowOf(this.#table, partition)
    if (rowEpoch !== row.epoch) return rowEpoch > row.epoch ? 'behind' : 'stale'
    const role = this.#roles[partition]
    if (role !== ROLE.full) return role === ROLE.pending ? 'guarded' : 'stale'
    return this.#isGuarded(partition) ? 'guarded' : 'serve'
  }

  /** May this node take a write? Pending owners and standbys do, too. */
  judgeWrite(partition: PartitionId, rowEpoch: Epoch): RowVerdict {
    const row = rowOf(this.#table, partition)
    if (rowEpoch !== row.epoch) return rowEpoch > row.epoch ? 'behind' : 'stale'
    return this.judgeOwn(partition)
  }

  /** May this node take what it brings itself (of a fill, an exchange, a heal)? */
  judgeOwn(partition: PartitionId): Exclude<RowVerdict, 'behind'> {
    if (this.#roles[partition] === ROLE.none) return 'stale'
    return this.#isGuarded(partition) || this.#isUnclean(partition) ? 'guarded' : 'serve'
  }

  /** A fill reads from full owners, under the very row that it fills. */
  mayServeFill(partition: PartitionId, rowEpoch: Epoch): boolean {
    const row = rowOf(this.#table, partition)
    return row.epoch === rowEpoch && this.#roles[partition] === ROLE.full
  }

  row(partition: PartitionId): Row {
    return rowOf(this.#table, partition)
  }

  #isGuarded(partition: PartitionId): boolean {
    return this.#guarded.size > 0 && this.#guarded.has(partition)
  }
}

const ROLE = { none: 0, full: 1, pending: 2, standby: 3 } as const

function rolesOf(table: PartitionTable, self: NodeId): Uint8Array {
  return Uint8Array.from(table.rows, (row) => {
    if (isFullOwner(row, self)) return ROLE.full
    if (row.pending.includes(self)) return ROLE.pending
    return row.standbys.includes(self) ? ROLE.standby : ROLE.none
  })
}

function countHeld(roles: Uint8Array): number {
  return roles.reduce((held, role) => held + Number(role !== ROLE.none), 0)
}
