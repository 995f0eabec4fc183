/**
 * The partition table: who owns what, as a value. Only the supervisor makes a new one; everyone else compares epochs.
 *
 * A row always keeps n places. `owners[i]` is the full owner of place i, or null where the place is vacant (nobody, or
 * its owner lost its store); a vacant place counts as a down one, so that r and w never shrink because somebody dies.
 * `pending[i]` is the node that is being filled to take place i, or null. While any place is pending the row is *joint*:
 * writes need w of the old owners (`owners`) and w of the new (`newOwnersOf`); reads stay with the old.
 *
 * Where every member is a full copy (`n: 'all'`), a row gets places by joins (pending ones beyond those of `owners`) and loses some
 * by leaves: then it is joint too, and `staying` are the places after the flip.
 *
 * Called by the supervisor's core, coordinators, replicas. Never changes a table in place.
 */

import type { Epoch, NodeId, PartitionId } from '../ids.js'

/** One partition's owners. */
export interface Row {
  /** The table epoch in which this row changed last; requests and fills carry it. */
  readonly epoch: Epoch
  /** length n; the full owner of each place. No node twice. */
  readonly owners: readonly (NodeId | null)[]
  /** length n, or more where places are added; who is being filled for each place. A node is never pending twice, nor pending where it is a full owner elsewhere in the row. */
  readonly pending: readonly (NodeId | null)[]
  /** Fewer places are to be left, these; each of their owners compares itself with the others before. Then nobody is pending. */
  readonly staying?: readonly (NodeId | null)[]
  /** Hot standbys: they receive every write and serve nothing. */
  readonly standbys: readonly NodeId[]
  /** Too few owners' stores are left for a fill; strict requests fail with PARTITION_LOST until an operator accepts the loss. */
  readonly lost: boolean
}

/** The whole table. */
export interface PartitionTable {
  readonly epoch: Epoch
  /** Replicas of each partition; the length of every row, and where that differs (`n: 'all'`), of the longest. */
  readonly n: number
  /** length = the partition count, a power of two 16…16384. */
  readonly rows: readonly Row[]
}

/** The places after the flip: pending nodes where there are some, else the owner. Shape: length n, as it is to be. */
export function newOwnersOf(row: Row): readonly (NodeId | null)[] {
  return row.staying ?? row.pending.map((node, place) => node ?? row.owners[place] ?? null)
}

/** True while a place of the row is being filled, or is about to go. */
export function isJoint(row: Row): boolean {
  return row.staying !== undefined || row.pending.some((node) => node !== null)
}

/** Everyone who must be sent a write of this row: full owners, pending owners, standbys; no node twice. */
export function writeTargetsOf(row: Row): readonly NodeId[] {
  const targets = row.owners.filter((node) => node !== null)
  for (const node of [...row.pending, ...row.standbys]) if (node !== null && !targets.includes(node)) targets.push(node)
  return targets
}

/** The hot standbys: a standby is one of every row. Shape: sorted. */
export function standbysOf(table: PartitionTable): readonly NodeId[] {
  return [...(table.rows[0]?.standbys ?? [])].sort()
}

/** True if the node is a full owner of the row: it may serve reads and counts in the old quorum. */
export function isFullOwner(row: Row, node: NodeId): boolean {
  return row.owners.includes(node)
}

/** The row of a partition. Errors: asserts that the partition exists. */
export function rowOf(table: PartitionTable, partition: PartitionId): Row {
  const row = table.rows[partition]
  if (row === undefined) throw new RangeError(`partition ${partition} of ${table.rows.length}`)
  return row
}
