/**
 * An exchange with another replica: both find where what they hold of their shared partitions differs, and each gets what it
 * lacks. It heals what neither hints nor read repair know of: writes whose coordinator vanished, stores that have forgotten.
 *
 *   1. Their Merkle trees are compared from the roots down (`tree-walk.ts`): equal replicas part after one small message.
 *   2. Keys lie in the user's order, so one pass over both stores finds the keys of all leaves that differ, range by range. The
 *      initiator lists keys and versions, the other sends the records in which they differ, the initiator merges them and writes
 *      back what the other lacks.
 *
 * One range is under way at a time; the next waits, so that the front is not hurt, and until the bytes of the last are within the
 * rate. Besides the exchanges that the supervisor orders, every node compares with its peers in turn (`antiEntropyIntervalMs`).
 *
 * Called by `DynamoNode`.
 */

import { EXCHANGE_KEYS, TRANSFER_CHUNK_BYTES } from '../config.js'
import type { ExchangeCompare, ExchangeDiffer, ExchangeHashes, ExchangeUnequal } from '../exchange-messages.js'
import { type Address, type Key, type NodeId, type PartitionId, SUPERVISOR } from '../ids.js'
import { type Message, PURPOSE, REPLY, type ReplyStatus } from '../messages.js'
import { pauseMs } from '../pacing.js'
import { isFullOwner, type PartitionTable } from '../ring/table.js'
import type { StorePage } from '../store-contract.js'
import type { TransferBudget } from '../transfer-budget.js'
import { recordCovers, type VersionRecord, versionHash } from '../versions/record.js'
import { AntiEntropyTurns } from './anti-entropy-turns.js'
import { ExchangeAnswers } from './exchange-answers.js'
import { type ExchangeOutput, isAwaiting, newRun, type Running } from './exchange-run.js'
import type { MerkleForest } from './merkle-forest.js'
import { TreeWalk } from './tree-walk.js'

/** Pause before a range of which the own store or the peer refused something is compared again, and how often it is. */
const STORE_RETRY_MS = 100
const STORE_RETRIES_MAX = 3
/** A peer that does not answer for so long is asked again from the same range. */
const ANSWER_TIMEOUT_MS = 2_000

export class Exchange {
  readonly #self: NodeId
  readonly #budget: TransferBudget
  readonly #take: () => number
  readonly #forest: MerkleForest
  readonly #current: (key: Key) => VersionRecord | undefined
  readonly #answers: ExchangeAnswers
  readonly #turns: AntiEntropyTurns
  #queue: NodeId[] = []
  #done: NodeId[] = []
  #running: Running | undefined
  /** After a range, of this peer or the one before, nothing is begun until then. */
  #restUntilMs = 0
  #output: ExchangeOutput[] = []

  /** `intervalMs`: between two exchanges that nobody ordered; 0: there are none. */
  constructor(options: {
    self: NodeId
    budget: TransferBudget
    intervalMs: number
    take: () => number
    forest: MerkleForest
    /** What the store has of a key now. */
    current: (key: Key) => VersionRecord | undefined
    nowMs: number
  }) {
    this.#self = options.self
    this.#budget = options.budget
    this.#take = options.take
    this.#forest = options.forest
    this.#current = options.current
    this.#answers = new ExchangeAnswers(options.forest, options.current)
    this.#turns = new AntiEntropyTurns(options)
  }

  /** Ordered ones, still to be done. */
  get remaining(): number {
    return this.#queue.length + (this.#running?.isOrdered === true ? 1 : 0)
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
    if (running === undefined) return
    // What is ordered comes first.
    if (!running.isOrdered && running.state !== 'storing' && this.#queue.some(isUp))
      return this.#end(running, false, nowMs)
    if (running.notBeforeMs > nowMs) return
    if (running.state === 'asked') {
      running.walk?.repeat()
      running.state = 'idle'
    }
    if (running.state !== 'idle' || !isUp(running.peer)) return
    running.sinceMs = nowMs
    if (running.walk !== undefined) this.#walk(running, running.walk, nowMs)
    else this.#scan(running)
  }

  /** When `advance` may do something although nothing happened; Infinity: not. */
  nextDeadlineMs(isUp: (node: NodeId) => boolean): number {
    const running = this.#running
    if (running === undefined) {
      const dueMs = this.#queue.some(isUp) ? 0 : this.#turns.dueMs
      return Math.max(this.#restUntilMs, dueMs)
    }
    const isDue = running.state === 'asked' || (running.state === 'idle' && isUp(running.peer))
    return isDue ? running.notBeforeMs : Number.POSITIVE_INFINITY
  }

  /** The other side: somebody compares with us. */
  onHashes(from: Address, message: ExchangeHashes, table: PartitionTable): void {
    const reply = this.#answers.answerHashes(message, (partition) => this.#isOurs(table, partition))
    this.#output.push({ type: 'send', to: from, message: reply })
  }

  /** As `onHashes`; answered when the scan is done. */
  onCompare(from: Address, message: ExchangeCompare, table: PartitionTable): void {
    const token = this.#take()
    const scan = this.#answers.onCompare(from, message, (partition) => this.#isOurs(table, partition), token)
    if (scan !== undefined) this.#output.push({ type: 'scan', token, scan })
    else {
      const reply = { type: 'exchange/differ' as const, replyTo: message.id, keys: [], records: [], lacking: [] }
      this.#output.push({ type: 'send', to: from, message: { ...reply, status: REPLY.stale } })
    }
  }

  /** True if the scan was one of ours. */
  onScanned(token: number, page: StorePage, nowMs: number): boolean {
    const answered = this.#answers.onScanned(token, page)
    if (answered !== undefined) {
      this.#budget.charge(answered.message.records, nowMs)
      for (const key of answered.damaged) this.#output.push({ type: 'damaged', key })
      this.#output.push({ type: 'send', to: answered.to, message: answered.message })
      return true
    }
    const running = this.#running
    if (running?.state !== 'scanning' || running.awaited !== token) return false
    running.own = this.#intact(page)
    running.to = page.next
    const { after, to, pass, own } = running
    const bounds = { ...(after === undefined ? {} : { after }), ...(to === undefined ? {} : { to }) }
    this.#ask(running, nowMs, (id) => ({
      ...{ type: 'exchange/compare', id, epoch: 0, ...pass, ...bounds },
      keys: [...own.keys()],
      versions: [...own.values()].map(versionHash),
      bytesMax: TRANSFER_CHUNK_BYTES,
    }))
    return true
  }

  onUnequal(from: Address, message: ExchangeUnequal, nowMs: number): void {
    const running = this.#running
    if (running?.walk === undefined || !isAwaiting(running, from, message.replyTo)) return
    if (message.status !== REPLY.ok) return this.#end(running, false, nowMs)
    running.walk.onAnswer(message.places, message.blind)
    running.state = 'idle'
    running.notBeforeMs = nowMs + running.walk.pauseMs
    if (running.walk.isDone) this.#beginPasses(running, running.walk, nowMs)
  }

  onDiffer(from: Address, message: ExchangeDiffer, nowMs: number): void {
    const running = this.#running
    if (running === undefined || running.walk !== undefined || !isAwaiting(running, from, message.replyTo)) return
    // The same is about to be asked again.
    if (nowMs >= running.notBeforeMs) return
    if (message.status !== REPLY.ok) {
      // Its table is not ours: the supervisor orders again once a table changed hands; this one ends without a word.
      this.#end(running, false, nowMs)
      return
    }
    running.to = message.to
    if (message.keys.length + message.lacking.length === 0) return this.#next(running, running.to, 0, nowMs)
    const keys: Key[] = []
    const records: VersionRecord[] = []
    running.awaited = this.#take()
    const moved = [...message.records]
    let pushed = 0
    const push = (key: Key): void => {
      // A page may be old: what has been forgotten since must not be pushed.
      const record = this.#current(key)
      if (record === undefined) return
      this.#output.push({ type: 'push', push: running.awaited, node: running.peer, key, record })
      moved.push(record)
      pushed += 1
    }
    message.keys.forEach((key, index) => {
      const theirs = message.records[index] as VersionRecord
      const own = running.own.get(key)
      if (!recordCovers(own, theirs)) {
        keys.push(key)
        records.push(theirs)
      }
      if (own !== undefined && !recordCovers(theirs, own)) push(key)
    })
    for (const key of message.lacking) push(key)
    running.keysDiffering += keys.length + pushed
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
    else if (waited && this.#running?.isOrdered !== true) this.#report()
  }

  #begin(table: PartitionTable, isUp: (node: NodeId) => boolean, nowMs: number): void {
    const ordered = this.#queue.find(isUp)
    const peer = ordered ?? this.#turns.take(table, isUp, nowMs)
    if (peer === undefined) return
    this.#queue = this.#queue.filter((other) => other !== peer)
    const partitions: PartitionId[] = []
    table.rows.forEach((row, partition) => {
      // A standby compares, too, and is compared with by nobody: it serves nothing.
      const isOurs = isFullOwner(row, this.#self) || row.standbys.includes(this.#self)
      if (isFullOwner(row, peer) && isOurs) partitions.push(partition)
    })
    const walk = new TreeWalk(partitions, this.#forest.fan)
    this.#running = newRun({ peer, isOrdered: ordered !== undefined, walk }, nowMs)
    if (partitions.length === 0) this.#end(this.#running, true, nowMs)
  }

  #isOurs(table: PartitionTable, partition: PartitionId): boolean {
    const row = table.rows[partition]
    return row !== undefined && isFullOwner(row, this.#self)
  }

  #ask(running: Running, nowMs: number, question: (id: number) => Message): void {
    running.state = 'asked'
    running.awaited = this.#take()
    running.notBeforeMs = nowMs + ANSWER_TIMEOUT_MS
    this.#output.push({ type: 'send', to: running.peer, message: question(running.awaited) })
  }

  #walk(running: Running, walk: TreeWalk, nowMs: number): void {
    const question = walk.next((partition) => this.#forest.isTrusted(partition))
    if (question === undefined) {
      running.notBeforeMs = nowMs + walk.pauseMs
      if (walk.isDone) this.#beginPasses(running, walk, nowMs)
      return
    }
    const { level, partitions, nodes } = question
    const hashOf = (lane: 'low' | 'high') =>
      partitions.map((partition, index) => this.#forest[lane](partition, level, nodes[index] ?? 0))
    const hashes = { lows: hashOf('low'), highs: hashOf('high') }
    this.#ask(running, nowMs, (id) => ({ type: 'exchange/hashes', id, epoch: 0, ...question, ...hashes }))
  }

  #beginPasses(running: Running, walk: TreeWalk, nowMs: number): void {
    const { wholes, leaves } = walk.result()
    running.walk = undefined
    if (wholes.length > 0) running.passes.push({ partitions: wholes })
    const perTree = this.#forest.fan ** 2
    const partitions = [...new Set(leaves.map((leaf) => Math.floor(leaf / perTree)))]
    if (leaves.length > 0) running.passes.push({ partitions, leaves })
    this.#nextPass(running, nowMs)
  }

  #nextPass(running: Running, nowMs: number): void {
    const pass = running.passes.shift()
    if (pass === undefined) return this.#end(running, running.isWhole, nowMs)
    running.pass = pass
    running.after = undefined
    running.state = 'idle'
  }

  #scan(running: Running): void {
    running.state = 'scanning'
    running.awaited = this.#take()
    const { pass, after } = running
    const range = after === undefined ? { reverse: false } : { from: after, fromExclusive: true, reverse: false }
    const scan = { range, limit: EXCHANGE_KEYS, bytesMax: TRANSFER_CHUNK_BYTES, ...pass }
    this.#output.push({ type: 'scan', token: running.awaited, scan })
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
    running.notBeforeMs = nowMs + Math.max(pauseMs(running.sinceMs, nowMs), rateMs)
    if (to === undefined) return this.#nextPass(running, nowMs)
    running.after = to
    running.state = 'idle'
  }

  #end(running: Running, whole: boolean, nowMs: number): void {
    this.#running = undefined
    this.#restUntilMs = nowMs + pauseMs(running.sinceMs, nowMs)
    const { peer, keysDiffering, isOrdered } = running
    if (isOrdered || keysDiffering > 0) this.#output.push({ type: 'progress', peer, keysDiffering, done: true })
    if (!isOrdered) return this.#turns.onEnd(running.beganMs, nowMs)
    if (whole) this.#done.push(peer)
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
}
