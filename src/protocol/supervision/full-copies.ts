/**
 * How rows change in a cluster of full copies (`n: 'all'`): pure functions from rows to rows.
 *
 * Every member owns every partition. Who joins takes a vacant place, or that of one who is down for good or on the way out; else
 * the rows get one place more. Who leaves and is replaced by nobody takes its place along, and the quorums that were not asked
 * for shrink with it. That must not happen in one step:
 *   1. n = 5, w = 3: a write is acknowledged by A, B, C; hints are kept for D and E.
 *   2. A leaves, then B: of C, D, E two are a quorum by now.
 *   3. A read of D and E misses the write.
 * So everybody who stays first compares what it has with so many others that nothing acknowledged is missing, under a row whose
 * writes need both quorums (`staying`); then w of the smaller row have all of it.
 *
 * Who dies for good keeps its place, empty or not, until somebody joins or it is told to leave: a death makes no quorum smaller.
 *
 * When each change may be made is the supervisor core's to say.
 */

import type { NodeId } from '../ids.js'
import { isJoint, type PartitionTable, type Row, standbysOf } from '../ring/table.js'
import { withRows } from './with-rows.js'

export interface Copies {
  /** Alive, and to stay; no standbys. */
  readonly members: readonly NodeId[]
  readonly dead: ReadonlySet<NodeId>
  readonly leaving: ReadonlySet<NodeId>
}

/** Some row is to have a place for somebody, and has none. */
export function isPlaceMissing(table: PartitionTable, members: readonly NodeId[]): boolean {
  return table.rows.some((row) => !row.lost && members.some((node) => !row.owners.includes(node)))
}

/** Whoever has no place gets one, and is pending there. Rows that change already, or are lost, stay as they are. */
export function rowsWithEverybody(
  table: PartitionTable,
  { members, dead, leaving }: Copies,
  standbys: readonly NodeId[],
): PartitionTable {
  const isSame = standbys.join() === standbysOf(table).join()
  return withRows(table, (before) => {
    const row = isSame ? before : { ...before, standbys }
    if (row.lost || isJoint(row)) return row
    const newcomers = members.filter((node) => !row.owners.includes(node)).sort()
    if (newcomers.length === 0) return row
    const rankOf = (owner: NodeId | null) => (owner === null ? 0 : dead.has(owner) ? 1 : leaving.has(owner) ? 2 : 3)
    const places = row.owners.map((owner, place) => ({ owner: owner ?? '', place, rank: rankOf(owner) }))
    // The same in every row, whatever its order: all rows have the same owners.
    const free = places
      .filter(({ rank }) => rank < 3)
      .sort((a, b) => a.rank - b.rank || (a.owner < b.owner ? -1 : a.owner > b.owner ? 1 : a.place - b.place))
    const pending: (NodeId | null)[] = row.owners.map(() => null)
    newcomers.forEach((node, index) => {
      const place = free[index]?.place
      if (place === undefined) pending.push(node)
      else pending[place] = node
    })
    return { ...row, pending }
  })
}

/**
 * The places of those who leave are to go, and vacant ones to which nobody can come back, where a quorum of what is left is
 * alive to hold everything. The rows are joint until `rowsAfterFill`.
 */
export function rowsWithoutLeavers(
  table: PartitionTable,
  { members, dead, leaving }: Copies,
  writeQuorumOf: (places: number) => number,
): PartitionTable {
  return withRows(table, (row) => {
    if (row.lost || isJoint(row)) return row
    // Of those who are down for good, who has lost its place may still come back to one.
    let vacant = [...dead].filter((node) => !leaving.has(node) && !row.owners.includes(node)).length
    const staying = row.owners.filter((owner) => (owner === null ? vacant-- > 0 : !leaving.has(owner)))
    const living = staying.filter((owner) => owner !== null && members.includes(owner))
    if (staying.length === row.owners.length || living.length === 0) return row
    return living.length < writeQuorumOf(staying.length) ? row : { ...row, staying }
  })
}

/** They are down for good: nobody fills a place any more, and no row gets smaller that still counted on them. */
export function rowsWithoutDead(table: PartitionTable, dead: ReadonlySet<NodeId>): PartitionTable {
  const isDead = (node: NodeId | null) => node !== null && dead.has(node)
  return withRows(table, (row) => {
    const isCalledOff = row.staying?.some(isDead) === true
    if (!isCalledOff && !row.pending.some(isDead)) return row
    const pending = row.pending.map((node) => (isDead(node) ? null : node))
    const kept = pending.filter((node, place) => place < row.owners.length || node !== null)
    return { ...(isCalledOff ? withAllPlaces(row) : row), pending: kept }
  })
}

/** It loses no places. What was written meanwhile has the quorums of both. */
export function withAllPlaces({ staying: _, ...row }: Row): Row {
  return row
}
