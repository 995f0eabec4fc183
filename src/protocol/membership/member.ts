/**
 * What one node knows of one member, and how two such pieces of knowledge become one.
 *
 * The merge is a join of a lattice (commutative, associative, idempotent), so gossip may arrive in any order, twice, or
 * late. Order of knowledge, the first difference decides:
 *   1. the higher incarnation: a later life by the supervisor's count;
 *   2. the higher rank of authority: the supervisor's words (leaving < down < removed) outrank guesses (joining, up,
 *      suspect), whatever their versions. With versions alone a refutation and a fresh suspicion that cross a 'down'
 *      would overtake it:  supervisor: suspect v3 → down v4 | member: up v4 | watcher: suspect v5 — and v5 would win;
 *   3. the higher statusVersion: SWIM's rule, the later word on the same life;
 *   4. of two words spoken at once, the worse one.
 * Heartbeat and epochStored only grow within a life, so their maximum is taken; a new life brings its own.
 *
 * Called by gossip, the membership machine. Never changes a state in place.
 */

import { assert } from '../assert.js'
import type { Epoch, Incarnation, NodeId } from '../ids.js'
import type { MemberStatus } from './member-status.js'

/** One member as one node sees it. Volatile: a process starts with an empty view. */
export interface MemberState {
  readonly id: NodeId
  readonly incarnation: Incarnation
  readonly status: MemberStatus
  /** Who declared later wins within an incarnation and rank of authority; 0 = inferred, the member's own first word is 1. */
  readonly statusVersion: number
  /** Beats of the member's own counter in this life. */
  readonly heartbeat: number
  /** The table epoch that the member says it has stored. */
  readonly epochStored: Epoch
}

/** Enough for a refutation every millisecond for 49 days; keeps `precedenceOf` a safe integer. */
const STATUS_VERSION_MAX = 0xffff_ffff

const AUTHORITY = { joining: 0, up: 0, suspect: 0, leaving: 1, down: 2, removed: 3 } as const satisfies Record<
  MemberStatus,
  number
>

const WORSE = { joining: 0, up: 1, suspect: 2, leaving: 3, down: 4, removed: 5 } as const satisfies Record<
  MemberStatus,
  number
>

/**
 * Rules 2 to 4 as one number, so that a digest shows in eight bytes whose word is newer, and two equal numbers mean the
 * same status.
 *
 * Shape:  authority (2 bits) · statusVersion (32 bits) · worse (3 bits); a safe integer.
 * Errors: asserts 0 ≤ statusVersion ≤ STATUS_VERSION_MAX.
 */
export function precedenceOf(member: MemberState): number {
  const { id, status, statusVersion } = member
  assert(statusVersion >= 0 && statusVersion <= STATUS_VERSION_MAX, 'a status version fits 32 bits', {
    id,
    statusVersion,
  })
  return (AUTHORITY[status] * 2 ** 32 + statusVersion) * 8 + WORSE[status]
}

/** True if the supervisor alone has the say over this status: it is neither suspected nor refuted. */
export function isAuthoritative(status: MemberStatus): boolean {
  return AUTHORITY[status] > 0
}

/**
 * The join of two views of one member; see the header.
 *
 * Errors: asserts that both speak of the same member.
 * Source: Das, Gupta, Motivala 2002 (SWIM) §4.2; ringpop-node lib/gossip/state_transitions.js.
 */
export function mergeMember(a: MemberState, b: MemberState): MemberState {
  assert(a.id === b.id, 'only states of one member can be merged', { a: a.id, b: b.id })
  if (a.incarnation !== b.incarnation) return a.incarnation > b.incarnation ? a : b
  // Of two equal words b, which is the news: as a rule it holds the later beat too, and needs no copy.
  const later = precedenceOf(b) >= precedenceOf(a) ? b : a
  const heartbeat = Math.max(a.heartbeat, b.heartbeat)
  const epochStored = Math.max(a.epochStored, b.epochStored)
  return later.heartbeat === heartbeat && later.epochStored === epochStored
    ? later
    : { ...later, heartbeat, epochStored }
}

/** The member with a new status as the next word on its present life. The caller asks `becomes` for the step. */
export function withStatus(member: MemberState, status: MemberStatus): MemberState {
  return { ...member, status, statusVersion: member.statusVersion + 1 }
}

/** True if a and b differ in something that views should agree on: anything but the heartbeat. */
export function differsBeyondHeartbeat(a: MemberState, b: MemberState): boolean {
  return (
    a.incarnation !== b.incarnation ||
    a.status !== b.status ||
    a.statusVersion !== b.statusVersion ||
    a.epochStored !== b.epochStored
  )
}
