/**
 * Natural batching and credit for one kind of data message to one peer: at most one message is outstanding, everything
 * else gathers for the next, as in a group commit. The receiver's mailbox therefore holds at most one message of a kind
 * from each sender, which bounds it without counting (`postMessage` itself has no back pressure).
 *
 * Decides nothing about requests. Called by `Peer`.
 */

import { MESSAGE_BYTES_MAX, MESSAGE_OPERATIONS_MAX, type QueueLimits } from '../config.js'
import type { Message, MessageId } from '../messages.js'
import type { Request } from './request.js'

/** What a lane needs to know of an entry; the payload is its sender's. */
export interface LaneEntry {
  /** Whose it is; a request that has ended takes no more replies. */
  readonly request: Request
  /** Keys in the entry, for the bound on operations. */
  readonly operations: number
  readonly bytes: number
  readonly deadlineMs: number
}

/** The message that has not been answered. */
export interface Outstanding<Entry> {
  readonly id: MessageId
  readonly sentAtMs: number
  readonly entries: readonly Entry[]
  /** True once its reads were also sent to somebody else. */
  hedged: boolean
  /** As it was sent, to be sent again; and when it was sent last. */
  message: Message | undefined
  lastSentAtMs: number
}

export class Lane<Entry extends LaneEntry> {
  readonly #limits: QueueLimits
  #queue: Entry[] = []
  #queuedBytes = 0
  #outstanding: Outstanding<Entry> | undefined

  constructor(limits: QueueLimits) {
    this.#limits = limits
  }

  get outstanding(): Outstanding<Entry> | undefined {
    return this.#outstanding
  }

  /** Entries that wait or are unanswered: the load of this peer as its sender knows it. */
  get load(): number {
    return this.#queue.length + (this.#outstanding?.entries.length ?? 0)
  }

  get queued(): number {
    return this.#queue.length
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** False: the queue is at its bound, and for this entry the peer is missing. */
  push(entry: Entry): boolean {
    const { linkQueueMax, linkQueueBytesMax } = this.#limits
    if (this.#queue.length >= linkQueueMax || this.#queuedBytes >= linkQueueBytesMax) return false
    this.#queue.push(entry)
    this.#queuedBytes += entry.bytes
    return true
  }

  /** The entries of the next message if the credit is here and something waits; the caller must send it. */
  take(id: MessageId, nowMs: number): readonly Entry[] | undefined {
    if (this.#outstanding !== undefined) return undefined
    let entries: readonly Entry[] = []
    // Where all that was cut has ended meanwhile, what waits behind it goes: nobody may come by again to send it.
    while (entries.length === 0 && this.#queue.length > 0) entries = this.#cut()
    if (entries.length === 0) return undefined
    this.#outstanding = { id, sentAtMs: nowMs, entries, hedged: false, message: undefined, lastSentAtMs: nowMs }
    return entries
  }

  /** What was made of the entries that were taken. */
  sent(message: Message): void {
    if (this.#outstanding !== undefined) this.#outstanding.message = message
  }

  /** An empty message: only asks whether the peer is there. */
  ping(id: MessageId, nowMs: number): void {
    const times = { sentAtMs: nowMs, lastSentAtMs: nowMs }
    this.#outstanding = { id, entries: [], hedged: false, message: undefined, ...times }
  }

  /** A reply came: gives the credit back. Returns the answered message, or undefined for a reply to an older life's. */
  settle(replyTo: MessageId): Outstanding<Entry> | undefined {
    const answered = this.#outstanding
    if (answered?.id !== replyTo) return undefined
    this.#outstanding = undefined
    return answered
  }

  /** Takes back what waits (not what was sent). */
  takeBack(): readonly Entry[] {
    const queue = this.#queue
    this.#queue = []
    this.#queuedBytes = 0
    return queue
  }

  /** The peer's thread ended: takes back everything, sent and unsent. */
  reset(): { readonly sent: readonly Entry[]; readonly unsent: readonly Entry[] } {
    const sent = this.#outstanding?.entries ?? []
    this.#outstanding = undefined
    return { sent, unsent: this.takeBack() }
  }

  #cut(): readonly Entry[] {
    let operations = 0
    let bytes = 0
    let end = 0
    while (end < this.#queue.length && operations < MESSAGE_OPERATIONS_MAX && bytes < MESSAGE_BYTES_MAX) {
      const entry = this.#queue[end++] as Entry
      operations += entry.operations
      bytes += entry.bytes
    }
    this.#queuedBytes -= bytes
    const cut = end === this.#queue.length ? this.#queue : this.#queue.slice(0, end)
    this.#queue = end === this.#queue.length ? [] : this.#queue.slice(end)
    // What has ended meanwhile (answered by somebody else, expired) need not be sent.
    return cut.some(isGone) ? cut.filter((entry) => !isGone(entry)) : cut
  }
}

function isGone(entry: LaneEntry): boolean {
  return entry.request.phase === 'gone'
}
