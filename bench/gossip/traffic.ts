/**
 * What was sent in a stretch of virtual time: messages and gossip rounds are counted, bytes are what structured clone makes
 * of a message (`v8.serialize`, as `postMessage` does; gossip travels between threads as it is, unpacked). Serializing a
 * thousand digests takes longer than simulating the exchange, so only every so manieth message of a kind is measured, and
 * its kind's mean stands for the others.
 */

import { serialize } from 'node:v8'
import type { MembershipMessage } from '../../src/protocol/membership/gossip.js'

interface Kind {
  sent: number
  sampled: number
  sampledBytes: number
}

/** Per member and second, but for `messagesPerRound`. */
export interface Load {
  readonly gossipMessages: number
  readonly heartbeats: number
  readonly bytes: number
  readonly heartbeatBytes: number
  /** Syns, acks and ack2s of the whole cluster over all its rounds. */
  readonly messagesPerRound: number
  readonly synsPerRoundMax: number
  /** How many rounds a member made in that time, on average. */
  readonly roundsPerMember: number
}

export class Traffic {
  readonly #sampleEvery: number
  readonly #kinds: Record<MembershipMessage['type'], Kind> = {
    'membership/heartbeat': { sent: 0, sampled: 0, sampledBytes: 0 },
    'gossip/syn': { sent: 0, sampled: 0, sampledBytes: 0 },
    'gossip/ack': { sent: 0, sampled: 0, sampledBytes: 0 },
    'gossip/ack2': { sent: 0, sampled: 0, sampledBytes: 0 },
  }
  #rounds = 0
  #synsPerRoundMax = 0

  constructor(sampleEvery: number) {
    this.#sampleEvery = sampleEvery
  }

  onSent(message: MembershipMessage): void {
    const kind = this.#kinds[message.type]
    if (kind.sent++ % this.#sampleEvery !== 0) return
    kind.sampled++
    kind.sampledBytes += serialize(message).length
  }

  /** A member's tick sent syns: that was its round. */
  onRound(syns: number): void {
    this.#rounds++
    this.#synsPerRoundMax = Math.max(this.#synsPerRoundMax, syns)
  }

  loadOf(members: number, ms: number): Load {
    const perMemberSecond = 1_000 / (members * ms)
    const kinds = Object.values(this.#kinds)
    const beats = this.#kinds['membership/heartbeat']
    const sent = kinds.reduce((sum, kind) => sum + kind.sent, 0)
    const bytes = kinds.reduce((sum, kind) => sum + bytesOf(kind), 0)
    return {
      gossipMessages: (sent - beats.sent) * perMemberSecond,
      heartbeats: beats.sent * perMemberSecond,
      bytes: bytes * perMemberSecond,
      heartbeatBytes: bytesOf(beats) * perMemberSecond,
      messagesPerRound: (sent - beats.sent) / Math.max(this.#rounds, 1),
      synsPerRoundMax: this.#synsPerRoundMax,
      roundsPerMember: this.#rounds / members,
    }
  }
}

function bytesOf({ sent, sampled, sampledBytes }: Kind): number {
  return sampled === 0 ? 0 : (sent * sampledBytes) / sampled
}
