/**
 * How rows change when nodes forget, die, and have been filled: pure functions from rows to rows.
 *
 * They decide owners only; when each change may be made is the supervisor core's to say. An unchanged row is the very
 * same object, so that callers see what changed by identity.
 */

import type { Epoch, NodeId, PartitionId } from '../ids.js'
import { type OwnerRows, planReplacement } from '../ring/claim.js'
import { isFullOwner, isJoint, newOwnersOf, type PartitionTable, type Row, standbysOf } from '../ring/table.js'
import { rowsWithoutDead, withAllPlaces } from './full-copies.js'
import { withRows } from './with-rows.js'

/**
 * A node's store has forgotten something: where it was a full owner its place becomes vacant, and it is pending there.
 * Where it was being filled, it begins anew (under a new row epoch, so that what it reported before does not count).
 */
export function rowsAfterAmnesia(table: PartitionTable, node: NodeId): PartitionTable {
  return withRows(table, (row) => {
    if (row.pending.includes(node)) return { ...row }
    if (!isFullOwner(row, node)) return row
    const owners = row.owners.map((owner) => (owner === node ? null : owner))
    const pending = row.pending.map((successor, place) =>
      row.owners[place] === node && successor === null ? node : successor,
    )
    return { ...withAllPlaces(row), owners, pending }
  })
}

/** A node is down for good: each of its places gets a successor among `members`, as long as there are some. */
function rowsAfterDeath(table: PartitionTable, dead: ReadonlySet<NodeId>, members: readonly NodeId[]): PartitionTable {
  const current = table.rows.map((row) =>
    newOwnersOf(row).map((owner) => (owner !== null && dead.has(owner) ? null : owner)),
  )
  const plan = planReplacement({ partitions: table.rows.length, n: table.n, members, current })
  return withRows(table, (row, partition) => {
    const wanted = inOwnPlaces(plan.rows[partition] ?? [], row)
    const pending = row.owners.map((owner, place) => {
      const successor = wanted[place] ?? null
      if (successor !== null && successor !== owner) return successor
      const planned = row.pending[place] ?? null
      return planned !== null && dead.has(planned) ? null : successor === owner ? null : planned
    })
    return pending.every((node, place) => node === (row.pending[place] ?? null)) ? row : { ...row, pending }
  })
}

/**
 * One that was to give up its place, and is chosen again, keeps it: it is full there. Whoever was to have that place takes the
 * one that the plan gave it.
 */
function inOwnPlaces(wanted: readonly (NodeId | null)[], { owners }: Row): readonly (NodeId | null)[] {
  const placed = [...wanted]
  owners.forEach((owner, own) => {
    const place = owner === null ? -1 : placed.indexOf(owner)
    if (place === -1 || place === own) return
    placed[place] = placed[own] ?? null
    placed[own] = owner
  })
  return placed
}

/** Who is there when somebody has died for good. */
export interface Survivors {
  readonly dead: ReadonlySet<NodeId>
  /** Every member owns everything: nobody can take the place of the dead but a standby. */
  readonly areFullCopies: boolean
  /** Neither standbys nor dead. */
  readonly living: readonly NodeId[]
  readonly isLeaving: (node: NodeId) => boolean
  /** Standbys that can take a place, the one that lacks least first. */
  readonly standbys: readonly NodeId[]
}

/** The dead are replaced: by standbys, as long as there are some, then by the other members. One new epoch. */
export function tableAfterDeath(
  before: PartitionTable,
  { dead, areFullCopies, living, isLeaving, standbys }: Survivors,
): { readonly table: PartitionTable; readonly promoted: readonly NodeId[] } {
  let table = withoutStandbys(before, dead)
  if (areFullCopies) table = rowsWithoutDead(table, dead)
  const promoted: NodeId[] = []
  for (const node of [...dead].sort()) {
    const standby = standbys[promoted.length]
    if (standby === undefined) break
    if (!table.rows.some((row) => newOwnersOf(row).includes(node))) continue
    table = rowsAfterPromotion(table, node, standby)
    promoted.push(standby)
  }
  // Who leaves takes no place, unless there is nobody else.
  const all = [...living, ...promoted]
  const staying = all.filter((node) => !isLeaving(node))
  const members = staying.length < table.n ? all : staying
  if (members.length > 0 && !areFullCopies) table = rowsAfterDeath(table, dead, members)
  const epoch = before.epoch + 1
  const rows = table.rows.map((row) => (row.epoch > before.epoch ? { ...row, epoch } : row))
  return { table: table === before ? before : { ...table, epoch, rows }, promoted }
}

/** Who is down for good gets no writes any more. */
function withoutStandbys(table: PartitionTable, dead: ReadonlySet<NodeId>): PartitionTable {
  return withRows(table, (row) => {
    const standbys = row.standbys.filter((node) => !dead.has(node))
    return standbys.length === row.standbys.length ? row : { ...row, standbys }
  })
}

/**
 * A standby takes all places of a node that is down for good: it holds all but all of what they held, and is filled by comparing.
 * It is no standby any more.
 */
function rowsAfterPromotion(table: PartitionTable, dead: NodeId, standby: NodeId): PartitionTable {
  return withRows(table, (row) => {
    const owners = newOwnersOf(row)
    const pending = row.pending.map((node, place) => (owners[place] === dead ? standby : node))
    return { ...row, pending, standbys: row.standbys.filter((node) => node !== standby) }
  })
}

/**
 * Owners as they were planned anew: whoever is to have a place and is not in it becomes pending there. What is lost stays as it
 * is. `standbys`: of every row, from now on.
 */
export function rowsAfterClaim(
  table: PartitionTable,
  wanted: OwnerRows,
  standbys: readonly NodeId[] = standbysOf(table),
): PartitionTable {
  const isSame = standbys.join() === standbysOf(table).join()
  return withRows(table, (before, partition) => {
    const row = isSame ? before : { ...before, standbys }
    if (row.lost) return row
    const pending = row.owners.map((owner, place) => {
      const successor = wanted[partition]?.[place] ?? null
      return successor === owner ? null : successor
    })
    return pending.every((node, place) => node === (row.pending[place] ?? null)) ? row : { ...row, pending }
  })
}

/** Some pending places have been filled: they become full owners. Or enough of those that stay have everything: the others go. */
export function rowsAfterFill(
  table: PartitionTable,
  filled: ReadonlyMap<PartitionId, ReadonlySet<NodeId>>,
): PartitionTable {
  return withRows(table, (row, partition) => {
    const nodes = filled.get(partition)
    if (nodes === undefined) return row
    if (row.staying !== undefined) {
      const owners = row.staying
      return { ...withAllPlaces(row), owners, pending: owners.map(() => null) }
    }
    const isFilled = (place: number) => {
      const node = row.pending[place] ?? null
      return node !== null && nodes.has(node)
    }
    const owners = row.owners.map((owner, place) => (isFilled(place) ? (row.pending[place] ?? null) : owner))
    const pending = row.owners.map((_, place) => (isFilled(place) ? null : (row.pending[place] ?? null)))
    // Places that are added: those that are not filled yet come last.
    const added = row.pending.slice(row.owners.length)
    const isNew = (node: NodeId | null) => node !== null && nodes.has(node)
    for (const node of added.filter(isNew)) {
      owners.push(node)
      pending.push(null)
    }
    pending.push(...added.filter((node) => !isNew(node)))
    return { ...row, owners, pending, lost: false }
  })
}

/** Marks rows as lost, or not. */
export function rowsWithLoss(
  table: PartitionTable,
  isLost: (row: Row, partition: PartitionId) => boolean,
): PartitionTable {
  return withRows(table, (row, partition) => {
    const lost = isLost(row, partition)
    return lost === row.lost ? row : { ...row, lost }
  })
}

/** The table of a new cluster: every place full, epoch 1. */
export function newTable(
  rows: readonly (readonly (NodeId | null)[])[],
  n: number,
  standbys: readonly NodeId[] = [],
): PartitionTable {
  const epoch: Epoch = 1
  return {
    epoch,
    n,
    rows: rows.map((owners) => ({ epoch, owners, pending: owners.map(() => null), standbys, lost: false })),
  }
}

/** Partitions with a place being filled. */
export function jointPartitions(table: PartitionTable): PartitionId[] {
  const partitions: PartitionId[] = []
  table.rows.forEach((row, partition) => {
    if (isJoint(row)) partitions.push(partition)
  })
  return partitions
}
