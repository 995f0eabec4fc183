/**
 * What one gossip exchange says: push and pull with digests, in at most three messages.
 *
 *   A → B  gossip/syn   "this is how far I know each member"
 *   B → A  gossip/ack   "these I know better; these I want from you"      always answered
 *   A → B  gossip/ack2  "here they are"                                   only if something was wanted
 *
 * A digest shows the heartbeat and the stored epoch themselves, so that B learns those from the syn; in a quiet cluster
 * nothing is wanted and the third message is not sent.
 *
 * All of these are pure functions over a view; they must never change it. Called by the membership machine.
 *
 * Source: Cassandra's Gossiper (SYN/ACK/ACK2); van Renesse et al. 2008 (reconciliation by version).
 */

import type { Epoch, Incarnation, NodeId } from '../ids.js'
import type { Prng } from '../prng.js'
import { type MemberState, precedenceOf } from './member.js'

/** How far someone knows a member. */
export interface MemberDigest {
  readonly id: NodeId
  readonly incarnation: Incarnation
  /** `precedenceOf` the member: equal numbers mean the same status. */
  readonly precedence: number
  readonly heartbeat: number
  readonly epochStored: Epoch
}

/** A hash of a view; 53 bits. */
export type ViewDigest = number

/** One beat. Sent every heartbeatMs to the ring neighbours, in every status but down and removed; resets the phi there. */
export interface HeartbeatMessage {
  readonly type: 'membership/heartbeat'
  readonly incarnation: Incarnation
  readonly counter: number
}

/** Opens an exchange. Sent each round to a few peers; answered in every status with `gossip/ack`. */
export interface GossipSyn {
  readonly type: 'gossip/syn'
  /** Sorted by id. */
  readonly digests: readonly MemberDigest[]
  /** The sender's view as a hash; unequal ones keep both sides gossiping fast. */
  readonly view: ViewDigest
  /** The sender's table epoch. */
  readonly epoch: Epoch
}

/** Answers a syn. What is wanted is sent as `gossip/ack2`. */
export interface GossipAck {
  readonly type: 'gossip/ack'
  /** What the sender knows better than the syn did; sorted by id. */
  readonly members: readonly MemberState[]
  /** What the syn knew better; sorted by id. */
  readonly wanted: readonly NodeId[]
  /** The sender's view after it took in the syn. */
  readonly view: ViewDigest
  readonly epoch: Epoch
}

/** Ends an exchange, or tells a suspect unasked that it is one so that it can refute. Never answered. */
export interface GossipAck2 {
  readonly type: 'gossip/ack2'
  readonly members: readonly MemberState[]
  readonly epoch: Epoch
}

export type GossipMessage = GossipSyn | GossipAck | GossipAck2
export type MembershipMessage = HeartbeatMessage | GossipMessage

/** Members sorted by id. */
export type MemberList = readonly MemberState[]

/** Our syn. `view` is the hash of the members, for whoever has it at hand. */
export function synOf(members: MemberList, epoch: Epoch, view: ViewDigest = membershipDigest(members)): GossipSyn {
  return { type: 'gossip/syn', digests: members.map(digestOf), view, epoch }
}

/**
 * Our answer to a syn.
 *
 * `members` is our view after `learnedFromDigests` was taken in, `view` its hash. A tombstone is not told to somebody who
 * never knew the member: it could do nothing with it but keep it, and the dead would be handed around for ever.
 */
export function ackOf(
  members: MemberList,
  syn: GossipSyn,
  epoch: Epoch,
  view: ViewDigest = membershipDigest(members),
): GossipAck {
  const newer: MemberState[] = []
  const wanted: NodeId[] = []
  walkTogether(members, syn.digests, (member, digest) => {
    if (member === undefined) wanted.push((digest as MemberDigest).id)
    else if (digest === undefined) {
      if (member.status !== 'removed') newer.push(member)
    } else {
      const ours = digestOf(member)
      if (knowsMore(ours, digest)) newer.push(member)
      if (statusIsNewer(digest, ours)) wanted.push(digest.id)
    }
  })
  return { type: 'gossip/ack', members: newer, wanted, view, epoch }
}

/** What was wanted of us. */
export function ack2Of(members: MemberList, wanted: readonly NodeId[], epoch: Epoch): GossipAck2 {
  const ids = new Set(wanted)
  return { type: 'gossip/ack2', members: members.filter((member) => ids.has(member.id)), epoch }
}

/** The heartbeats and stored epochs that digests show of lives we know, as states to merge. Shape: only what is news. */
export function learnedFromDigests(members: MemberList, digests: readonly MemberDigest[]): readonly MemberState[] {
  const learned: MemberState[] = []
  walkTogether(members, digests, (member, digest) => {
    if (member === undefined || digest === undefined || digest.incarnation !== member.incarnation) return
    if (digest.heartbeat <= member.heartbeat && digest.epochStored <= member.epochStored) return
    const heartbeat = Math.max(digest.heartbeat, member.heartbeat)
    const epochStored = Math.max(digest.epochStored, member.epochStored)
    learned.push({ ...member, heartbeat, epochStored })
  })
  return learned
}

/**
 * The peers of one round: some live ones, and at times a suspect on top, the likelier the more suspects there are, so that
 * one that can hear us learns of the suspicion, and two halves of a healed cut find each other.
 *
 * Shape:  ≤ fanout + 1, no peer twice.
 * Source: Cassandra's Gossiper (`doGossipToUnreachableMember`).
 */
export function chooseGossipPeers(options: {
  /** Sorted by id. */
  readonly live: readonly NodeId[]
  /** Sorted by id; suspects that have not exited. */
  readonly suspects: readonly NodeId[]
  readonly fanout: number
  readonly prng: Prng
}): readonly NodeId[] {
  const { live, suspects, fanout, prng } = options
  const chosen = prng.shuffled(live).slice(0, fanout)
  if (suspects.length === 0 || prng.next() >= suspects.length / (live.length + 1)) return chosen
  const suspect = prng.pick(suspects)
  return suspect === undefined ? chosen : [...chosen, suspect]
}

/**
 * A hash of a view: equal on all nodes once gossip has converged, whatever the order of arrival.
 *
 * Heartbeats are left out (they never rest), tombstones too (each node forgets them at a time of its own).
 *
 * Shape:  0 … 2^53 − 1. Two different views share one by accident once in 2^53; the next change mends it.
 * Source: 32 bits of FNV-1a and 21 of a second lane with another factor, shifted as in murmur3.
 */
export function membershipDigest(members: MemberList): ViewDigest {
  let low = 0x811c9dc5
  let high = 0x9747b28c
  for (const member of members) {
    if (member.status === 'removed') continue
    const text = `${member.id}|${member.incarnation}|${precedenceOf(member)}|${member.epochStored};`
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index)
      low = Math.imul(low ^ unit, 0x01000193)
      high = Math.imul(high ^ unit, 0x85ebca6b)
      high ^= high >>> 13
    }
  }
  return ((high ^ (high >>> 16)) & 0x1fffff) * 4294967296 + (low >>> 0)
}

/** Each id of either list once, in order, with what the lists have of it. Both are sorted: no table is built of a thousand. */
function walkTogether(
  members: MemberList,
  digests: readonly MemberDigest[],
  visit: (member: MemberState | undefined, digest: MemberDigest | undefined) => void,
): void {
  let at = 0
  for (const member of members) {
    let digest = digests[at]
    while (digest !== undefined && digest.id < member.id) {
      visit(undefined, digest)
      digest = digests[++at]
    }
    const isSame = digest?.id === member.id
    visit(member, isSame ? digest : undefined)
    if (isSame) at++
  }
  for (const digest of digests.slice(at)) visit(undefined, digest)
}

/** The digest of one member. */
function digestOf(member: MemberState): MemberDigest {
  const { id, incarnation, heartbeat, epochStored } = member
  return { id, incarnation, precedence: precedenceOf(member), heartbeat, epochStored }
}

function statusIsNewer(a: MemberDigest, b: MemberDigest): boolean {
  return a.incarnation !== b.incarnation ? a.incarnation > b.incarnation : a.precedence > b.precedence
}

function knowsMore(a: MemberDigest, b: MemberDigest): boolean {
  if (a.incarnation !== b.incarnation) return a.incarnation > b.incarnation
  return a.precedence > b.precedence || a.heartbeat > b.heartbeat || a.epochStored > b.epochStored
}
