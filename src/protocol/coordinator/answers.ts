/**
 * What answers of nodes mean to the requests that wait for them: gives a lane its credit back, and each request its part.
 *
 * An answer to a message of an older life, or to one that was given up, settles nothing. Called by `Coordination` only.
 */

import type { NodeId } from '../ids.js'
import { type DataReply, REPLY, type ReplyStatus } from '../messages.js'
import type { HintEntry, Peer, ReadEntry, WriteEntry } from './peer.js'
import type { Peers } from './peers.js'
import type { Desk } from './request.js'

export class Answers {
  readonly #desk: Desk
  readonly #peers: Peers
  readonly #compareEpochs: (from: NodeId, epoch: number, statuses: readonly ReplyStatus[]) => void

  constructor(
    desk: Desk,
    peers: Peers,
    compareEpochs: (from: NodeId, epoch: number, statuses: readonly ReplyStatus[]) => void,
  ) {
    this.#desk = desk
    this.#peers = peers
    this.#compareEpochs = compareEpochs
  }

  settle(peer: Peer, message: DataReply): void {
    const from = peer.node
    switch (message.type) {
      case 'replica/read-reply': {
        const answered = peer.reads.settle(message.replyTo) ?? peer.fallbackReads.settle(message.replyTo)
        if (answered === undefined) return
        const { entries } = answered
        this.#peers.onReadLatency(peer, this.#desk.nowMs - answered.sentAtMs, entries.length)
        this.#compareEpochs(from, message.epoch, message.statuses)
        this.#desk.observer?.onAnswered(message.replyTo, message.statuses)
        for (let index = 0; index < entries.length; index++) {
          const { request } = entries[index] as ReadEntry
          const status = message.statuses[index] ?? REPLY.failed
          if (request.phase !== 'gone') request.onReadReply(this.#desk, from, status, message.records[index])
        }
        return
      }
      case 'replica/write-reply': {
        const answered = peer.writes.settle(message.replyTo)
        if (answered === undefined) return
        const { entries } = answered
        const isRepeated = answered.lastSentAtMs > answered.sentAtMs
        this.#peers.onWriteLatency(peer, this.#desk.nowMs - answered.sentAtMs, this.#desk.nowMs)
        this.#compareEpochs(from, message.epoch, message.statuses)
        this.#desk.observer?.onAnswered(message.replyTo, message.statuses)
        for (let index = 0; index < entries.length; index++) {
          const { request, records } = entries[index] as WriteEntry
          if (request.phase !== 'gone')
            request.onWriteReply(this.#desk, from, message.statuses[index] ?? REPLY.failed, isRepeated, records)
        }
        return
      }
      case 'replica/scan-reply': {
        const entry = peer.scans.settle(message.replyTo)?.entries[0]
        if (entry === undefined) return
        this.#compareEpochs(from, message.epoch, [message.status])
        this.#desk.observer?.onAnswered(message.replyTo, [message.status])
        if (entry.request.phase !== 'gone') entry.request.onScanReply(this.#desk, from, message, entry.scan.partitions)
        return
      }
      case 'hint/stored': {
        const answered = peer.hints.settle(message.replyTo)
        if (answered === undefined) return
        const { entries } = answered
        const isRepeated = answered.lastSentAtMs > answered.sentAtMs
        this.#desk.observer?.onAnswered(message.replyTo, message.statuses)
        for (let index = 0; index < entries.length; index++) {
          const { request, key } = entries[index] as HintEntry
          if (request.phase !== 'gone')
            request.onHintReply(this.#desk, from, message.statuses[index] ?? REPLY.failed, { key, isRepeated })
        }
        return
      }
      case 'coordinate/taken': {
        const answered = peer.coordinate.settle(message.replyTo)
        if (answered !== undefined) this.#peers.onTakenLatency(peer, this.#desk.nowMs - answered.sentAtMs)
        return
      }
      case 'transfer/chunk':
      case 'exchange/unequal':
      case 'reap/held':
      case 'exchange/differ':
        return
      default:
        message satisfies never
    }
  }
}
