/**
 * How many owners make a quorum of a row.
 *
 * With n copies each it is the same for every row. In a cluster of full copies (`n: 'all'`) a row has as many places as there are
 * members, and while some join or leave one row has more places than another: whoever counts must ask the row. What was not
 * asked for is then a majority of its places.
 *
 * Pure. Called by coordinators and by the supervisor's core.
 */

import type { NodeId } from '../ids.js'

/** Zero: nothing was asked for, a majority of the row's places. */
export const MAJORITY = 0
/** Of a read: all owners that each row has, vacant places left out. What one of them has that the others lack is shown. */
export const EVERY_OWNER = -1

export interface Quorums {
  /** Copies of each partition; `'all'`: every member a full copy. */
  readonly n: number | 'all'
  /** The cluster's own quorums, or MAJORITY; a call may ask for others. */
  readonly r: number
  readonly w: number
  /** The smallest w that the cluster was ever opened with: n − w + 1 owners have every write that was acknowledged by it. */
  readonly wFill: number
}

export function majorityOf(places: number): number {
  return Math.floor(places / 2) + 1
}

/** Owners that must answer a read of a row with so many places. */
export function readQuorumOf({ r }: Quorums, places: number): number {
  return r === MAJORITY ? majorityOf(places) : r
}

/** Owners that must answer a read that asks for `asked`: so many, MAJORITY, or EVERY_OWNER. Of a row without owners one, which fails it. */
export function readsAsked(asked: number, quorums: Quorums, owners: readonly (NodeId | null)[]): number {
  if (asked === MAJORITY) return readQuorumOf(quorums, owners.length)
  return asked === EVERY_OWNER ? Math.max(1, owners.filter((owner) => owner !== null).length) : asked
}

/** Owners that must accept a write of a row with so many places. */
export function writeQuorumOf({ w }: Quorums, places: number): number {
  return w === MAJORITY ? majorityOf(places) : w
}

/** So many owners of a row with so many places hold, between them, every write that was ever acknowledged. */
export function holdersNeeded({ n, wFill }: Quorums, places: number): number {
  const majority = majorityOf(places)
  // Of full copies: by a majority of those that there were something may have been acknowledged, whatever was said since.
  const least = wFill === MAJORITY ? majority : n === 'all' ? Math.min(wFill, majority) : wFill
  return places - least + 1
}

/** Of a store that is set aside the others have all that was ever acknowledged. */
export function canRefill(quorums: Quorums, places: number): boolean {
  return places > holdersNeeded(quorums, places)
}

/** Once so many of the owners go by a newer row, the others make no quorum by the older one. */
export function knowersNeeded(quorums: Quorums, places: number): number {
  return places - Math.min(readQuorumOf(quorums, places), writeQuorumOf(quorums, places)) + 1
}
