/**
 * Where requests are coordinated: hosts every running request, batches what they send, and tells them what came back.
 * One code for both ways: a gateway has one (`coordination: 'client'`), and so has every node (`'server'`, hints, heals).
 *
 * It decides who is silent and when a read is hedged; what a request makes of that is the request's. It must never answer
 * a request twice, and never forget one: whatever happens, the deadline comes.
 *
 * Called by `Gateway` and `DynamoNode`, which take its `output` after every input.
 */

import type { ProtocolConfig } from '../config.js'
import type { Incarnation, Key, NodeId, PartitionId } from '../ids.js'
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
import { Answers } from './answers.js'
import { CoordinationOutput } from './coordination-output.js'
import { EpochTalk } from './epoch-talk.js'
import type { ForwardOperation } from './forward.js'
import { GetRequest } from './get.js'
import { type CoordinationLoad, loadOf } from './load.js'
import { tellEnded, tellOverdue, tellSilent } from './lost-legs.js'
import { MissedWrite } from './missed-write.js'
import type { Peer, WriteEntry } from './peer.js'
import { Peers } from './peers.js'
import type { Desk, HintLeg, Operation, OperationOutcome, Request, ScanLeg } from './request.js'
import type { RequestObserver } from './request-observer.js'
import { requestOf } from './request-of.js'
import { RequestRegistry } from './request-registry.js'
import { nextPingMs, onPong, pingQuiet, pingSilent } from './retransmission.js'
import { ScanCovers } from './scan-covers.js'

/** Shared: nobody adds to what has been taken. */
const NOTHING_TO_DO = new CoordinationOutput()

export class Coordination implements Desk {
  readonly config: ProtocolConfig
  readonly covers = new ScanCovers()
  /** Set by the host, and only while there is something to look at. */
  observer: RequestObserver | undefined = undefined
  nowMs = 0
  #table: PartitionTable
  readonly #peers: Peers
  readonly #requests: RequestRegistry
  #changes = 0
  #nextMessageId: MessageId
  /** Odd: inner requests; callers use even ids. */
  #nextInnerId = 1
  readonly #epochTalk = new EpochTalk()
  readonly #answers: Answers
  #output = new CoordinationOutput()

  /** `firstMessageId`: above all that an earlier life of the host may have used, so that no answer to it is taken for one to this. */
  constructor(config: ProtocolConfig, table: PartitionTable, firstMessageId: MessageId = 1) {
    this.#nextMessageId = firstMessageId
    this.config = config
    this.#table = table
    this.#peers = new Peers(config)
    this.#requests = new RequestRegistry(config.queues)
    this.#answers = new Answers(this, this.#peers, this.#compareEpochs)
  }

  get table(): PartitionTable {
    return this.#table
  }

  /** Requests that have not ended for their callers. */
  get running(): number {
    return this.#requests.running
  }

  /** Grows whenever a peer's health or the table has changed. */
  get changes(): number {
    return this.#changes + this.#peers.changes
  }

  /** Bytes that all requests keep alive. */
  get bytes(): number {
    return this.#requests.bytes
  }

  /** Writes that still see to their last owners, hints without a keeper included: `settled` waits for zero. */
  get lingering(): number {
    return this.#requests.lingering
  }

  /** For bounds. */
  load(): CoordinationLoad {
    return loadOf(this.#requests, this.#peers.sorted)
  }

  /** Takes what has gathered. `flush`: every lane that has its credit sends; else entries go on gathering. */
  takeOutput(flush = true): CoordinationOutput {
    if (flush) {
      const { nowMs, observer } = this
      const turn = { epoch: this.#table.epoch, nowMs, observer, nextId: this.#takeMessageId, send: this.#sendTo }
      for (const peer of this.#peers.sorted) if (peer.healthy || peer.isSalvaged) peer.flush(turn)
    }
    const output = this.#output
    // Most inputs lead to nothing.
    if (output.isEmpty) return NOTHING_TO_DO
    this.#output = new CoordinationOutput()
    return output
  }

  /** When `onTimer` wants to be called next. */
  nextDeadlineMs(): number {
    this.#peers.onTurn(this.nowMs)
    const { nextDeadlineMs } = this.#requests
    const next = Math.min(nextDeadlineMs, this.#peers.nextJudgementMs(), nextPingMs(this.#peers.sorted))
    // What should have been done already is expected now: the host is not late for it.
    this.#peers.expectTick(Math.max(next, this.nowMs))
    return next
  }

  submit(operation: Operation | ForwardOperation, nowMs: number): void {
    this.nowMs = nowMs
    this.#add(requestOf(operation, this.config, this.#table))
  }

  onReply(from: NodeId, message: DataReply, nowMs: number): void {
    this.nowMs = nowMs
    const peer = this.#peers.get(from)
    if (peer === undefined) return
    this.#heard(peer)
    this.#answers.settle(peer, message)
  }

  onOutcomes(from: NodeId, message: CoordinateReplies, nowMs: number): void {
    this.nowMs = nowMs
    const peer = this.#peers.get(from)
    if (peer === undefined) return
    this.#heard(peer)
    this.#compareEpochs(from, message.epoch, [])
    message.ids.forEach((id, index) => {
      const outcome = message.outcomes[index]
      const forward = this.#requests.forward(id)
      // Told twice, or of a request that somebody else has ended.
      if (outcome === undefined || forward?.isAsked(from) !== true) return
      peer.forwarded = Math.max(0, peer.forwarded - 1)
      this.observer?.onOutcome(from, id, outcome)
      forward.onOutcome(this, from, outcome)
    })
  }

  /** A silent peer is there. */
  onPong(from: NodeId, replyTo: MessageId, nowMs: number): void {
    this.nowMs = nowMs
    const peer = this.#peers.get(from)
    if (peer !== undefined) onPong(peer, replyTo, nowMs, this.#send)
  }

  /** Certain knowledge of a node's life. */
  onPeer(change: { node: NodeId; incarnation: number; status: PeerStatus }, nowMs: number): void {
    this.nowMs = nowMs
    const known = this.#peers.onChange(change, nowMs)
    if (known === undefined) return
    if (known.isReborn) {
      this.observer?.onNodeLost(change.node)
      tellEnded(this, known.peer, this.#forwards)
    }
    this.#retryWaiting()
  }

  /**
   * That life of a node ends. Nothing new if the supervisor's word on it has come before, which may be that there will be no other; or if
   * nothing was ever said of that life: it only read what a node left that is down for good.
   */
  onLinkClosed(node: NodeId, incarnation: Incarnation, nowMs: number): void {
    const peer = this.#peers.get(node)
    const mayLive = peer?.status === 'up' || peer?.status === 'starting'
    if (peer?.incarnation === incarnation && mayLive) this.onPeer({ node, incarnation, status: 'exited' }, nowMs)
  }

  onTable(table: PartitionTable, nowMs: number): void {
    this.nowMs = nowMs
    if (table.epoch <= this.#table.epoch) return
    this.#table = table
    this.#changes += 1
    for (const request of this.#requests.all()) if (request.phase !== 'gone') request.onTable(this)
    this.#retryWaiting()
  }

  onTimer(nowMs: number): void {
    this.nowMs = nowMs
    this.#peers.onTurn(nowMs)
    for (const peer of this.#peers.healthy()) this.#judge(peer)
    pingSilent(this.#peers.sorted, nowMs, this.#send, this.#takeMessageId)
    if (this.#requests.retrySlow(this)) for (const peer of this.#peers.sorted) peer.forwarded = 0
    if (this.#requests.isRetryDue(nowMs)) this.#retryWaiting()
    if (!this.#requests.isDeadlineDue(nowMs)) return
    for (const request of this.#requests.all()) {
      if (request.phase !== 'gone' && request.deadlineMs <= nowMs) request.onDeadline(this)
    }
    this.#requests.expectDeadlines()
  }

  /** What a closing host does: every request that runs ends with this failure. */
  endAll(code: 'CLOSED', nowMs: number): void {
    this.nowMs = nowMs
    for (const request of this.#requests.runningRequests()) {
      if (request.phase !== 'running') continue
      request.onDeadline(this)
      this.#output.tellAsClosed(request.id, code)
    }
    this.observer?.onClosed()
  }

  // --- Desk -----------------------------------------------------------------------------------------------------------

  peer(node: NodeId): Peer | undefined {
    return this.#peers.get(node)
  }

  healthyNodes(): readonly NodeId[] {
    return this.#peers.healthy().map((peer) => peer.node)
  }

  sendRead(request: Request, peer: Peer, key: Key, row: Row, fallback: boolean): boolean {
    return peer.pushRead(request, key, row.epoch, fallback)
  }

  sendWrite(node: NodeId, entry: WriteEntry): boolean {
    return this.#peers.get(node)?.writes.push(entry) ?? false
  }

  sendScan(request: Request, leg: ScanLeg): boolean {
    const rowEpochs = leg.partitions.map((partition) => rowOf(this.#table, partition).epoch)
    return this.#peers.get(leg.node)?.pushScan(request, leg, rowEpochs) ?? false
  }

  sendHint(request: Request, leg: HintLeg): boolean {
    return this.#peers.get(leg.keeper)?.pushHint(request, leg) ?? false
  }

  sendCoordinate(request: Request, node: NodeId, payload: CoordinateRequest): boolean {
    return this.#peers.get(node)?.pushCoordinate(request, payload) ?? false
  }

  probe(node: NodeId): void {
    const peer = this.#peers.get(node)
    if (peer?.coordinate.outstanding === undefined && peer?.takeProbe(this.nowMs) === true) this.#ping(peer)
  }

  wait(request: Request, soon: boolean): void {
    this.#requests.wait(request, soon, this.nowMs)
  }

  startInner(outer: Request, key: Key, r: number): void {
    const partition = partitionOf(key, this.config.partitions)
    const row = rowOf(this.#table, partition)
    const inner = new GetRequest(this.#takeInnerId(), key, partition, row, r, this.config, false, outer.deadlineMs)
    inner.outer = { request: outer, key }
    this.#add(inner)
  }

  end(request: Request, outcome: OperationOutcome, linger = false): void {
    if (request.phase !== 'running') return
    if (linger) this.#linger(request)
    else this.#requests.remove(request)
    const { outer } = request
    if (outer === undefined) this.#output.ends.push({ id: request.id, outcome })
    else if (outer.request.phase !== 'gone' && outcome.type !== 'page') outer.request.onInner(this, outer.key, outcome)
  }

  forget(request: Request): void {
    this.#requests.remove(request)
  }

  missed(target: NodeId, partition: PartitionId, keys: readonly Key[], records: readonly VersionRecord[]): void {
    const peer = this.#peers.get(target)
    // Down for good: the partition is refilled from the owners that have it.
    if (peer === undefined || peer.status === 'down') return
    const absentMs = peer.absentSinceMs === undefined ? 0 : this.nowMs - peer.absentSinceMs
    if (absentMs >= this.config.hintWindowMs || this.#requests.isMissedFull) return this.hintLost(target)
    const request = new MissedWrite({ id: this.#takeInnerId(), nowMs: this.nowMs, target, partition, keys, records })
    this.#requests.addMissed(request)
    request.start(this)
  }

  hintLost(target: NodeId): void {
    this.#output.hintsLost.add(target)
  }

  noticeRepair(key: Key, nodes: readonly NodeId[], blocking: boolean): void {
    this.#output.repairs.push({ key, nodes, blocking })
  }

  // --- inside ---------------------------------------------------------------------------------------------------------

  #add(request: Request): void {
    this.#requests.add(request)
    request.start(this)
  }

  #linger(request: Request): void {
    this.#requests.linger(request)
    for (let oldest = this.#requests.oldestOverBound; oldest !== undefined; oldest = this.#requests.oldestOverBound) {
      oldest.onDeadline(this)
    }
  }

  readonly #takeMessageId = (): MessageId => this.#nextMessageId++

  #takeInnerId(): RequestId {
    const id = this.#nextInnerId
    this.#nextInnerId += 2
    return id
  }

  #heard(peer: Peer): void {
    if (this.#peers.heard(peer, this.nowMs)) this.#retryWaiting()
  }

  readonly #compareEpochs = (from: NodeId, epoch: number, statuses: readonly ReplyStatus[]): void => {
    if (epoch === this.#table.epoch) return
    const message = this.#epochTalk.answer(from, epoch, statuses.includes(REPLY.stale), this.#table)
    if (message !== undefined) this.#output.sends.push({ to: from, message })
  }

  #judge(peer: Peer): void {
    for (const verdict of this.#peers.judge(peer, this.nowMs)) {
      switch (verdict) {
        case 'silent':
          this.#becomeSilent(peer)
          break
        case 'hedge':
          this.#hedge(peer)
          break
        case 'ping':
          this.#ping(peer)
          break
        default:
          verdict satisfies never
      }
    }
  }

  /** Its unanswered reads are sent to another replica each. What waits behind them was sent to nobody, and costs no budget. */
  #hedge(peer: Peer): void {
    const { outstanding } = peer.reads
    if (outstanding === undefined) return
    outstanding.hedged = true
    for (const { request } of outstanding.entries) {
      if (request instanceof GetRequest && request.phase === 'running') request.askOneMore(this)
    }
    tellOverdue(this, peer)
  }

  #ping(peer: Peer): void {
    this.#send(peer, pingQuiet(peer, this.#takeMessageId(), this.#table.epoch, this.nowMs))
  }

  #becomeSilent(peer: Peer): void {
    this.#peers.becomeSilent(peer, this.nowMs)
    tellSilent(this, peer, this.#forwards)
    this.#retryWaiting()
  }

  readonly #forwards = () => this.#requests.forwards()

  readonly #send = ({ node }: Peer, message: Message): void => this.#sendTo(node, message)

  readonly #sendTo = (to: NodeId, message: Message): void => {
    this.#output.sends.push({ to, message })
  }

  #retryWaiting(): void {
    for (const request of this.#requests.takeWaiting()) if (request.phase !== 'gone') request.retry(this)
  }
}
