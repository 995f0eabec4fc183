/**
 * One node's view: every member it has heard of, sorted by id, and the moves between two states of a member.
 *
 * It decides what a newly learned state does to the view, and nothing about time, mail or suspicion. It must never
 * depend on the order in which members were learned. Called by the membership machine only.
 */

import { assert } from '../assert.js'
import type { Incarnation, NodeId } from '../ids.js'
import { membershipDigest, type ViewDigest } from './gossip.js'
import { differsBeyondHeartbeat, type MemberState, mergeMember, withStatus } from './member.js'
import { becomes, isSuspectable, type MemberStatus, reachableWithinLife } from './member-status.js'
import { MEMBERS_MAX } from './membership-config.js'

/** What happened to one member. */
export interface MemberChange {
  readonly member: MemberState
  /** null: the member is new to us, or its name was used by a removed one before. */
  readonly from: MemberStatus | null
  /** The first we hear of this incarnation. */
  readonly isNewLife: boolean
  /** Its counter grew within a life we knew. */
  readonly hasBeaten: boolean
  /** Anything but the heartbeat changed. */
  readonly differs: boolean
}

export class MembershipView {
  readonly #members = new Map<NodeId, MemberState>()
  /** The latest life that is known to have ended, of members in the view. */
  readonly #exited = new Map<NodeId, Incarnation>()
  /** Ids in order; a member that changes keeps its place, so that a beat costs no sorting. */
  #order: readonly NodeId[] | undefined
  #sorted: readonly MemberState[] | undefined
  #digest: ViewDigest | undefined
  /** Members not taken in because the view was full. */
  refused = 0

  /** Sorted by id. */
  members(): readonly MemberState[] {
    this.#order ??= [...this.#members.keys()].sort()
    this.#sorted ??= this.#order.map((id) => this.#members.get(id) as MemberState)
    return this.#sorted
  }

  /** `membershipDigest` of the members: computed again only after something that it covers has changed. */
  digest(): ViewDigest {
    this.#digest ??= membershipDigest(this.members())
    return this.#digest
  }

  get(id: NodeId): MemberState | undefined {
    return this.#members.get(id)
  }

  /** True if the present life of the member is known to have ended. */
  hasExited(id: NodeId): boolean {
    const ended = this.#exited.get(id)
    return ended !== undefined && ended >= (this.#members.get(id)?.incarnation ?? 1)
  }

  /**
   * Takes in what somebody says about a member. Returns what changed; undefined if it was no news, or is refused: a
   * tombstone of an unknown member, or a member past MEMBERS_MAX.
   */
  learn(said: MemberState): MemberChange | undefined {
    const known = this.#members.get(said.id)
    if (known === undefined && said.status === 'removed') return undefined
    if (known === undefined && this.#members.size >= MEMBERS_MAX) {
      this.refused++
      return undefined
    }
    return this.#replace(known, this.#withoutGhosts(known === undefined ? said : mergeMember(known, said)))
  }

  /**
   * A life ended for certain: mail of it that is still under way can no longer bring it back. Undefined if it changes no
   * status (the member is leaving, down, already suspect) or an earlier life is meant.
   */
  learnExit(id: NodeId, incarnation: Incarnation): MemberChange | undefined {
    const known = this.#members.get(id)
    if (known !== undefined && known.incarnation > incarnation) return undefined
    this.#exited.set(id, Math.max(incarnation, this.#exited.get(id) ?? 0))
    const change = this.learn(inferredMember(id, incarnation, 'joining'))
    if (!this.#members.has(id)) this.#exited.delete(id)
    return change
  }

  /** Takes a next step of a member that the caller has decided. */
  step(id: NodeId, to: MemberStatus): MemberChange | undefined {
    const known = this.#members.get(id)
    assert(known !== undefined, 'only a known member takes a step', { id, to })
    return this.#replace(known, withStatus(known, becomes(known.status, to)))
  }

  /** Sets the own entry or a state that was already merged. */
  put(member: MemberState): MemberChange | undefined {
    return this.#replace(this.#members.get(member.id), member)
  }

  /** Drops a tombstone. */
  forget(id: NodeId): void {
    this.#members.delete(id)
    this.#exited.delete(id)
    this.#order = undefined
    this.#sorted = undefined
    this.#digest = undefined
  }

  /**
   * A refutation may cross the exit of the one who sent it:
   *   1. X, suspected, refutes: up v4, to Z   2. X's thread exits; we set suspect v3   3. Z gossips up v4 to us
   * Merging alone would show a dead thread as up. Who knows of the exit says suspect v5, and X can no longer object.
   */
  #withoutGhosts(member: MemberState): MemberState {
    const ended = (this.#exited.get(member.id) ?? 0) >= member.incarnation
    return ended && isSuspectable(member.status) ? withStatus(member, becomes(member.status, 'suspect')) : member
  }

  #replace(known: MemberState | undefined, member: MemberState): MemberChange | undefined {
    const isNewLife = known === undefined || member.incarnation > known.incarnation
    const hasBeaten = !isNewLife && member.heartbeat > known.heartbeat
    const differs = known === undefined || differsBeyondHeartbeat(known, member)
    if (!differs && !hasBeaten) return undefined
    assert(
      isNewLife || (member.incarnation === known.incarnation && reachableWithinLife(known.status, member.status)),
      'a merge never leads back',
      { known, member },
    )
    this.#members.set(member.id, member)
    if (known === undefined) this.#order = undefined
    this.#sorted = undefined
    if (differs) this.#digest = undefined
    const from = known === undefined || (isNewLife && known.status === 'removed') ? null : known.status
    return { member, from, isNewLife, hasBeaten, differs }
  }
}

/** A member of whose life we only heard: version 0, so that its own first word wins. */
export function inferredMember(id: NodeId, incarnation: Incarnation, status: MemberStatus): MemberState {
  return { id, incarnation, status, statusVersion: 0, heartbeat: 0, epochStored: 0 }
}
