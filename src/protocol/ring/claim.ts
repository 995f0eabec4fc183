/**
 * Claim: who owns which partition.
 *
 * Two policies. `planClaim` rebalances for a cluster that is new, grows or shrinks on purpose: no node above its share,
 * and of all such assignments one that moves the fewest replicas (exact, see `assignment.ts`). `planReplacement` answers a
 * death: it fills the dead node's places and touches nothing else, because moving healthy replicas while one is missing
 * costs redundancy time.
 *
 * Both are pure, and give one plan for one input whatever the order of `members`. They decide owners only: epochs, fills
 * and flips are the supervisor's.
 *
 * Called by the supervisor's core, and by `cluster.plan` to show moves before they are made.
 */

import { assert } from '../assert.js'
import type { NodeId, PartitionId } from '../ids.js'
import { Assignment, at } from './assignment.js'
import { seatMembers, VACANT } from './seats.js'
import { spreadPairs } from './spread.js'

/** Owners by partition and place; null where a place is vacant. */
export type OwnerRows = readonly (readonly (NodeId | null)[])[]

export interface ClaimInput {
  readonly partitions: number
  /** Places of a row. */
  readonly n: number
  /** The nodes that may own; order and repeats do not matter. */
  readonly members: readonly NodeId[]
  /** One row per partition; a node that is not a member is to be replaced. Absent: the cluster is new. */
  readonly current?: OwnerRows | undefined
  /**
   * Also leaves nobody below ⌊Q·n/S⌋, at the fewest moves that this takes. Without it a node that joins where the cap
   * stays the same (128 partitions, 24 → 25 nodes: 16) may get less than its share, or nothing.
   */
  readonly evenly?: boolean | undefined
}

/** One replica that must be filled. */
export interface ClaimMove {
  readonly partition: PartitionId
  readonly place: number
  /** Who had the place; null: it was vacant. */
  readonly from: NodeId | null
  readonly to: NodeId
}

export interface ClaimPlan {
  /** n places each; null only where there are fewer members than places. */
  readonly rows: OwnerRows
  /** What changes against `current`, by partition and place. */
  readonly moves: readonly ClaimMove[]
}

/**
 * Balanced owners for a new set of members, with the fewest moves.
 *
 * Shape:  every row has n places, no node twice; no node owns more than ⌈Q·n/S⌉ replicas (S members, S ≥ n; with fewer
 *         every member owns every partition); an owner that stays keeps its place.
 * Errors: asserts n ≥ 1 and one current row per partition.
 * Source: DeCandia et al. 2007, §6.2 strategy 3; minimum-cost flow by successive shortest paths.
 */
export function planClaim(input: ClaimInput): ClaimPlan {
  const claim = openClaim(input)
  const { assignment } = claim
  const replicas = input.partitions * assignment.size
  if (assignment.members > 0) {
    assignment.lower(Math.ceil(replicas / assignment.members))
    if (input.evenly) assignment.raise(Math.floor(replicas / assignment.members))
    assignment.level()
  }
  return closeClaim(claim)
}

/**
 * Fills the places of nodes that are down for good, and vacant ones, and moves nothing else.
 *
 * Shape:  as `planClaim`, except that loads are only as even as the free places allow: no other choice of newcomers
 *         narrows a difference.
 * Errors: as `planClaim`.
 */
export function planReplacement(input: ClaimInput & { readonly current: OwnerRows }): ClaimPlan {
  const claim = openClaim(input)
  // Every former owner stands in its row, so that an exchange of one costs a move, and levelling makes none that do.
  claim.assignment.level()
  return closeClaim(claim)
}

/**
 * What no balanced plan can undercut: vacancies, dead owners, and what members own above their share; `evenly`, also what they
 * own below it.
 *
 * A lower bound, not always reached: a row whose free place only its own members have room for costs an exchange more.
 */
export function minimumMoves(input: ClaimInput): number {
  const members = new Set(input.members)
  const replicas = input.partitions * Math.min(input.n, members.size)
  const cap = Math.ceil(replicas / members.size)
  const owned = new Map<NodeId, number>()
  for (const row of input.current ?? []) {
    for (const owner of new Set(row)) {
      if (owner !== null && members.has(owner)) owned.set(owner, (owned.get(owner) ?? 0) + 1)
    }
  }
  let kept = 0
  for (const count of owned.values()) kept += Math.min(count, cap)
  if (!input.evenly) return replicas - kept
  const floor = Math.floor(replicas / members.size)
  let lacking = 0
  for (const member of members) lacking += Math.max(0, floor - (owned.get(member) ?? 0))
  return Math.max(replicas - kept, lacking)
}

/** A plan in the making. */
interface Claim {
  readonly input: ClaimInput
  /** Sorted, so that a plan does not hang on the order in which nodes were named. */
  readonly members: readonly NodeId[]
  readonly assignment: Assignment
  /** [partition · n + place]: the former owner that may keep the place. */
  readonly places: Int32Array
}

function openClaim(input: ClaimInput): Claim {
  const { partitions, n, current } = input
  assert(n >= 1, 'a row has a place', { n })
  assert(current === undefined || current.length === partitions, 'one row per partition', { partitions })
  const members = [...new Set(input.members)].sort()
  const indexes = new Map(members.map((node, index) => [node, index]))
  const places = new Int32Array(partitions * n).fill(VACANT)
  const former = Array.from({ length: partitions }, (_, partition) => {
    const owners: number[] = []
    for (const [place, node] of (current?.[partition] ?? []).entries()) {
      const member = node === null ? undefined : indexes.get(node)
      if (member === undefined || owners.includes(member)) continue
      owners.push(member)
      if (place < n) places[partition * n + place] = member
    }
    return owners
  })
  const size = Math.min(n, members.length)
  const primaries = Int32Array.from({ length: partitions }, (_, partition) => at(places, partition * n))
  return {
    input,
    members,
    places,
    assignment: new Assignment({ partitions, members: members.length, size, former, primaries }),
  }
}

function closeClaim({ input, members, assignment, places }: Claim): ClaimPlan {
  const { partitions, n, current } = input
  spreadPairs(assignment)
  const kept = places.map((member, seat) =>
    member !== VACANT && assignment.holds(Math.floor(seat / n), member) ? member : VACANT,
  )
  const seats = seatMembers(assignment, kept, n)
  const rows: (NodeId | null)[][] = []
  const moves: ClaimMove[] = []
  for (let partition = 0; partition < partitions; partition++) {
    const row: (NodeId | null)[] = []
    for (let place = 0; place < n; place++) {
      const member = at(seats, partition * n + place)
      const to = members[member] ?? null
      row.push(to)
      if (to === null || assignment.held(partition, member)) continue
      moves.push({ partition, place, from: current?.[partition]?.[place] ?? null, to })
    }
    rows.push(row)
  }
  return { rows, moves }
}
