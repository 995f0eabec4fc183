/**
 * What membership costs: so many rounds in a time, so many exchanges a round, at most three messages an exchange, none larger
 * than the cluster; and so many beats.
 *
 * An exchange is a syn, one ack for each syn that comes, and an ack2 only for an ack that wants something (or unasked, to a
 * suspect that was heard). So a round of a node is at most 3 (fan-out + 1) messages, and what they carry is bounded by the members.
 */

import type { NodeId } from '../../protocol/ids.js'
import type { GossipMessage } from '../../protocol/membership/gossip.js'
import { NEIGHBOUR_WALK_FACTOR } from '../../protocol/membership/membership-config.js'
import type { Mail } from '../observer.js'
import type { SimWorld } from '../world.js'
import { Checker } from './checker.js'

/** As a structured clone, more or less: a name and a few numbers for each member, a name for each that is wanted. */
const MEMBER_BYTES = 96
const WANTED_BYTES = 16
const HEADER_BYTES = 64
/** Rounds over which the cadence is looked at; a beginning life may have its first at once. */
const ROUNDS = 10

/** What a node has sent lately, oldest first. */
type Times = number[]

export class GossipBound extends Checker {
  readonly name = 'gossip-bound'
  readonly rule = 'Membership: messages and bytes for each gossip round are bounded'
  readonly #syns = new Map<NodeId, Times>()
  readonly #beats = new Map<NodeId, Times>()
  /** from, to, type → answers that may be sent. */
  readonly #owed = new Map<string, number>()
  /** Who has ever been a member: who has left is remembered by the others for a while, so that nobody brings it back. */
  readonly #members = new Set<NodeId>()

  onDelivered({ from, to, message }: Mail): void {
    if (message.type === 'gossip/syn') this.#owe(`${to} ${from} gossip/ack`, 1)
    if (message.type === 'gossip/ack' && message.wanted.length > 0) this.#owe(`${to} ${from} gossip/ack2`, 1)
    // A suspect that is heard is told that it is one, once a beat.
    if (message.type === 'membership/heartbeat') this.#owe(`${to} ${from} gossip/ack2`, 1)
  }

  onSend({ from, to, message }: Mail, world: SimWorld): void {
    const { gossipFanout, gossipMs, heartbeatMs, heartbeatNeighbours } = world.options.config.membership
    switch (message.type) {
      case 'membership/heartbeat': {
        const most = heartbeatNeighbours * NEIGHBOUR_WALK_FACTOR
        const beats = latest(this.#beats, from, world.nowMs, heartbeatMs / 2)
        if (beats.length > most)
          this.broken(`${from} sent ${beats.length} beats within half an interval, at most ${most} are allowed`)
        return
      }
      case 'gossip/syn': {
        // Its live peers, and one suspect on top.
        const most = gossipFanout + 1
        const syns = latest(this.#syns, from, world.nowMs, gossipMs * ROUNDS)
        const lately = syns.filter((atMs) => atMs >= world.nowMs - gossipMs / 2).length
        if (lately > most) this.broken(`${from} gossiped to ${lately} within half a round, at most ${most} are allowed`)
        if (syns.length > most * (ROUNDS + 1))
          this.broken(
            `${from} gossiped ${syns.length} times within ${ROUNDS} rounds, at most ${most} a round are allowed`,
          )
        this.#checkSize(from, message)
        return
      }
      case 'gossip/ack':
      case 'gossip/ack2': {
        const name = `${from} ${to} ${message.type}`
        const owed = this.#owed.get(name) ?? 0
        if (owed === 0) this.broken(`${from} sends ${to} a ${message.type} that nothing asked for`)
        this.#owed.set(name, Math.max(0, owed - 1))
        this.#checkSize(from, message)
        return
      }
      default:
    }
  }

  onSpawn(node: NodeId): void {
    this.#members.add(node)
    this.#syns.delete(node)
    this.#beats.delete(node)
    for (const name of this.#owed.keys()) if (name.startsWith(`${node} `)) this.#owed.delete(name)
  }

  #checkSize(from: NodeId, message: GossipMessage): void {
    const bytes = bytesOf(message)
    const most = HEADER_BYTES + this.#members.size * (MEMBER_BYTES + WANTED_BYTES)
    if (bytes > most)
      this.broken(`${from} sent a ${message.type} of ${bytes} bytes, ${this.#members.size} members fit into ${most}`)
  }

  #owe(name: string, more: number): void {
    this.#owed.set(name, (this.#owed.get(name) ?? 0) + more)
  }
}

function bytesOf(message: GossipMessage): number {
  if (message.type === 'gossip/syn') return HEADER_BYTES + message.digests.length * MEMBER_BYTES
  const wanted = message.type === 'gossip/ack' ? message.wanted.length : 0
  return HEADER_BYTES + message.members.length * MEMBER_BYTES + wanted * WANTED_BYTES
}

function latest(byNode: Map<NodeId, Times>, node: NodeId, nowMs: number, withinMs: number): Times {
  const times = byNode.get(node) ?? []
  byNode.set(node, times)
  times.push(nowMs)
  while ((times[0] ?? nowMs) < nowMs - withinMs) times.shift()
  return times
}
