/**
 * A read of one key: ask r owners, compare, repair, answer.
 *
 * Strict: only full owners count. Where the replies differ, the newest version is written back until max(w, n − r + 1)
 * owners hold it, and only then is it answered; without that, a later read could meet a quorum that never saw it (new
 * then old: not linearizable). Sloppy: the first n healthy nodes count, fallbacks answering from their hints and pending
 * owners from what they have so far; repair then goes on in the background. A reply of "unknown" (a damaged record) never counts.
 *
 * The hottest code there is: loops instead of closures, nothing allocated that is not kept. Called by `Coordination` only.
 */

import { HEALING_MS, RETRY_MS } from '../config.js'
import type { Key, NodeId, PartitionId } from '../ids.js'
import { REPLY, type ReplyStatus, type RequestId } from '../messages.js'
import { fallbacksOf } from '../ring/preference-list.js'
import { holdersNeeded, type Quorums, readsAsked, writeQuorumOf } from '../ring/quorum.js'
import type { Row } from '../ring/table.js'
import { mergeRecords, sameVersion, type VersionRecord } from '../versions/record.js'
import type { Peer } from './peer.js'
import { type Desk, type Learning, type LostLeg, quorumFailure, Request } from './request.js'
import { WriteBack } from './write-back.js'

/** One node that was asked. */
class Leg {
  /** `again`: nothing is to be expected of it; may be asked anew from `againAtMs` on. */
  state: 'asked' | 'answered' | 'unknown' | 'again' = 'asked'
  againAtMs = 0
  record: VersionRecord | undefined = undefined

  constructor(
    readonly peer: Peer,
    readonly fallback: boolean,
  ) {}
}

export class GetRequest extends Request {
  readonly key: Key
  readonly partition: PartitionId
  /** As asked for: MAJORITY and EVERY_OWNER follow the row. */
  private readonly asked: number
  private r: number
  private readonly sloppy: boolean
  private readonly learning: Learning | undefined
  row: Row
  private legs: Leg[] = []
  private answered = 0
  private writeBack: WriteBack | undefined = undefined

  constructor(
    id: RequestId,
    key: Key,
    partition: PartitionId,
    row: Row,
    asked: number,
    quorums: Quorums,
    sloppy: boolean,
    deadlineMs: number,
    learning?: Learning,
  ) {
    super(id, deadlineMs, key.length + 256)
    this.key = key
    this.partition = partition
    this.row = row
    this.asked = asked
    this.sloppy = sloppy
    this.learning = learning
    this.r = this.neededOf(quorums)
  }

  /** Replies that it needs under its row. */
  private neededOf(quorums: Quorums): number {
    if (this.learning !== undefined) return holdersNeeded(quorums, this.row.owners.length)
    return readsAsked(this.asked, quorums, this.row.owners)
  }

  start(desk: Desk): void {
    this.ask(desk, 0)
    if (this.phase === 'running') this.probe(desk)
  }

  /** A slow owner that was passed over is asked too now and then. */
  private probe(desk: Desk): void {
    for (const owner of this.row.owners) {
      if (owner === null || owner === this.learning?.except || this.legOf(owner) !== undefined) continue
      const peer = desk.peer(owner)
      if (peer?.takeProbe(desk.nowMs) === true) this.send(desk, peer, false)
    }
  }

  /** One more owner is asked although nobody failed: a hedge. */
  askOneMore(desk: Desk): void {
    if (this.writeBack === undefined) this.ask(desk, 1)
  }

  override onReadReply(desk: Desk, from: NodeId, status: ReplyStatus, record: VersionRecord | undefined): void {
    const leg = this.legOf(from)
    if (leg === undefined || leg.state !== 'asked' || this.writeBack !== undefined) return
    if (status === REPLY.ok) {
      leg.state = 'answered'
      leg.record = record
      this.answered += 1
      if (this.learning?.accepted === true) return this.ask(desk, 0)
      if (this.answered < this.r) return
      if (this.sloppy && this.isHearsay(desk)) this.askOwners(desk)
      else this.decide(desk)
      return
    }
    leg.state = status === REPLY.unknown ? 'unknown' : 'again'
    // A damaged record is being healed: asked again after that, if no other owner can answer.
    leg.againAtMs = desk.nowMs + (status === REPLY.unknown ? HEALING_MS : RETRY_MS)
    this.ask(desk, 0)
  }

  override onWriteReply(
    desk: Desk,
    from: NodeId,
    status: ReplyStatus,
    _isRepeated: boolean,
    records: readonly VersionRecord[],
  ): void {
    const { writeBack } = this
    // Under an earlier table another version may have been the newest; who has that need not have this one.
    if (records !== writeBack?.records || !writeBack.settle(from)) return
    if (!writeBack.isBlocking) return this.forgetOnceRepaired(desk)
    if (status === REPLY.ok) {
      writeBack.onAccepted(from)
      if (writeBack.isEnough) this.answer(desk, writeBack)
      return
    }
    if (status !== REPLY.refused) return desk.wait(this, true)
    writeBack.onRefused(from, desk.peer(from)?.incarnation ?? 0)
    this.continueWriteBack(desk)
  }

  override onLegLost(desk: Desk, node: NodeId, lost: LostLeg): void {
    // What was sent to a silent node may still be answered, and then counts; what only waited for it will not be.
    const mayAnswer = lost.silent && lost.sent
    if (this.writeBack !== undefined) {
      if (!mayAnswer) this.writeBack.settle(node)
      if (!this.writeBack.isBlocking) this.forgetOnceRepaired(desk)
      else this.continueWriteBack(desk)
      return
    }
    const leg = this.legOf(node)
    if (leg === undefined || leg.state !== 'asked') return
    if (!mayAnswer) leg.state = 'again'
    this.ask(desk, 0)
  }

  retry(desk: Desk): void {
    if (this.isAnswered()) return
    if (this.writeBack !== undefined) this.continueWriteBack(desk)
    else if (this.answered < this.r) this.ask(desk, 0)
    else if (this.isHearsay(desk)) this.askOwners(desk)
    else this.decide(desk)
  }

  override onTable(desk: Desk): void {
    const row = desk.table.rows[this.partition]
    if (row === undefined || row.epoch === this.row.epoch) return
    if (this.isAnswered()) return desk.forget(this)
    this.row = row
    this.r = this.neededOf(desk.config)
    this.legs = []
    this.answered = 0
    this.writeBack = undefined
    this.ask(desk, 0)
  }

  onDeadline(desk: Desk): void {
    if (this.isAnswered()) return desk.forget(this)
    if (this.sloppy && this.answered >= this.r) return this.decide(desk)
    const missing: NodeId[] = []
    for (const owner of this.row.owners) {
      if (owner !== null && this.legOf(owner)?.state !== 'answered') missing.push(owner)
    }
    const facts = { partition: this.partition, needed: this.r, got: this.answered, missing }
    // Whoever is not away has a damaged record as well.
    const isHopeless = this.learning !== undefined && this.countAnswering(desk) < this.r
    desk.end(this, { type: 'failed', failure: { code: isHopeless ? 'STORE_FAILED' : 'TIMEOUT', ...facts } })
  }

  /** Asks until r (and `more`) replies can be expected; fails at once if they never can. */
  private ask(desk: Desk, more: number): void {
    if (this.learning?.accepted === true && this.answered >= Math.min(this.r, this.countAnswering(desk)))
      return this.decide(desk)
    const { owners } = this.row
    let wanted = this.r + more - this.answered
    for (const leg of this.legs) if (leg.state === 'asked' && !leg.peer.silent) wanted -= 1
    let soon = false
    while (wanted > 0) {
      let best: Peer | undefined
      let bestRank = Number.POSITIVE_INFINITY
      let possible = 0
      for (let place = 0; place < owners.length; place++) {
        const owner = owners[place]
        if (owner == null || owner === this.learning?.except) continue
        const peer = desk.peer(owner)
        const isSalvaged = peer?.status === 'down' && this.learning?.salvaged.includes(owner)
        if (peer === undefined || (peer.status === 'down' && !isSalvaged)) continue
        const leg = this.legOf(owner)
        if (leg?.state === 'unknown' && this.isFinal(isSalvaged)) continue
        possible += 1
        if ((peer.status !== 'up' && !isSalvaged) || (this.sloppy && peer.silent)) continue
        if (leg !== undefined && leg.state !== 'again' && leg.state !== 'unknown') continue
        if (leg !== undefined && leg.againAtMs > desk.nowMs) {
          soon = true
          continue
        }
        const rank = rankOf(peer, place, desk.nowMs)
        if (rank >= bestRank) continue
        best = peer
        bestRank = rank
      }
      if (possible < this.needed && (!this.sloppy || desk.healthyNodes().length === 0))
        return this.failAtOnce(desk, possible)
      if (best === undefined) break
      if (!this.send(desk, best, false)) {
        soon = true
        break
      }
      // A silent one is asked for want of a better, but not counted on: whoever comes back is asked as well.
      if (!best.silent) wanted -= 1
    }
    if (wanted > 0 && this.sloppy) wanted = this.askFallbacks(desk, wanted)
    if (wanted > 0 && more === 0) desk.wait(this, soon)
  }

  /** Fewer that can answer, and it fails. */
  private get needed(): number {
    return this.sloppy ? 1 : this.learning?.accepted === true ? 0 : this.r
  }

  /** A damaged record that nobody will heal: of a lost row, of a store that is only read. */
  private isFinal(isSalvaged: boolean | undefined): boolean {
    return this.row.lost || isSalvaged === true || this.learning?.accepted === true
  }

  /** Learning: owners that are not away for good and have not said that their record is damaged as well. */
  private countAnswering(desk: Desk): number {
    let count = 0
    for (const owner of this.row.owners) {
      if (owner === null || owner === this.learning?.except || this.legOf(owner)?.state === 'unknown') continue
      const isDown = (desk.peer(owner)?.status ?? 'down') === 'down'
      if (!isDown || this.learning?.salvaged.includes(owner)) count += 1
    }
    return count
  }

  /**
   * Sloppy: only stand-ins have answered, and none of them has the key, while an owner lives that was too slow to be asked
   * first. Stand-ins know of no more than what was written since they stand in: "there is none" is for an owner to say.
   */
  private isHearsay(desk: Desk): boolean {
    for (const leg of this.legs) {
      if (leg.state === 'answered' && (!leg.fallback || leg.record !== undefined)) return false
    }
    return this.row.owners.some((owner) => owner !== null && desk.peer(owner)?.status === 'up')
  }

  private askOwners(desk: Desk): void {
    for (const owner of this.row.owners) {
      const peer = owner === null ? undefined : desk.peer(owner)
      const leg = owner === null ? undefined : this.legOf(owner)
      if (peer?.status === 'up' && (leg === undefined || leg.state === 'again')) this.send(desk, peer, false)
    }
    desk.wait(this, false)
  }

  private askFallbacks(desk: Desk, wanted: number): number {
    const healthy = desk.healthyNodes()
    const owners = this.row.owners.filter((owner) => owner !== null && healthy.includes(owner)).length
    let left = wanted
    // Those being filled first: they have been sent every write since they were named.
    const pending = this.row.pending.filter((node): node is NodeId => node !== null && healthy.includes(node))
    const fallbacks = fallbacksOf(this.partition, this.row, healthy, this.row.owners.length - owners)
    for (const node of [...pending, ...fallbacks]) {
      const peer = desk.peer(node)
      if (left <= 0) break
      if (peer !== undefined && this.legOf(node) === undefined && this.send(desk, peer, true)) left -= 1
    }
    return left
  }

  private send(desk: Desk, peer: Peer, fallback: boolean): boolean {
    if (!desk.sendRead(this, peer, this.key, this.row, fallback)) return false
    for (let index = 0; index < this.legs.length; index++) {
      if (this.legs[index]?.peer !== peer) continue
      this.legs.splice(index, 1)
      break
    }
    const leg = new Leg(peer, fallback)
    // A literal has room for one; `push` would make room for seventeen, and most reads ask once.
    if (this.legs.length === 0) this.legs = [leg]
    else this.legs.push(leg)
    return true
  }

  private legOf(node: NodeId): Leg | undefined {
    for (const leg of this.legs) if (leg.peer.node === node) return leg
    return undefined
  }

  private failAtOnce(desk: Desk, got: number): void {
    const missing: NodeId[] = []
    for (const owner of this.row.owners) if (owner !== null && desk.peer(owner)?.status === 'down') missing.push(owner)
    desk.end(this, { type: 'failed', failure: quorumFailure(this.row, this.partition, this.r, got, missing) })
  }

  private decide(desk: Desk): void {
    let newest: VersionRecord | undefined
    for (const leg of this.legs) {
      if (leg.state !== 'answered' || leg.record === undefined) continue
      newest = newest === undefined ? leg.record : mergeRecords(newest, leg.record)
    }
    let holders = 0
    let behind = 0
    for (const leg of this.legs) {
      if (leg.state !== 'answered') continue
      if (!sameVersion(leg.record, newest)) behind += 1
      else if (!leg.fallback) holders += 1
    }
    if (newest === undefined || behind === 0 || this.learning !== undefined) {
      return desk.end(this, { type: 'value', record: newest })
    }
    const places = this.row.owners.length
    const needed = Math.max(writeQuorumOf(desk.config, places), places - this.r + 1)
    const nodes = this.legs.flatMap((leg) => (this.isBehind(leg, newest) ? [leg.peer.node] : []))
    const isBlocking = !this.sloppy && holders < needed
    if (nodes.length > 0) desk.noticeRepair(this.key, nodes, isBlocking)
    const writeBack = new WriteBack(this, { newest, needed, holders, isBlocking })
    this.writeBack = writeBack
    if (isBlocking) return this.continueWriteBack(desk)
    for (const node of nodes) writeBack.send(desk, node)
    this.answer(desk, writeBack)
  }

  /** What belongs to a request that is gone is never sent: it lingers until its repairs have been answered. */
  private answer(desk: Desk, writeBack: WriteBack): void {
    writeBack.isBlocking = false
    desk.end(this, { type: 'value', record: writeBack.newest }, !writeBack.isQuiet)
  }

  /** It has been answered, and only sees to its repairs. */
  private isAnswered(): boolean {
    return this.writeBack?.isBlocking === false
  }

  /** A repair in the background is tried once: what it does not reach, the next read or an exchange does. */
  private forgetOnceRepaired(desk: Desk): void {
    if (this.writeBack?.isQuiet === true) desk.forget(this)
  }

  private isBehind(leg: Leg, newest: VersionRecord): boolean {
    return leg.state === 'answered' && !leg.fallback && !sameVersion(leg.record, newest)
  }

  /** It answered with this version, as an owner or not. */
  hasShown(node: NodeId, version: VersionRecord): boolean {
    const leg = this.legOf(node)
    return leg?.state === 'answered' && sameVersion(leg.record, version)
  }

  private continueWriteBack(desk: Desk): void {
    const { writeBack } = this
    if (writeBack === undefined) return
    const state = writeBack.goOn(desk)
    if (state === 'enough') this.answer(desk, writeBack)
    else if (state === 'short') this.failRefused(desk, writeBack)
    else if (state !== 'sent') desk.wait(this, state === 'soon')
  }

  /** Too few owners take what the others must be shown to have: answering would let a later read say the older version. */
  private failRefused(desk: Desk, { needed, refused: missing }: WriteBack): void {
    const facts = { partition: this.partition, needed, missing }
    desk.end(this, { type: 'failed', failure: { code: 'STORE_FAILED', ...facts } })
  }
}

/** Reads that one node is given before the next one is woken. */
const PACK = 64

/**
 * Pack before you spread: waking a sleeping thread costs as much as a dozen keys more for one that is awake. Nodes are
 * tried in one order for all keys, so that few nodes cover a turn's keys, until their queues grow. Once all are busy, each
 * key goes to the first of its owners, so that each node's caches hold other keys; unless that one has more than about twice
 * as much to do as the next. Whoever has let a read wait until it was hedged is given no other while there is somebody else: it
 * would wait behind that one.
 */
function rankOf(peer: Peer, place: number, nowMs: number): number {
  const isLate = peer.isSlow || peer.isBehind(nowMs) || peer.reads.outstanding?.hedged === true
  const last = peer.silent ? 1e9 : !peer.isWarm(nowMs) ? 1e6 : isLate ? 1e5 : 0
  const packs = Math.floor(peer.reads.load / PACK)
  return packs === 0 ? last + peer.order : last + doublingsOf(packs) * 64 + Math.min(place, 63)
}

/** 1 for 1, 2 from 2 on, 3 from 4 on. */
function doublingsOf(packs: number): number {
  return 32 - Math.clz32(packs)
}
