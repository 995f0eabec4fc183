/**
 * A write of one partition's keys: send it to every owner, answer once w have accepted, see to the rest afterwards.
 *
 * Strict: acks of full owners count, and while the row is joint (places are being filled) also w of the *new* owners must
 * have accepted. Sloppy: fallbacks keep hints for owners that are not healthy, and count for them as long as they lack it (Dynamo §4.6).
 * After the answer the request lingers: an owner that misses the write gets it when it is back, or a hint is kept for it.
 * A definite failure is told only when no replica was sent the write or every one refused it; else *outcome unknown*.
 *
 * Called by `Coordination` only.
 */

import { LINGER_MS, RETRY_MS } from '../config.js'
import type { Key, NodeId, PartitionId } from '../ids.js'
import { PURPOSE, REPLY, type ReplyStatus } from '../messages.js'
import { MAJORITY, type Quorums, writeQuorumOf } from '../ring/quorum.js'
import { isJoint, type Row } from '../ring/table.js'
import type { VersionRecord } from '../versions/record.js'
import type { WriteEntry } from './peer.js'
import {
  type Desk,
  type HintAnswer,
  type LostLeg,
  type PutOperation,
  quorumFailure,
  Request,
  recordBytes,
  WRITTEN,
} from './request.js'
import { StandIns } from './stand-ins.js'

type LegState = 'unsent' | 'sent' | 'accepted' | 'refused' | 'given-up'

/** One target of the write. */
class Leg {
  state: LegState = 'unsent'
  againAtMs = 0
  /** The life of the node that refused it; the next one has opened its store anew. */
  refusedIn = 0
  /** Times it was sent there and neither accepted nor refused, earlier lives included: nobody can say that it is not there. */
  unresolved = 0

  constructor(
    readonly node: NodeId,
    /** A full owner: counts in the old quorum. */
    readonly isOwner: boolean,
    /** Will be a full owner after the flip: counts in the new quorum. */
    readonly isNew: boolean,
  ) {}
}

/** Of strict puts: nobody is ever asked. */
const NOBODY = new StandIns({ partition: 0, keys: [], records: [] })

export class PutRequest extends Request {
  private readonly partition: PartitionId
  private readonly keys: readonly Key[]
  private readonly records: readonly VersionRecord[]
  /** As asked for: MAJORITY follows the row. */
  private readonly asked: number
  /** Of the old owners, and of the new while the row is joint: it may get places, or lose some. */
  private w: number
  private newW: number
  private readonly sloppy: boolean
  /** Full owners that had accepted the records before the request began. */
  private readonly acceptedBefore: readonly NodeId[]
  private row: Row
  private joint: boolean
  private legs: Leg[]
  private readonly standIns: StandIns
  private ended = false
  /** The quorum can never be; only whether any replica has the write is still to be learned. */
  private doomed = false
  /** Survives a beginning anew under another row: something may be somewhere. */
  private maybeBefore: boolean

  constructor(operation: PutOperation, row: Row, quorums: Quorums) {
    super(operation.id, operation.deadlineMs, bytesOf(operation))
    this.partition = operation.partition
    this.keys = operation.keys
    this.records = operation.records
    this.asked = operation.w
    this.sloppy = operation.sloppy
    this.acceptedBefore = operation.accepted ?? []
    this.maybeBefore = this.acceptedBefore.length > 0
    this.row = row
    this.joint = isJoint(row)
    this.w = this.neededOf(quorums, row.owners.length)
    this.newW = this.neededOf(quorums, placesAfter(row))
    this.legs = this.legsOf(row)
    this.standIns = operation.sloppy ? new StandIns(operation) : NOBODY
  }

  start(desk: Desk): void {
    this.send(desk)
  }

  private neededOf(quorums: Quorums, places: number): number {
    return this.asked === MAJORITY ? writeQuorumOf(quorums, places) : this.asked
  }

  override onWriteReply(desk: Desk, from: NodeId, status: ReplyStatus, isRepeated: boolean): void {
    const leg = this.legOf(from)
    if (leg === undefined || leg.state === 'accepted') return
    if (status === REPLY.ok) {
      leg.state = 'accepted'
      this.onAccepted(desk)
      return
    }
    // A refusal leaves nothing there, but a store that failed may have kept a part of it. `unknown`: its record is damaged,
    // it will take the write once that is healed, which of a lost row nobody awaits. Nor does the refusal of a copy say anything of
    // the first.
    if (status !== REPLY.failed && !isRepeated) leg.unresolved = Math.max(0, leg.unresolved - 1)
    const isHopeless = status === REPLY.unknown && this.row.lost
    leg.state = isHopeless || status === REPLY.failed || status === REPLY.refused ? 'refused' : 'unsent'
    leg.refusedIn = desk.peer(from)?.incarnation ?? 0
    leg.againAtMs = desk.nowMs + RETRY_MS
    this.send(desk)
  }

  override onHintReply(desk: Desk, keeper: NodeId, status: ReplyStatus, answered: HintAnswer): void {
    const became = this.standIns.onReply(keeper, status, answered)
    if (became === 'counted') this.onAccepted(desk)
    else if (became === 'over') this.send(desk)
  }

  /** Sloppy: a keeper whose hint counts no more since is free for an owner that has none. */
  private onAccepted(desk: Desk): void {
    if (this.doomed || (this.sloppy && !this.ended)) this.send(desk)
    else this.settle(desk)
  }

  override onLegLost(desk: Desk, node: NodeId, lost: LostLeg): void {
    this.standIns.onLost(node, lost)
    const leg = this.legOf(node)
    // What was sent to a silent node may still be answered; what only waited for it goes back.
    if (leg?.state === 'sent' && !(lost.silent && lost.sent)) {
      leg.state = 'unsent'
      if (!lost.sent) leg.unresolved -= 1
    }
    this.send(desk)
  }

  retry(desk: Desk): void {
    this.send(desk)
  }

  override onTable(desk: Desk): void {
    const row = desk.table.rows[this.partition]
    if (row === undefined || row.epoch === this.row.epoch) return
    // A hint that somebody keeps counts too: it will be handed over.
    this.maybeBefore = this.isMaybeThere()
    this.row = row
    this.joint = isJoint(row)
    this.w = this.neededOf(desk.config, row.owners.length)
    this.newW = this.neededOf(desk.config, placesAfter(row))
    this.standIns.clear()
    // Everybody is asked anew, those too that had accepted it: an owner whose row changed may have lost its store meanwhile.
    this.legs = this.legsOf(row)
    this.send(desk)
  }

  onDeadline(desk: Desk): void {
    if (this.ended) return this.giveUpRest(desk)
    const sent = this.isMaybeThere()
    const refused = this.legs.some((leg) => leg.state === 'refused')
    this.fail(desk, sent ? 'OUTCOME_UNKNOWN' : refused ? 'STORE_FAILED' : 'TIMEOUT')
  }

  /** Sends to every healthy target that has not been sent the write; fails at once where the quorum can never be. */
  private send(desk: Desk): void {
    for (const leg of this.legs) {
      const isReborn = leg.state === 'refused' && (desk.peer(leg.node)?.incarnation ?? 0) > leg.refusedIn
      if (isReborn) leg.state = 'unsent'
    }
    if (!this.ended && !this.isPossible(desk)) {
      this.doomed = this.mayBeNowhere(desk)
      // The last answers decide between a refusal and *outcome unknown*.
      if (!this.doomed) this.failAtOnce(desk)
      return
    }
    this.doomed = false
    let soon = false
    let unsent = false
    for (const leg of this.legs) {
      unsent ||= leg.state === 'refused'
      if (leg.state !== 'unsent') continue
      if (desk.peer(leg.node)?.healthy !== true) {
        unsent = true
        continue
      }
      // Not yet after a refusal; or its queue is full: then it counts as missing until there is room.
      if (leg.againAtMs > desk.nowMs || !desk.sendWrite(leg.node, this.entry())) {
        soon = true
        continue
      }
      leg.state = 'sent'
      leg.unresolved += 1
    }
    if (this.sloppy && !this.ended) unsent = this.sendHints(desk) || unsent
    if (this.standIns.mayBeAskedAgain) soon = true
    this.settle(desk)
    // Replies come by themselves; only what could not be sent waits for a change.
    if (unsent || soon) desk.wait(this, soon)
  }

  private entry(): WriteEntry {
    const { bytes, deadlineMs, partition, keys, records } = this
    const rowEpoch = this.row.epoch
    const purpose = PURPOSE.write
    return { request: this, operations: keys.length, bytes, deadlineMs, partition, rowEpoch, purpose, keys, records }
  }

  /** Sloppy: for each owner that is not healthy, or refuses, the next healthy non-owner keeps hints. True: one has no keeper. */
  private sendHints(desk: Desk): boolean {
    this.maybeBefore = this.standIns.forget(desk) || this.maybeBefore
    const absent = this.row.owners
      .map((owner, place) => owner ?? this.row.pending[place] ?? null)
      .filter((owner): owner is NodeId => owner !== null && this.isAbsent(desk, owner))
    const has = (owner: NodeId): boolean => this.legOf(owner)?.state === 'accepted'
    return !this.standIns.ask(desk, this, this.row, absent, has)
  }

  private isAbsent(desk: Desk, owner: NodeId): boolean {
    return desk.peer(owner)?.healthy !== true || this.legOf(owner)?.state === 'refused'
  }

  /** Could the quorum still come together, counting everybody who is not down for good? */
  private isPossible(desk: Desk): boolean {
    let owners = 0
    let newOwners = 0
    for (const leg of this.legs) {
      const status = desk.peer(leg.node)?.status ?? 'down'
      if (status === 'down' || leg.state === 'refused') continue
      if (leg.isOwner) owners += 1
      if (leg.isNew) newOwners += 1
    }
    if (this.sloppy) return owners > 0 || this.standIns.mayKeep || this.hasKeeperLeft(desk)
    return owners >= this.w && (!this.joint || newOwners >= this.newW)
  }

  private hasKeeperLeft(desk: Desk): boolean {
    return desk.healthyNodes().some((node) => this.legOf(node) === undefined && !this.standIns.isAsked(node))
  }

  /** Somebody has it, or may have it. */
  private isMaybeThere(): boolean {
    return this.maybeBefore || this.standIns.mayKeep || this.legs.some(isThere)
  }

  /** Has nobody it for certain, so far, and will a target that was sent it still answer? */
  private mayBeNowhere(desk: Desk): boolean {
    if (this.maybeBefore || this.standIns.mayKeep) return false
    let awaited = false
    for (const leg of this.legs) {
      const answers = leg.state === 'sent' && leg.unresolved === 1 && desk.peer(leg.node)?.status === 'up'
      if (isThere(leg) && !answers) return false
      awaited ||= answers
    }
    return awaited
  }

  private isEnough(): boolean {
    if (this.sloppy) return this.placesCovered() >= this.w
    let owners = 0
    let newOwners = 0
    for (const leg of this.legs) {
      if (leg.state !== 'accepted') continue
      if (leg.isOwner) owners += 1
      if (leg.isNew) newOwners += 1
    }
    return owners >= this.w && (!this.joint || newOwners >= this.newW)
  }

  /**
   * Sloppy: places whose owner, or who is being filled for it, has the write, or somebody keeps it for. Each counts once: however
   * many keep a hint for it, these go to the same node and are dropped then; and of an old owner and a new one, one stays.
   */
  private placesCovered(): number {
    const has = (node: NodeId | null): boolean =>
      node !== null && (this.legOf(node)?.state === 'accepted' || this.standIns.isKeptFor(node))
    return this.row.owners.filter((owner, place) => has(owner) || has(this.row.pending[place] ?? null)).length
  }

  /** Has every target accepted it (or been given up)? */
  private isWhole(): boolean {
    for (const leg of this.legs) if (leg.state !== 'accepted' && leg.state !== 'given-up') return false
    return true
  }

  private legOf(node: NodeId): Leg | undefined {
    for (const leg of this.legs) if (leg.node === node) return leg
    return undefined
  }

  private legsOf(row: Row): Leg[] {
    const { owners, pending, standbys, staying } = row
    // Filled from here on; `push` would make room for seventeen.
    const legs = new Array<Leg>(owners.length)
    let count = 0
    for (let place = 0; place < pending.length; place++) {
      const owner = owners[place] ?? null
      const filling = pending[place] ?? null
      const stays = filling === null && (staying === undefined || staying.includes(owner))
      if (owner !== null) legs[count++] = new Leg(owner, true, stays)
      if (filling !== null) legs[count++] = new Leg(filling, false, true)
    }
    for (const standby of standbys) legs[count++] = new Leg(standby, false, false)
    legs.length = count
    for (const node of this.acceptedBefore) {
      const leg = legs.find((candidate) => candidate.isOwner && candidate.node === node)
      if (leg !== undefined) leg.state = 'accepted'
    }
    return legs
  }

  private settle(desk: Desk): void {
    if (!this.ended && this.isEnough()) {
      this.ended = true
      this.deadlineMs = desk.nowMs + LINGER_MS
      desk.end(this, WRITTEN, !this.isWhole())
    }
    if (this.ended && this.isWhole()) desk.forget(this)
  }

  private failAtOnce(desk: Desk): void {
    if (this.isMaybeThere()) return this.fail(desk, 'OUTCOME_UNKNOWN')
    if (!this.row.lost && this.legs.some((leg) => leg.state === 'refused')) return this.fail(desk, 'STORE_FAILED')
    const missing = this.missing(desk)
    const got = this.row.owners.filter((owner) => owner !== null).length - missing.length
    const failure = quorumFailure(this.row, this.partition, this.w, got, missing)
    this.ended = true
    desk.end(this, { type: 'failed', failure })
  }

  private missing(desk: Desk): NodeId[] {
    return this.row.owners.filter((owner): owner is NodeId => owner !== null && desk.peer(owner)?.status === 'down')
  }

  private fail(desk: Desk, code: 'OUTCOME_UNKNOWN' | 'STORE_FAILED' | 'TIMEOUT'): void {
    const got = this.legs.filter((leg) => leg.state === 'accepted').length
    const missing = this.legs.filter((leg) => leg.state !== 'accepted').map((leg) => leg.node)
    this.ended = true
    const failure = { code, partition: this.partition, needed: this.w, got, missing }
    // What may be on one replica should become the same on all: the others are told as well.
    desk.end(this, { type: 'failed', failure }, code === 'OUTCOME_UNKNOWN')
    if (code === 'OUTCOME_UNKNOWN') this.giveUpRest(desk)
  }

  /** The end of lingering: whoever has not accepted gets a hint, unless a fallback keeps one for it already. */
  private giveUpRest(desk: Desk): void {
    for (const leg of this.legs) {
      if (leg.state === 'accepted' || leg.state === 'given-up') continue
      leg.state = 'given-up'
      if (this.standIns.isKeptFor(leg.node)) continue
      desk.missed(leg.node, this.partition, this.keys, this.records)
    }
    desk.forget(this)
  }
}

/** Places after the flip. */
function placesAfter({ pending, staying }: Row): number {
  return staying?.length ?? pending.length
}

/** Some replica has the write, or may have it. */
function isThere(leg: Leg): boolean {
  return leg.state === 'accepted' || leg.unresolved > 0
}

function bytesOf(operation: PutOperation): number {
  let bytes = 512
  for (const key of operation.keys) bytes += key.length
  for (const record of operation.records) bytes += recordBytes(record)
  return bytes
}
