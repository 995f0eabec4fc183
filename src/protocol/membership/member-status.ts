/**
 * The statuses of a member and which may follow which.
 *
 * Two questions are kept apart. `becomes` is for whoever *decides* a move: it takes exactly one step of the table.
 * `reachableWithinLife` is for whoever *hears* of moves by gossip, which skips steps: any number of steps, but within
 * one incarnation.
 *
 * What the table says beyond its rows:
 * - A suspect that is told to leave is 'leaving' from then on: the supervisor's word outranks a guess. Whether a leaving
 *   member can be reached is then a question for the failure detector (`Membership.isReachable`), not a status.
 * - A suspect goes back to 'joining' in two ways: it refutes while it is still joining, or it was restarted.
 * - 'down' to 'joining' happens only by a higher incarnation; within a life 'down' is the end but for 'removed'.
 * - 'removed' has no successor. A higher incarnation under the same name is a new member, announced as one.
 *
 * Called by the view, the membership machine, and the supervisor's core.
 */

import { assert } from '../assert.js'

/** joining: spawned, not serving; suspect: silent, or exited and to be restarted; down: given up by the supervisor. */
export type MemberStatus = 'joining' | 'up' | 'suspect' | 'leaving' | 'down' | 'removed'

/** One step by whoever decides it. */
export const ALLOWED = {
  joining: ['up', 'suspect', 'leaving', 'down'],
  up: ['suspect', 'leaving', 'down'],
  suspect: ['joining', 'up', 'leaving', 'down'],
  leaving: ['removed', 'down'],
  down: ['joining', 'removed'],
  removed: [],
} as const satisfies Record<MemberStatus, readonly MemberStatus[]>

/** Every status, in the order of a life. */
export const MEMBER_STATUSES = Object.keys(ALLOWED) as readonly MemberStatus[]

/**
 * The new status, where one step leads there.
 *
 * Errors: asserts that the table allows the step.
 */
export function becomes<To extends MemberStatus>(from: MemberStatus, to: To): To {
  assert(mayBecome(from, to), 'a member does not take this step', { from, to })
  return to
}

/** True if one step of the table leads from one to the other. */
export function mayBecome(from: MemberStatus, to: MemberStatus): boolean {
  const next: readonly MemberStatus[] = ALLOWED[from]
  return next.includes(to)
}

/** True if zero or more steps lead there without a restart: what gossip may tell about one incarnation. */
export function reachableWithinLife(from: MemberStatus, to: MemberStatus): boolean {
  // Every beat of every member asks this, and changes no status.
  if (from === to) return true
  const seen = new Set<MemberStatus>([from])
  for (const status of seen) {
    if (status === to) return true
    if (status !== 'down') for (const next of ALLOWED[status]) seen.add(next)
    else seen.add('removed')
  }
  return false
}

/** True for the statuses that a silent member may have; the others are the supervisor's to change. */
export function isSuspectable(status: MemberStatus): status is 'joining' | 'up' {
  return status === 'joining' || status === 'up'
}

/** True while mail may be sent to the member: it is, or may again be, alive. */
export function isAddressable(status: MemberStatus): boolean {
  return status !== 'down' && status !== 'removed'
}
