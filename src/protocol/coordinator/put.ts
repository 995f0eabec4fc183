/**
 * A write of one partition's keys: send it to every owner, answer once w have accepted, see to the rest afterwards.
 *
 * Strict: acks of full owners count, and while the row is joint (places are being filled) also w of the *new* owners must
 * have accepted. Sloppy: fallbacks keep hints for owners that are not healthy, and their acks count (Dynamo §4.6).
 * After the answer the request lingers: an owner that misses the write gets it when it is back, or a hint is kept for it.
 * A definite failure is told only when no replica was sent the write or every one refused it; else *outcome unknown*.
 *
 * Called by `Coordination` only.
 */

import { LINGER_MS, RETRY_MS } from '../config.js'
import type { Key, NodeId, PartitionId } from '../ids.js'
import { PURPOSE, REPLY, type ReplyStatus, type RequestId } from '../messages.js'
import { fallbacksOf } from '../ring/preference-list.js'
import { isJoint, newOwnersOf, type Row, writeTargetsOf } from '../ring/table.js'
import type { VersionRecord } from '../versions/record.js'
import { type Desk, type PutOperation, quorumFailure, type Request, recordBytes } from './request.js'

type LegState = 'unsent' | 'sent' | 'accepted' | 'refused' | 'given-up'

interface Leg {
  readonly node: NodeId
  state: LegState
  againAtMs: number
  /** Was the write ever sent there without being refused? Then nobody can say that it is not there. */
  maybe: boolean
}

/** A fallback's hints for one owner: one for each key. */
interface HintLegs {
  readonly keeper: NodeId
  readonly target: NodeId
  waiting: number
  state: 'sent' | 'accepted' | 'lost'
}

export class PutRequest implements Request {
  readonly id: RequestId
  deadlineMs: number
  readonly bytes: number
  readonly #partition: PartitionId
  readonly #keys: readonly Key[]
  readonly #records: readonly VersionRecord[]
  readonly #w: number
  readonly #sloppy: boolean
  readonly #acceptedBefore: readonly NodeId[]
  #row: Row
  #legs: Leg[] = []
  #hints: HintLegs[] = []
  #ended = false
  /** Survives a restart under a new row: something may be somewhere. */
  #maybeBefore = false

  constructor(operation: PutOperation, row: Row) {
    this.id = operation.id
    this.deadlineMs = operation.deadlineMs
    this.#partition = operation.partition
    this.#keys = operation.keys
    this.#records = operation.records
    this.#w = operation.w
    this.#sloppy = operation.sloppy
    this.#acceptedBefore = operation.accepted ?? []
    this.#maybeBefore = this.#acceptedBefore.length > 0
    this.#row = row
    let bytes = 256
    for (const key of operation.keys) bytes += key.length
    for (const record of operation.records) bytes += recordBytes(record)
    this.bytes = bytes
  }

  start(desk: Desk): void {
    this.#legs = writeTargetsOf(this.#row).map((node) => {
      const state: LegState = this.#acceptedBefore.includes(node) ? 'accepted' : 'unsent'
      return { node, state, againAtMs: 0, maybe: false }
    })
    this.#send(desk)
  }

  onReadReply(): void {}
  onScanReply(): void {}

  onWriteReply(desk: Desk, from: NodeId, status: ReplyStatus): void {
    const leg = this.#legs.find((candidate) => candidate.node === from)
    if (leg === undefined || leg.state === 'accepted') return
    if (status === REPLY.ok) {
      leg.state = 'accepted'
      this.#settle(desk)
      return
    }
    // A refusal leaves nothing there, but a store that failed may have kept a part of it. `unknown`: its record is damaged,
    // it will take the write once that is healed.
    if (status !== REPLY.failed) leg.maybe = false
    leg.state = status === REPLY.failed ? 'refused' : 'unsent'
    leg.againAtMs = desk.nowMs + RETRY_MS
    this.#send(desk)
  }

  onHintReply(desk: Desk, keeper: NodeId, status: ReplyStatus): void {
    const hint = this.#hints.find((candidate) => candidate.keeper === keeper && candidate.state === 'sent')
    if (hint === undefined) return
    if (status !== REPLY.ok) hint.state = 'lost'
    else if (--hint.waiting === 0) hint.state = 'accepted'
    if (hint.state === 'lost') this.#send(desk)
    else this.#settle(desk)
  }

  onLegLost(desk: Desk, node: NodeId, lost: { readonly sent: boolean; readonly silent: boolean }): void {
    for (const hint of this.#hints)
      if (hint.keeper === node && hint.state === 'sent' && !lost.silent) hint.state = 'lost'
    const leg = this.#legs.find((candidate) => candidate.node === node)
    // What was sent to a silent node may still be answered; what only waited for it goes back.
    if (leg?.state === 'sent' && !(lost.silent && lost.sent)) {
      leg.state = 'unsent'
      if (!lost.sent) leg.maybe = false
    }
    this.#send(desk)
  }

  retry(desk: Desk): void {
    this.#send(desk)
  }

  onTable(desk: Desk): void {
    const row = desk.table.rows[this.#partition]
    if (row === undefined || row.epoch === this.#row.epoch) return
    this.#maybeBefore ||= this.#legs.some((leg) => leg.maybe || leg.state === 'accepted')
    this.#row = row
    this.#hints = []
    // Accepted stays accepted where the owner stays: its store has the records, whatever the row's epoch.
    const before = this.#legs
    this.#legs = writeTargetsOf(row).map((node) => {
      const earlier = before.find((leg) => leg.node === node)
      const state: LegState = earlier?.state === 'accepted' ? 'accepted' : 'unsent'
      return { node, state, againAtMs: 0, maybe: earlier?.maybe ?? false }
    })
    this.#send(desk)
  }

  onDeadline(desk: Desk): void {
    if (this.#ended) return this.#giveUpRest(desk)
    const maybe = this.#maybeBefore || this.#hints.length > 0
    const sent = maybe || this.#legs.some((leg) => leg.state === 'accepted' || leg.maybe)
    const refused = this.#legs.some((leg) => leg.state === 'refused')
    this.#fail(desk, sent ? 'OUTCOME_UNKNOWN' : refused ? 'STORE_FAILED' : 'TIMEOUT')
  }

  /** Sends to every healthy target that has not been sent the write; fails at once where the quorum can never be. */
  #send(desk: Desk): void {
    if (!this.#ended && !this.#isPossible(desk)) return this.#failAtOnce(desk)
    let soon = false
    for (const leg of this.#legs) {
      if (leg.state !== 'unsent' || desk.peer(leg.node)?.healthy !== true) continue
      if (leg.againAtMs > desk.nowMs) {
        soon = true
        continue
      }
      const write = { node: leg.node, partition: this.#partition, row: this.#row, purpose: PURPOSE.write }
      if (!desk.sendWrite(this, { ...write, keys: this.#keys, records: this.#records })) continue
      leg.state = 'sent'
      leg.maybe = true
    }
    if (this.#sloppy && !this.#ended) this.#sendHints(desk)
    this.#settle(desk)
    if (!this.#isWhole()) desk.wait(this, soon)
  }

  /** Sloppy: for each owner that is not healthy, the next healthy non-owner keeps hints. */
  #sendHints(desk: Desk): void {
    const absent = this.#row.owners
      .map((owner, place) => owner ?? this.#row.pending[place] ?? null)
      .filter((owner): owner is NodeId => owner !== null && desk.peer(owner)?.healthy !== true)
      .filter((owner) => !this.#hints.some((hint) => hint.target === owner && hint.state !== 'lost'))
    if (absent.length === 0) return
    const keepers = fallbacksOf(this.#partition, this.#row, desk.healthyNodes(), desk.table.n + this.#hints.length)
    for (const target of absent) {
      const keeper = keepers.find((node) => !this.#hints.some((hint) => hint.keeper === node))
      if (keeper === undefined) return
      this.#hints.push({ keeper, target, waiting: this.#keys.length, state: 'sent' })
      this.#keys.forEach((key, index) => {
        const record = this.#records[index] as VersionRecord
        desk.sendHint(this, { keeper, target, partition: this.#partition, key, record })
      })
    }
  }

  /** Could the quorum still come together, counting everybody who is not down for good? */
  #isPossible(desk: Desk): boolean {
    if (this.#sloppy)
      return desk.healthyNodes().length > 0 || this.#countOwners((node) => desk.peer(node)?.status !== 'down') > 0
    const refused = (node: NodeId) => this.#legs.some((leg) => leg.node === node && leg.state === 'refused')
    const mayCome = (node: NodeId) => (desk.peer(node)?.status ?? 'down') !== 'down' && !refused(node)
    return this.#countOwners(mayCome) >= this.#w && (!isJoint(this.#row) || this.#countNew(mayCome) >= this.#w)
  }

  #isEnough(): boolean {
    const accepted = (node: NodeId) => this.#legs.some((leg) => leg.node === node && leg.state === 'accepted')
    if (this.#sloppy) {
      const hinted = this.#hints.filter((hint) => hint.state === 'accepted').length
      return this.#countOwners(accepted) + hinted >= this.#w
    }
    return this.#countOwners(accepted) >= this.#w && (!isJoint(this.#row) || this.#countNew(accepted) >= this.#w)
  }

  #countOwners(matches: (node: NodeId) => boolean): number {
    let count = 0
    for (const owner of this.#row.owners) if (owner !== null && matches(owner)) count += 1
    return count
  }

  #countNew(matches: (node: NodeId) => boolean): number {
    let count = 0
    for (const owner of newOwnersOf(this.#row)) if (owner !== null && matches(owner)) count += 1
    return count
  }

  /** Has every target accepted it (or been given up)? */
  #isWhole(): boolean {
    return this.#legs.every((leg) => leg.state === 'accepted' || leg.state === 'given-up')
  }

  #settle(desk: Desk): void {
    if (!this.#ended && this.#isEnough()) {
      this.#ended = true
      this.deadlineMs = desk.nowMs + LINGER_MS
      desk.end(this, { type: 'written' }, !this.#isWhole())
    }
    if (this.#ended && this.#isWhole()) desk.forget(this)
  }

  #failAtOnce(desk: Desk): void {
    const sent = this.#maybeBefore || this.#legs.some((leg) => leg.maybe || leg.state === 'accepted')
    if (sent) return this.#fail(desk, 'OUTCOME_UNKNOWN')
    if (this.#legs.some((leg) => leg.state === 'refused')) return this.#fail(desk, 'STORE_FAILED')
    const missing = this.#missing(desk)
    const got = this.#row.owners.filter((owner) => owner !== null).length - missing.length
    const failure = quorumFailure(this.#row, this.#partition, this.#w, got, missing)
    this.#ended = true
    desk.end(this, { type: 'failed', failure })
  }

  #missing(desk: Desk): NodeId[] {
    return this.#row.owners.filter((owner): owner is NodeId => owner !== null && desk.peer(owner)?.status === 'down')
  }

  #fail(desk: Desk, code: 'OUTCOME_UNKNOWN' | 'STORE_FAILED' | 'TIMEOUT'): void {
    const got = this.#legs.filter((leg) => leg.state === 'accepted').length
    const missing = this.#legs.filter((leg) => leg.state !== 'accepted').map((leg) => leg.node)
    this.#ended = true
    const failure = { code, partition: this.#partition, needed: this.#w, got, missing }
    // What may be on one replica should become the same on all: the others are told as well.
    desk.end(this, { type: 'failed', failure }, code === 'OUTCOME_UNKNOWN')
    if (code === 'OUTCOME_UNKNOWN') this.#giveUpRest(desk)
  }

  /** The end of lingering: whoever has not accepted gets a hint, unless a fallback keeps one for it already. */
  #giveUpRest(desk: Desk): void {
    for (const leg of this.#legs) {
      if (leg.state === 'accepted' || leg.state === 'given-up') continue
      leg.state = 'given-up'
      if (this.#hints.some((hint) => hint.target === leg.node && hint.state === 'accepted')) continue
      desk.missed(leg.node, this.#partition, this.#keys, this.#records)
    }
    desk.forget(this)
  }
}
