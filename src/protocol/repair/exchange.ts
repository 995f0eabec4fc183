/**
 * An exchange with another replica: both compare what they hold of their shared partitions, range by range, and each
 * gets what it lacks. It heals what neither hints nor read repair know of: writes whose coordinator vanished.
 *
 * The initiator digests a range of its own keys and sends digest and bounds; the other digests the same range. Equal
 * digests end the range for the price of two local scans; otherwise the other sends its records, the initiator merges them and writes back
 * what the other lacks. One range is under way at a time; the next waits, so that the front is not hurt, and until the bytes of
 * the last are within the rate.
 *
 * Called by `DynamoNode`. (Merkle trees that make an exchange of equal replicas cheap are a later step.)
 */

import { EXCHANGE_KEYS, TRANSFER_CHUNK_BYTES } from '../config.js'
import { type Address, type Key, type NodeId, type PartitionId, SUPERVISOR } from '../ids.js'
import {
  type ExchangeCompare,
  type ExchangeDiffer,
  type Message,
  PURPOSE,
  type Purpose,
  REPLY,
  type ReplyStatus,
} from '../messages.js'
import { digestOf } from '../range-digest.js'
import { isFullOwner, type PartitionTable } from '../ring/table.js'
import type { StorePage, StoreScan } from '../store-contract.js'
import type { TransferBudget } from '../transfer-budget.js'
import { recordCovers, type VersionRecord } from '../versions/record.js'

/**
 * Pause after each range, in times that it took: an exchange works a fifth of the time at most, and less often where the machine
 * is busy and a range takes longer. Requests that wait for the same processors come first.
 */
const PAUSE_FACTOR = 4
const PAUSE_MS_MIN = 2
const PAUSE_MS_MAX = 100
/** Pause before a range of which the own store or the peer refused something is compared again, and how often it is. */
const STORE_RETRY_MS = 100
const STORE_RETRIES_MAX = 3
/** A peer that does not answer for so long is asked again from the same range. */
const ANSWER_TIMEOUT_MS = 2_000

export type ExchangeOutput =
  | { readonly type: 'send'; readonly to: Address; readonly message: Message }
  | { readonly type: 'scan'; readonly token: number; readonly scan: StoreScan }
  | {
      readonly type: 'store'
      readonly local: number
      readonly keys: readonly Key[]
      readonly records: readonly VersionRecord[]
      readonly purpose: Purpose
    }
  /** The peer lacks this: write it there, and tell by `onPushed`, with the same number, whether it took it. */
  | {
      readonly type: 'push'
      readonly push: number
      readonly node: NodeId
      readonly key: Key
      readonly record: VersionRecord
    }
  | { readonly type: 'damaged'; readonly key: Key }
  | { readonly type: 'progress'; readonly peer: NodeId; readonly keysDiffering: number; readonly done: boolean }

/** The exchange that this node drives now. */
interface Running {
  readonly peer: NodeId
  readonly partitions: readonly PartitionId[]
  after: Key | undefined
  state: 'idle' | 'scanning' | 'asked' | 'storing'
  /** Token of the scan, id of the message, number of the local write: whichever is awaited. */
  awaited: number
  /** In `storing`: the local write has not ended; records that the peer has not answered for; anything refused so far. */
  isStoring: boolean
  pushing: number
  refused: boolean
  /** Of this range; and whether every range so far was taken in the end. */
  retries: number
  isWhole: boolean
  own: Map<Key, VersionRecord>
  to: Key | undefined
  keysDiffering: number
  /** When the range was begun. */
  sinceMs: number
  notBeforeMs: number
}

export class Exchange {
  readonly #self: NodeId
  readonly #budget: TransferBudget
  readonly #take: () => number
  #queue: NodeId[] = []
  #done: NodeId[] = []
  #running: Running | undefined
  /** After a range, of this peer or the one before, nothing is begun until then. */
  #restUntilMs = 0
  readonly #serving = new Map<number, { readonly from: Address; readonly message: ExchangeCompare }>()
  #output: ExchangeOutput[] = []

  constructor(options: { self: NodeId; budget: TransferBudget; take: () => number }) {
    this.#self = options.self
    this.#budget = options.budget
    this.#take = options.take
  }

  /** Peers still to be exchanged with. */
  get remaining(): number {
    return this.#queue.length + (this.#running === undefined ? 0 : 1)
  }

  takeOutput(): readonly ExchangeOutput[] {
    const output = this.#output
    if (output.length > 0) this.#output = []
    return output
  }

  /** The supervisor orders exchanges; those already queued are not queued twice, one that runs is run again after. */
  onStart(peers: readonly NodeId[]): void {
    for (const peer of peers) if (!this.#queue.includes(peer)) this.#queue.push(peer)
  }

  /** Goes on where it can. `isUp`: may the peer be asked now? */
  advance(table: PartitionTable, isUp: (node: NodeId) => boolean, nowMs: number): void {
    if (this.#running === undefined && nowMs >= this.#restUntilMs) this.#begin(table, isUp, nowMs)
    const running = this.#running
    if (running === undefined || running.notBeforeMs > nowMs) return
    if (running.state === 'asked') running.state = 'idle'
    if (running.state !== 'idle' || !isUp(running.peer)) return
    running.state = 'scanning'
    running.sinceMs = nowMs
    running.awaited = this.#take()
    const { partitions, after } = running
    const range = after === undefined ? { reverse: false } : { from: after, fromExclusive: true, reverse: false }
    const scan = { range, limit: EXCHANGE_KEYS, bytesMax: TRANSFER_CHUNK_BYTES, partitions }
    this.#output.push({ type: 'scan', token: running.awaited, scan })
  }

  /** When `advance` may do something although nothing happened; Infinity: not. */
  nextDeadlineMs(isUp: (node: NodeId) => boolean): number {
    const running = this.#running
    if (running === undefined && this.#queue.some(isUp)) return this.#restUntilMs
    const isDue = running?.state === 'asked' || (running?.state === 'idle' && isUp(running.peer))
    return running !== undefined && isDue ? running.notBeforeMs : Number.POSITIVE_INFINITY
  }

  /** The other side: somebody compares with us. Answered when the scan is done. */
  onCompare(from: Address, message: ExchangeCompare, table: PartitionTable): void {
    const partitions = message.partitions.filter((partition) => {
      const row = table.rows[partition]
      return row !== undefined && isFullOwner(row, this.#self)
    })
    if (partitions.length < message.partitions.length) {
      const reply = { type: 'exchange/differ' as const, replyTo: message.id, same: false, keys: [], records: [] }
      this.#output.push({ type: 'send', to: from, message: { ...reply, status: REPLY.stale } })
      return
    }
    const token = this.#take()
    this.#serving.set(token, { from, message })
    this.#output.push({ type: 'scan', token, scan: scanOf(message, partitions) })
  }

  /** True if the scan was one of ours. */
  onScanned(token: number, page: StorePage, nowMs: number): boolean {
    const served = this.#serving.get(token)
    if (served !== undefined) {
      this.#serving.delete(token)
      this.#answer(served.from, served.message, page, nowMs)
      return true
    }
    const running = this.#running
    if (running?.state !== 'scanning' || running.awaited !== token) return false
    running.own = this.#intact(page)
    running.to = page.next
    running.state = 'asked'
    running.awaited = this.#take()
    running.notBeforeMs = nowMs + ANSWER_TIMEOUT_MS
    const { peer, partitions, after, to } = running
    const message = {
      type: 'exchange/compare' as const,
      id: running.awaited,
      epoch: 0,
      partitions,
      digest: digestOf(running.own),
    }
    const bounds = { ...(after === undefined ? {} : { after }), ...(to === undefined ? {} : { to }) }
    this.#output.push({ type: 'send', to: peer, message: { ...message, ...bounds, bytesMax: TRANSFER_CHUNK_BYTES } })
    return true
  }

  onDiffer(from: Address, message: ExchangeDiffer, nowMs: number): void {
    const running = this.#running
    if (running?.state !== 'asked' || running.awaited !== message.replyTo || running.peer !== from) return
    if (message.status !== REPLY.ok) {
      // Its table is not ours: the supervisor orders again once a table changed hands; this one ends without a word.
      this.#end(running, false, nowMs)
      return
    }
    if (message.same) return this.#next(running, running.to, 0, nowMs)
    const theirs = new Map(message.keys.map((key, index) => [key, message.records[index] as VersionRecord]))
    const isWithin = (key: Key) => message.to === undefined || key <= message.to
    const keys: Key[] = []
    const records: VersionRecord[] = []
    for (const [key, record] of theirs) {
      if (recordCovers(running.own.get(key), record)) continue
      keys.push(key)
      records.push(record)
    }
    running.awaited = this.#take()
    const moved = [...message.records]
    let pushed = 0
    for (const [key, record] of running.own) {
      if (!isWithin(key) || recordCovers(theirs.get(key), record)) continue
      this.#output.push({ type: 'push', push: running.awaited, node: running.peer, key, record })
      moved.push(record)
      pushed += 1
    }
    running.keysDiffering += keys.length + pushed
    running.to = message.to ?? running.to
    running.state = 'storing'
    running.isStoring = true
    running.pushing = pushed
    running.refused = false
    this.#budget.charge(moved, nowMs)
    running.notBeforeMs = this.#budget.freeAtMs
    this.#output.push({ type: 'store', local: running.awaited, keys, records, purpose: PURPOSE.repair })
  }

  /**
   * True if the local write was one of ours. `unknown`: some record is damaged here. It is healed by itself, from other
   * owners, and does not hold the rest up: the others of its range have been written.
   */
  onStored(local: number, status: ReplyStatus, nowMs: number): boolean {
    const running = this.#running
    if (running?.state !== 'storing' || running.awaited !== local) return false
    running.isStoring = false
    if (status !== REPLY.ok && status !== REPLY.unknown) running.refused = true
    this.#settleRange(running, nowMs)
    return true
  }

  /** The peer took a record that it lacked, or not. `unknown` as in `onStored`: its own is damaged, and is healed by itself. */
  onPushed(push: number, status: ReplyStatus, nowMs: number): void {
    const running = this.#running
    if (running?.state !== 'storing' || running.awaited !== push) return
    running.pushing -= 1
    if (status !== REPLY.ok && status !== REPLY.unknown) running.refused = true
    this.#settleRange(running, nowMs)
  }

  /** A peer's thread ended: the range is compared again when it is back. */
  onPeerLost(node: NodeId, nowMs: number): void {
    const running = this.#running
    if (running?.peer === node && running.state === 'asked') running.notBeforeMs = nowMs
  }

  /** Peers that are down for good are not waited for. */
  onPeerDown(node: NodeId, nowMs: number): void {
    const waited = this.#queue.includes(node)
    this.#queue = this.#queue.filter((peer) => peer !== node)
    if (this.#running?.peer === node) this.#end(this.#running, false, nowMs)
    // It was the last: the others have been compared with, and nothing else would tell.
    else if (waited && this.#running === undefined) this.#report()
  }

  #begin(table: PartitionTable, isUp: (node: NodeId) => boolean, nowMs: number): void {
    const peer = this.#queue.find(isUp)
    if (peer === undefined) return
    this.#queue = this.#queue.filter((other) => other !== peer)
    const partitions: PartitionId[] = []
    table.rows.forEach((row, partition) => {
      // A standby compares, too, and is compared with by nobody: it serves nothing.
      const isOurs = isFullOwner(row, this.#self) || row.standbys.includes(this.#self)
      if (isFullOwner(row, peer) && isOurs) partitions.push(partition)
    })
    this.#running = {
      peer,
      partitions,
      after: undefined,
      state: 'idle',
      awaited: 0,
      isStoring: false,
      pushing: 0,
      refused: false,
      retries: 0,
      isWhole: true,
      own: new Map(),
      to: undefined,
      keysDiffering: 0,
      sinceMs: nowMs,
      notBeforeMs: nowMs,
    }
    if (partitions.length === 0) this.#end(this.#running, true, nowMs)
  }

  /**
   * Both sides have what they lacked: on to the next range. Where one refused something, the range is compared again, a few
   * times; then the others get their turn, and this exchange stays owed.
   */
  #settleRange(running: Running, nowMs: number): void {
    if (running.isStoring || running.pushing > 0) return
    if (running.refused && running.retries < STORE_RETRIES_MAX) {
      running.retries += 1
      running.state = 'idle'
      running.notBeforeMs = nowMs + STORE_RETRY_MS
      return
    }
    if (running.refused) running.isWhole = false
    running.retries = 0
    this.#next(running, running.to, Math.max(0, this.#budget.freeAtMs - nowMs), nowMs)
  }

  #next(running: Running, to: Key | undefined, rateMs: number, nowMs: number): void {
    if (to === undefined) return this.#end(running, running.isWhole, nowMs)
    running.after = to
    running.state = 'idle'
    running.notBeforeMs = nowMs + Math.max(pauseAfter(running, nowMs), rateMs)
  }

  #end(running: Running, whole: boolean, nowMs: number): void {
    this.#running = undefined
    this.#restUntilMs = nowMs + pauseAfter(running, nowMs)
    if (whole) this.#done.push(running.peer)
    this.#output.push({ type: 'progress', peer: running.peer, keysDiffering: running.keysDiffering, done: true })
    this.#report()
  }

  /** Once nobody is left to compare with. */
  #report(): void {
    if (this.#queue.length > 0) return
    this.#output.push({ type: 'send', to: SUPERVISOR, message: { type: 'exchange/done', peers: this.#done } })
    this.#done = []
  }

  #intact(page: StorePage): Map<Key, VersionRecord> {
    const records = new Map<Key, VersionRecord>()
    page.keys.forEach((key, index) => {
      const record = page.records[index]
      if (record === 'damaged') this.#output.push({ type: 'damaged', key })
      else if (record !== undefined) records.set(key, record)
    })
    return records
  }

  #answer(to: Address, message: ExchangeCompare, page: StorePage, nowMs: number): void {
    const own = this.#intact(page)
    // A page that ended early (its bounds) cannot be the same; the rest is compared by the next range.
    const isWhole = page.next === undefined || page.next === message.to
    const same = isWhole && digestOf(own) === message.digest
    const end = isWhole ? message.to : page.next
    const reply = { type: 'exchange/differ' as const, replyTo: message.id, status: REPLY.ok, same }
    const content = same ? { keys: [], records: [] } : { keys: [...own.keys()], records: [...own.values()] }
    this.#budget.charge(content.records, nowMs)
    this.#output.push({
      type: 'send',
      to,
      message: { ...reply, ...content, ...(end === undefined ? {} : { to: end }) },
    })
  }
}

function pauseAfter({ sinceMs }: Running, nowMs: number): number {
  return Math.min(PAUSE_MS_MAX, Math.max(PAUSE_MS_MIN, (nowMs - sinceMs) * PAUSE_FACTOR))
}

function scanOf(message: ExchangeCompare, partitions: readonly PartitionId[]): StoreScan {
  const { after, to, bytesMax } = message
  const from = after === undefined ? {} : { from: after, fromExclusive: true }
  const range = { ...from, ...(to === undefined ? {} : { to }), reverse: false }
  return { range, limit: EXCHANGE_KEYS * 8, bytesMax: bytesMax * 4, partitions }
}
