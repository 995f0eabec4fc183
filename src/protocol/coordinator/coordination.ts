/**
 * Where requests are coordinated: hosts every running request, batches what they send, and tells them what came back.
 * One code for both ways: a gateway has one (`coordination: 'client'`), and so has every node (`'server'`, hints, heals).
 *
 * It decides who is silent and when a read is hedged; what a request makes of that is the request's. It must never answer
 * a request twice, and never forget one: whatever happens, the deadline comes.
 *
 * Called by `Gateway` and `DynamoNode`, which take its `output` after every input.
 */

import {
  HINT_BUFFER_BYTES_MAX,
  LINGER_BYTES_MAX,
  LINGER_REQUESTS_MAX,
  MESSAGE_OPERATIONS_MAX,
  type ProtocolConfig,
  RETRY_MS,
  SLOW_START_MS,
} from '../config.js'
import { IdTable } from '../id-table.js'
import type { Address, Key, NodeId, PartitionId } from '../ids.js'
import {
  type CoordinateReplies,
  type CoordinateRequest,
  type DataReply,
  type Message,
  type MessageId,
  type PeerStatus,
  REPLY,
  type ReplyStatus,
  type RequestId,
} from '../messages.js'
import { partitionOf } from '../ring/slot.js'
import { type PartitionTable, type Row, rowOf } from '../ring/table.js'
import type { VersionRecord } from '../versions/record.js'
import { DirectRequest } from './direct.js'
import { type ForwardOperation, ForwardRequest } from './forward.js'
import { GetRequest } from './get.js'
import { Hedging } from './hedging.js'
import type { Lane, LaneEntry } from './lane.js'
import { MissedWrite } from './missed-write.js'
import { type HintEntry, Peer, type ReadEntry, type WriteEntry } from './peer.js'
import { PutRequest } from './put.js'
import type { Desk, HintLeg, LostLeg, Operation, OperationOutcome, Request, ScanLeg, ScanPage } from './request.js'
import { RequestList } from './request-list.js'
import { ScanRequest } from './scan.js'

/** What a coordination wants done; its host takes it after each input. */
export interface CoordinationOutput {
  readonly sends: { readonly to: Address; readonly message: Message }[]
  readonly ends: { readonly id: RequestId; readonly outcome: OperationOutcome }[]
  readonly repairs: { readonly key: Key; readonly nodes: readonly NodeId[]; readonly blocking: boolean }[]
  readonly hintsLost: Set<NodeId>
}

/** The waiting list is looked through for what is gone when it has doubled; not below this. */
const WAITING_MIN = 1_024

export class Coordination implements Desk {
  readonly config: ProtocolConfig
  nowMs = 0
  #table: PartitionTable
  readonly #peers = new Map<NodeId, Peer>()
  #sortedPeers: readonly Peer[] = []
  /** Their callers wait. */
  readonly #running = new RequestList()
  /** Of those, what was forwarded, by id: its outcomes come one by one. */
  readonly #forwards = new IdTable<ForwardRequest>()
  /** Ended for their callers, still seeing to their last owners; oldest first. */
  readonly #lingering = new RequestList()
  #lingeringBytes = 0
  #missedBytes = 0
  #bytes = 0
  #waiting: Request[] = []
  #waitingMax = WAITING_MIN
  #retryAtMs = Number.POSITIVE_INFINITY
  #soonestDeadlineMs = Number.POSITIVE_INFINITY
  /** Silence is measured from here at the earliest: set when our own tick came late, so that nobody else is blamed. */
  #judgeFromMs = 0
  #expectedTickMs = Number.POSITIVE_INFINITY
  #changes = 0
  #nextMessageId = 1
  /** Odd: inner requests; callers use even ids. */
  #nextInnerId = 1
  readonly #hedging: Hedging
  readonly #announced = new Map<NodeId, number>()
  #output: CoordinationOutput = emptyOutput()

  constructor(config: ProtocolConfig, table: PartitionTable) {
    this.config = config
    this.#table = table
    this.#hedging = new Hedging(config.hedgeBudgetPercent)
  }

  get table(): PartitionTable {
    return this.#table
  }

  /** Requests that have not ended for their callers. */
  get running(): number {
    return this.#running.size
  }

  /** Grows whenever a peer's health or the table has changed. */
  get changes(): number {
    return this.#changes
  }

  /** Bytes that all requests keep alive. */
  get bytes(): number {
    return this.#bytes
  }

  /** Writes that still see to their last owners, hints without a keeper included: `settled` waits for zero. */
  get lingering(): number {
    return this.#lingering.size
  }

  /** Takes what has gathered. `flush`: every lane that has its credit sends; else entries go on gathering. */
  takeOutput(flush = true): CoordinationOutput {
    if (flush) this.#flush()
    const output = this.#output
    this.#output = emptyOutput()
    return output
  }

  #flush(): void {
    const options = {
      epoch: this.#table.epoch,
      nowMs: this.nowMs,
      nextId: (): MessageId => this.#nextMessageId++,
      send: (_message: Message): void => undefined,
    }
    for (const peer of this.#sortedPeers) {
      if (peer.status !== 'up' || peer.silent) continue
      options.send = (message) => this.#output.sends.push({ to: peer.node, message })
      peer.flush(options)
    }
  }

  /** When `onTimer` wants to be called next. */
  nextDeadlineMs(): number {
    let next = Math.min(this.#soonestDeadlineMs, this.#retryAtMs)
    for (const peer of this.#sortedPeers) {
      if (peer.status !== 'up' || peer.silent) continue
      const sentAtMs = peer.oldestSentAtMs()
      if (sentAtMs !== undefined) {
        const from = Math.max(sentAtMs, this.#judgeFromMs)
        next = Math.min(next, from + this.config.avoidAfterMs)
        const reads = peer.reads.outstanding
        if (reads !== undefined && !reads.hedged && this.#hedging.canSpend(reads.entries.length))
          next = Math.min(next, from + this.#hedging.afterMs)
      }
      if (peer.forwarded > 0) next = Math.min(next, peer.heardAtMs + this.config.avoidAfterMs)
    }
    this.#expectedTickMs = next
    return next
  }

  submit(operation: Operation | ForwardOperation, nowMs: number): void {
    this.nowMs = nowMs
    this.#add(this.#requestOf(operation))
  }

  onReply(from: NodeId, message: DataReply, nowMs: number): void {
    this.nowMs = nowMs
    const peer = this.#peers.get(from)
    if (peer === undefined) return
    this.#heard(peer)
    switch (message.type) {
      case 'replica/read-reply': {
        const answered = peer.reads.settle(message.replyTo) ?? peer.fallbackReads.settle(message.replyTo)
        if (answered === undefined) return
        const { entries } = answered
        this.#hedging.onLatency(nowMs - answered.sentAtMs, entries.length)
        this.#compareEpochs(from, message.epoch, message.statuses)
        for (let index = 0; index < entries.length; index++) {
          const { request } = entries[index] as ReadEntry
          const status = message.statuses[index] ?? REPLY.failed
          if (request.phase !== 'gone') request.onReadReply(this, from, status, message.records[index])
        }
        return
      }
      case 'replica/write-reply': {
        const entries = peer.writes.settle(message.replyTo)?.entries
        if (entries === undefined) return
        this.#compareEpochs(from, message.epoch, message.statuses)
        for (let index = 0; index < entries.length; index++) {
          const { request } = entries[index] as WriteEntry
          if (request.phase !== 'gone') request.onWriteReply(this, from, message.statuses[index] ?? REPLY.failed)
        }
        return
      }
      case 'replica/scan-reply': {
        const entry = peer.scans.settle(message.replyTo)?.entries[0]
        if (entry === undefined) return
        this.#compareEpochs(from, message.epoch, [message.status])
        if (entry.request.phase !== 'gone') entry.request.onScanReply(this, from, message, entry.scan.partitions)
        return
      }
      case 'hint/stored': {
        const entries = peer.hints.settle(message.replyTo)?.entries ?? []
        for (let index = 0; index < entries.length; index++) {
          const { request } = entries[index] as HintEntry
          if (request.phase !== 'gone') request.onHintReply(this, from, message.statuses[index] ?? REPLY.failed)
        }
        return
      }
      case 'coordinate/taken':
        peer.coordinate.settle(message.replyTo)
        return
      case 'transfer/chunk':
      case 'exchange/differ':
        return
      default:
        message satisfies never
    }
  }

  onOutcomes(from: NodeId, message: CoordinateReplies, nowMs: number): void {
    this.nowMs = nowMs
    const peer = this.#peers.get(from)
    if (peer === undefined) return
    this.#heard(peer)
    this.#compareEpochs(from, message.epoch, [])
    message.ids.forEach((id, index) => {
      peer.forwarded = Math.max(0, peer.forwarded - 1)
      const outcome = message.outcomes[index]
      if (outcome !== undefined) this.#forwards.get(id)?.onOutcome(this, from, outcome)
    })
  }

  /** Certain knowledge of a node's life. */
  onPeer(change: { node: NodeId; incarnation: number; status: PeerStatus }, nowMs: number): void {
    this.nowMs = nowMs
    let peer = this.#peers.get(change.node)
    if (peer === undefined) {
      peer = new Peer(change.node, change.incarnation, change.status)
      this.#peers.set(change.node, peer)
      this.#sortedPeers = [...this.#peers.values()].sort((a, b) => (a.node < b.node ? -1 : 1))
      this.#sortedPeers.forEach((sorted, order) => {
        sorted.order = order % 64
      })
    } else if (change.incarnation < peer.incarnation) return
    const reborn = change.incarnation > peer.incarnation || change.status !== 'up'
    if (change.status === 'up' && (reborn || peer.status !== 'up')) peer.warmAtMs = nowMs + SLOW_START_MS
    this.#changes += 1
    peer.incarnation = change.incarnation
    peer.status = change.status
    if (change.status === 'up') peer.absentSinceMs = undefined
    else peer.absentSinceMs ??= nowMs
    if (reborn) this.#loseAll(peer)
    this.#retryWaiting()
  }

  onTable(table: PartitionTable, nowMs: number): void {
    this.nowMs = nowMs
    if (table.epoch <= this.#table.epoch) return
    this.#table = table
    this.#changes += 1
    for (const request of this.#all()) if (request.phase !== 'gone') request.onTable(this)
    this.#retryWaiting()
  }

  onTimer(nowMs: number): void {
    this.nowMs = nowMs
    // The same thread that was too busy to tick was too busy to read its mail: nobody else is to blame.
    if (nowMs - this.#expectedTickMs > this.config.avoidAfterMs / 2) this.#judgeFromMs = nowMs
    for (const peer of this.#sortedPeers) if (peer.status === 'up' && !peer.silent) this.#judge(peer)
    if (nowMs >= this.#retryAtMs) this.#retryWaiting()
    if (nowMs >= this.#soonestDeadlineMs) this.#expire()
  }

  /** What a closing host does: every request that runs ends with this failure. */
  endAll(code: 'CLOSED', nowMs: number): void {
    this.nowMs = nowMs
    for (const request of this.#running.toArray()) {
      if (request.phase !== 'running') continue
      request.onDeadline(this)
      const last = this.#output.ends.at(-1)
      // What certainly left no trace is told as closed; an unknown outcome stays unknown.
      if (last?.id === request.id && last.outcome.type === 'failed' && last.outcome.failure.code === 'TIMEOUT') {
        this.#output.ends[this.#output.ends.length - 1] = {
          id: request.id,
          outcome: { type: 'failed', failure: { code } },
        }
      }
    }
  }

  // --- Desk -----------------------------------------------------------------------------------------------------------

  peer(node: NodeId): Peer | undefined {
    return this.#peers.get(node)
  }

  healthyNodes(): readonly NodeId[] {
    return this.#sortedPeers.filter((peer) => peer.healthy).map((peer) => peer.node)
  }

  sendRead(request: Request, peer: Peer, key: Key, row: Row, fallback: boolean): boolean {
    const lane = fallback ? peer.fallbackReads : peer.reads
    const { deadlineMs } = request
    return lane.push({ request, operations: 1, bytes: key.length, deadlineMs, key, rowEpoch: row.epoch })
  }

  sendWrite(node: NodeId, entry: WriteEntry): boolean {
    return this.#peers.get(node)?.writes.push(entry) ?? false
  }

  sendScan(request: Request, leg: ScanLeg): boolean {
    const rowEpochs = leg.partitions.map((partition) => rowOf(this.#table, partition).epoch)
    const { deadlineMs } = request
    const { node, ...page } = leg
    const scan = { type: 'replica/scan' as const, request: request.id, rowEpochs, deadlineMs, ...page }
    const entry = { request, operations: MESSAGE_OPERATIONS_MAX, bytes: 0, deadlineMs, scan }
    return this.#peers.get(node)?.scans.push(entry) ?? false
  }

  sendHint(request: Request, leg: HintLeg): boolean {
    const { keeper, ...payload } = leg
    const entry = {
      request,
      operations: 1,
      bytes: request.bytes,
      deadlineMs: request.deadlineMs,
      ...payload,
    }
    return this.#peers.get(keeper)?.hints.push(entry) ?? false
  }

  sendCoordinate(request: Request, node: NodeId, payload: CoordinateRequest): boolean {
    const peer = this.#peers.get(node)
    const entry = {
      request,
      operations: 1,
      bytes: request.bytes,
      deadlineMs: request.deadlineMs,
      payload,
    }
    return peer?.coordinate.push(entry) ?? false
  }

  wait(request: Request, soon: boolean): void {
    if (soon) this.#retryAtMs = Math.min(this.#retryAtMs, this.nowMs + RETRY_MS)
    if (request.isWaiting || request.phase === 'gone') return
    request.isWaiting = true
    this.#waiting.push(request)
    // Most that wait end before anything changes; what is gone must not be kept.
    if (this.#waiting.length < this.#waitingMax) return
    this.#waiting = this.#waiting.filter((waiting) => waiting.phase !== 'gone')
    this.#waitingMax = Math.max(WAITING_MIN, this.#waiting.length * 2)
  }

  startInner(outer: Request, key: Key, r: number): void {
    const partition = partitionOf(key, this.config.partitions)
    const row = rowOf(this.#table, partition)
    const inner = new GetRequest(this.#takeInnerId(), key, partition, row, r, false, outer.deadlineMs)
    inner.outer = { request: outer, key }
    this.#add(inner)
  }

  end(request: Request, outcome: OperationOutcome, linger = false): void {
    if (request.phase !== 'running') return
    if (linger) this.#linger(request)
    else this.#remove(request)
    const { outer } = request
    if (outer === undefined) this.#output.ends.push({ id: request.id, outcome })
    else if (outer.request.phase !== 'gone' && outcome.type !== 'page') outer.request.onInner(this, outer.key, outcome)
  }

  endPage(request: Request, page: ScanPage): void {
    this.end(request, { type: 'page', page })
  }

  forget(request: Request): void {
    if (request.phase === 'lingering') {
      if (request instanceof MissedWrite) this.#missedBytes -= request.bytes
      else this.#lingeringBytes -= request.bytes
    }
    this.#remove(request)
  }

  missed(target: NodeId, partition: PartitionId, keys: readonly Key[], records: readonly VersionRecord[]): void {
    const peer = this.#peers.get(target)
    // Down for good: the partition is refilled from the owners that have it.
    if (peer === undefined || peer.status === 'down') return
    const absentMs = peer.absentSinceMs === undefined ? 0 : this.nowMs - peer.absentSinceMs
    if (absentMs >= this.config.hintWindowMs || this.#missedBytes > HINT_BUFFER_BYTES_MAX) return this.hintLost(target)
    const request = new MissedWrite({ id: this.#takeInnerId(), nowMs: this.nowMs, target, partition, keys, records })
    this.#missedBytes += request.bytes
    request.phase = 'lingering'
    this.#add(request)
  }

  hintLost(target: NodeId): void {
    this.#output.hintsLost.add(target)
  }

  noticeRepair(key: Key, nodes: readonly NodeId[], blocking: boolean): void {
    this.#output.repairs.push({ key, nodes, blocking })
  }

  // --- inside ---------------------------------------------------------------------------------------------------------

  #all(): readonly Request[] {
    return [...this.#running.toArray(), ...this.#lingering.toArray()]
  }

  #requestOf(operation: Operation | ForwardOperation): Request {
    switch (operation.kind) {
      case 'get':
      case 'learn': {
        const { id, key, deadlineMs } = operation
        const partition = partitionOf(key, this.config.partitions)
        const row = rowOf(this.#table, partition)
        if (operation.kind === 'get')
          return new GetRequest(id, key, partition, row, operation.r, operation.sloppy, deadlineMs)
        const r = this.config.n - this.config.wFill + 1
        return new GetRequest(id, key, partition, row, r, false, deadlineMs, operation.except)
      }
      case 'put':
        return new PutRequest(operation, rowOf(this.#table, operation.partition))
      case 'scan':
        return new ScanRequest(operation)
      case 'direct':
        return new DirectRequest(operation, rowOf(this.#table, operation.partition))
      case 'forward':
        return new ForwardRequest(operation)
    }
  }

  #add(request: Request): void {
    if (request.phase === 'lingering') this.#lingering.add(request)
    else this.#running.add(request)
    if (request instanceof ForwardRequest) this.#forwards.add(request.id, request)
    this.#bytes += request.bytes
    if (request.deadlineMs < this.#soonestDeadlineMs) this.#soonestDeadlineMs = request.deadlineMs
    request.start(this)
  }

  #remove(request: Request): void {
    if (request.phase === 'gone') return
    request.phase = 'gone'
    request.list?.remove(request)
    if (request instanceof ForwardRequest) this.#forwards.take(request.id)
    this.#bytes -= request.bytes
  }

  #linger(request: Request): void {
    request.phase = 'lingering'
    this.#running.remove(request)
    this.#lingering.add(request)
    this.#lingeringBytes += request.bytes
    if (request.deadlineMs < this.#soonestDeadlineMs) this.#soonestDeadlineMs = request.deadlineMs
    while (this.#lingering.size > LINGER_REQUESTS_MAX || this.#lingeringBytes > LINGER_BYTES_MAX) {
      const oldest = this.#oldestLingeringPut()
      if (oldest === undefined) return
      oldest.onDeadline(this)
    }
  }

  #oldestLingeringPut(): Request | undefined {
    let request = this.#lingering.first
    while (request !== undefined && !(request instanceof PutRequest)) request = request.next
    return request
  }

  #takeInnerId(): RequestId {
    const id = this.#nextInnerId
    this.#nextInnerId += 2
    return id
  }

  #heard(peer: Peer): void {
    peer.heardAtMs = this.nowMs
    if (!peer.silent) return
    peer.silent = false
    this.#changes += 1
    this.#retryWaiting()
  }

  /** One side has an older table: the one with the newer sends it. */
  #compareEpochs(from: NodeId, epoch: number, statuses: readonly ReplyStatus[]): void {
    const own = this.#table.epoch
    if (epoch === own) return
    if (epoch > own) {
      this.#output.sends.push({ to: from, message: { type: 'table/request', epoch: own } })
      return
    }
    if (!statuses.includes(REPLY.stale) || this.#announced.get(from) === own) return
    this.#announced.set(from, own)
    this.#output.sends.push({ to: from, message: { type: 'table/announce', table: this.#table } })
  }

  #judge(peer: Peer): void {
    const sentAtMs = peer.oldestSentAtMs()
    if (sentAtMs !== undefined) {
      const ageMs = this.nowMs - Math.max(sentAtMs, this.#judgeFromMs)
      if (ageMs >= this.config.avoidAfterMs) return this.#becomeSilent(peer)
      const reads = peer.reads.outstanding
      if (
        reads !== undefined &&
        !reads.hedged &&
        ageMs >= this.#hedging.afterMs &&
        this.#hedging.spend(reads.entries.length)
      ) {
        reads.hedged = true
        for (const { request } of reads.entries) {
          if (request instanceof GetRequest && request.phase === 'running') request.askOneMore(this)
        }
      }
    }
    // It took requests to coordinate and says nothing: ask whether it is there, with an empty batch.
    const quietMs = this.nowMs - Math.max(peer.heardAtMs, this.#judgeFromMs)
    if (peer.forwarded > 0 && peer.coordinate.outstanding === undefined && quietMs >= this.config.avoidAfterMs) {
      const id = this.#nextMessageId++
      peer.coordinate.ping(id, this.nowMs)
      const message: Message = { type: 'coordinate/requests', id, epoch: this.#table.epoch, requests: [] }
      this.#output.sends.push({ to: peer.node, message })
      peer.heardAtMs = this.nowMs
    }
  }

  #becomeSilent(peer: Peer): void {
    peer.silent = true
    this.#changes += 1
    for (const lane of peer.lanes) {
      const waiting = lane.takeBack()
      const sent = lane.outstanding?.entries ?? []
      this.#tellLost(peer.node, sent, { sent: true, silent: true })
      this.#tellLost(peer.node, waiting, { sent: false, silent: true })
    }
    this.#tellForwards(peer, true)
    this.#retryWaiting()
  }

  #loseAll(peer: Peer): void {
    peer.silent = false
    for (const lane of peer.lanes as readonly Lane<LaneEntry>[]) {
      const { sent, unsent } = lane.reset()
      this.#tellLost(peer.node, sent, { sent: true, silent: false })
      this.#tellLost(peer.node, unsent, { sent: false, silent: false })
    }
    this.#tellForwards(peer, false)
    peer.forwarded = 0
  }

  #tellLost(node: NodeId, entries: readonly LaneEntry[], lost: LostLeg): void {
    // Once each: a request with several entries there would otherwise begin anew for every one of them.
    for (const request of new Set(entries.map((entry) => entry.request))) {
      if (request.phase !== 'gone') request.onLegLost(this, node, lost)
    }
  }

  #tellForwards(peer: Peer, silent: boolean): void {
    if (peer.forwarded === 0) return
    for (const request of this.#forwards.values()) request.onLegLost(this, peer.node, { sent: true, silent })
  }

  #retryWaiting(): void {
    this.#retryAtMs = Number.POSITIVE_INFINITY
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const request of waiting) request.isWaiting = false
    for (const request of waiting) if (request.phase !== 'gone') request.retry(this)
  }

  #expire(): void {
    this.#soonestDeadlineMs = Number.POSITIVE_INFINITY
    for (const request of this.#all()) {
      if (request.phase !== 'gone' && request.deadlineMs <= this.nowMs) request.onDeadline(this)
    }
    for (const { deadlineMs } of this.#all())
      if (deadlineMs < this.#soonestDeadlineMs) this.#soonestDeadlineMs = deadlineMs
  }
}

function emptyOutput(): CoordinationOutput {
  return { sends: [], ends: [], repairs: [], hintsLost: new Set() }
}
