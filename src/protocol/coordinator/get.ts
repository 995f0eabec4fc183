/**
 * A read of one key: ask r owners, compare, repair, answer.
 *
 * Strict: only full owners count. Where the replies differ, the newest version is written back until max(w, n − r + 1)
 * owners hold it, and only then is it answered; without that, a later read could meet a quorum that never saw it (new
 * then old: not linearizable). Sloppy: the first n healthy nodes count, fallbacks answering from their hints and pending
 * owners from what they have so far; repair then goes on in the background. A reply of "unknown" (a damaged record) never counts.
 *
 * Called by `Coordination` only.
 */

import { RETRY_MS } from '../config.js'
import type { Key, NodeId, PartitionId } from '../ids.js'
import { PURPOSE, REPLY, type ReplyStatus, type RequestId } from '../messages.js'
import { fallbacksOf } from '../ring/preference-list.js'
import type { Row } from '../ring/table.js'
import { mergeRecords, sameVersion, type VersionRecord } from '../versions/record.js'
import { type Desk, quorumFailure, type Request } from './request.js'

interface Leg {
  readonly node: NodeId
  readonly fallback: boolean
  /** `again`: not to be expected any more; may be asked anew from `againAtMs` on. */
  state: 'asked' | 'answered' | 'unknown' | 'again'
  againAtMs: number
  record: VersionRecord | undefined
}

export interface GetInput {
  readonly id: RequestId
  readonly key: Key
  readonly partition: PartitionId
  readonly row: Row
  readonly r: number
  readonly sloppy: boolean
  readonly deadlineMs: number
  /** This node's own record is damaged: ask n − w + 1 others, and repair nobody. */
  readonly learnFor?: NodeId
}

export class GetRequest implements Request {
  readonly id: RequestId
  readonly key: Key
  readonly deadlineMs: number
  readonly bytes: number
  readonly #partition: PartitionId
  readonly #r: number
  readonly #sloppy: boolean
  readonly #learnFor: NodeId | undefined
  #row: Row
  #legs: Leg[] = []
  #answered = 0
  /** Set while the newest version is being written back. */
  #repair:
    | { readonly newest: VersionRecord; holders: number; readonly needed: number; readonly sentTo: NodeId[] }
    | undefined

  constructor(input: GetInput) {
    this.id = input.id
    this.key = input.key
    this.deadlineMs = input.deadlineMs
    this.bytes = input.key.length + 128
    this.#partition = input.partition
    this.#row = input.row
    this.#r = input.r
    this.#sloppy = input.sloppy
    this.#learnFor = input.learnFor
  }

  start(desk: Desk): void {
    this.#ask(desk, 0)
  }

  /** One more owner is asked although nobody failed (hedge, silence). */
  askOneMore(desk: Desk): void {
    if (this.#repair === undefined) this.#ask(desk, 1)
  }

  onReadReply(desk: Desk, from: NodeId, status: ReplyStatus, record: VersionRecord | undefined): void {
    const leg = this.#legs.find((candidate) => candidate.node === from && candidate.state === 'asked')
    if (leg === undefined || this.#repair !== undefined) return
    if (status === REPLY.ok) {
      leg.state = 'answered'
      leg.record = record
      this.#answered += 1
      if (this.#answered >= this.#r) this.#decide(desk)
      return
    }
    leg.state = status === REPLY.unknown ? 'unknown' : 'again'
    leg.againAtMs = desk.nowMs + RETRY_MS
    this.#ask(desk, 0)
  }

  onWriteReply(desk: Desk, from: NodeId, status: ReplyStatus): void {
    const repair = this.#repair
    if (repair === undefined || !repair.sentTo.includes(from)) return
    if (status === REPLY.ok) {
      if (this.#row.owners.includes(from)) repair.holders += 1
      if (repair.holders >= repair.needed) desk.end(this, { type: 'value', record: repair.newest })
      return
    }
    repair.sentTo.splice(repair.sentTo.indexOf(from), 1)
    desk.wait(this, true)
  }

  onLegLost(desk: Desk, node: NodeId, lost: { readonly sent: boolean; readonly silent: boolean }): void {
    if (this.#repair !== undefined) {
      const place = this.#repair.sentTo.indexOf(node)
      if (place >= 0 && !(lost.silent && lost.sent)) this.#repair.sentTo.splice(place, 1)
      this.#writeBack(desk)
      return
    }
    const leg = this.#legs.find((candidate) => candidate.node === node && candidate.state === 'asked')
    if (leg === undefined) return
    // A silent node may still answer, and then counts; but somebody else is asked as well.
    if (lost.silent && lost.sent) this.#ask(desk, 1)
    else {
      leg.state = 'again'
      this.#ask(desk, 0)
    }
  }

  retry(desk: Desk): void {
    if (this.#repair === undefined) this.#ask(desk, 0)
    else this.#writeBack(desk)
  }

  onTable(desk: Desk): void {
    const row = desk.table.rows[this.#partition]
    if (row === undefined || row.epoch === this.#row.epoch) return
    this.#row = row
    this.#legs = []
    this.#answered = 0
    this.#repair = undefined
    this.#ask(desk, 0)
  }

  onDeadline(desk: Desk): void {
    const missing = this.#row.owners.filter(
      (owner): owner is NodeId =>
        owner !== null && !this.#legs.some((leg) => leg.node === owner && leg.state === 'answered'),
    )
    const facts = { partition: this.#partition, needed: this.#r, got: this.#answered, missing }
    desk.end(this, { type: 'failed', failure: { code: 'TIMEOUT', ...facts } })
  }

  onHintReply(): void {}
  onScanReply(): void {}

  /** Asks until r (and `more`) replies can be expected; fails at once if they never can. */
  #ask(desk: Desk, more: number): void {
    let wanted = this.#r + more - this.#answered - this.#expected(desk)
    let possible = 0
    let soon = false
    const candidates: { readonly node: NodeId; readonly rank: number }[] = []
    for (const owner of this.#row.owners) {
      const peer = owner === null || owner === this.#learnFor ? undefined : desk.peer(owner)
      if (owner === null || peer === undefined || peer.status === 'down') continue
      possible += 1
      const leg = this.#legs.find((candidate) => candidate.node === owner)
      if (peer.status !== 'up' || (leg !== undefined && leg.state !== 'again')) continue
      if (leg !== undefined && leg.againAtMs > desk.nowMs) soon = true
      else if (!(this.#sloppy && peer.silent))
        candidates.push({ node: owner, rank: rankOf(peer.reads.load, peer.silent) })
    }
    if (!this.#sloppy && possible < this.#r) return this.#failAtOnce(desk, possible)
    candidates.sort((a, b) => a.rank - b.rank)
    for (const { node } of candidates) if (wanted > 0 && this.#send(desk, node, false)) wanted -= 1
    if (wanted > 0 && this.#sloppy) wanted = this.#askFallbacks(desk, wanted)
    if (wanted > 0 && more === 0) desk.wait(this, soon)
  }

  /** Legs from which an answer can still be expected soon: asked, and not silent. */
  #expected(desk: Desk): number {
    let expected = 0
    for (const leg of this.#legs) if (leg.state === 'asked' && desk.peer(leg.node)?.silent !== true) expected += 1
    return expected
  }

  #askFallbacks(desk: Desk, wanted: number): number {
    const healthy = desk.healthyNodes()
    const owners = this.#row.owners.filter((owner) => owner !== null && healthy.includes(owner)).length
    let left = wanted
    // Those being filled first: they have been sent every write since they were named.
    const pending = this.#row.pending.filter((node): node is NodeId => node !== null && healthy.includes(node))
    const fallbacks = fallbacksOf(this.#partition, this.#row, healthy, desk.table.n - owners)
    for (const node of [...pending, ...fallbacks]) {
      if (left <= 0) break
      if (this.#legs.some((leg) => leg.node === node)) continue
      if (this.#send(desk, node, true)) left -= 1
    }
    return left
  }

  #send(desk: Desk, node: NodeId, fallback: boolean): boolean {
    if (!desk.sendRead(this, { node, key: this.key, row: this.#row, fallback })) return false
    const earlier = this.#legs.findIndex((leg) => leg.node === node)
    if (earlier >= 0) this.#legs.splice(earlier, 1)
    this.#legs.push({ node, fallback, state: 'asked', againAtMs: 0, record: undefined })
    return true
  }

  #failAtOnce(desk: Desk, got: number): void {
    const missing = this.#row.owners.filter(
      (owner): owner is NodeId => owner !== null && desk.peer(owner)?.status === 'down',
    )
    desk.end(this, { type: 'failed', failure: quorumFailure(this.#row, this.#partition, this.#r, got, missing) })
  }

  #decide(desk: Desk): void {
    const answered = this.#legs.filter((leg) => leg.state === 'answered')
    let newest: VersionRecord | undefined
    for (const { record } of answered) {
      if (record !== undefined) newest = newest === undefined ? record : mergeRecords(newest, record)
    }
    const behind = answered.filter((leg) => !sameVersion(leg.record, newest))
    if (newest === undefined || behind.length === 0 || this.#learnFor !== undefined) {
      return desk.end(this, { type: 'value', record: newest })
    }
    const nodes = behind.filter((leg) => !leg.fallback).map((leg) => leg.node)
    if (nodes.length > 0) desk.noticeRepair(this.key, nodes, !this.#sloppy)
    const holders = answered.length - behind.length
    this.#repair = { newest, holders, needed: Math.max(desk.config.w, desk.table.n - this.#r + 1), sentTo: [] }
    if (this.#sloppy) {
      for (const node of nodes) this.#sendRepair(desk, node, newest)
      return desk.end(this, { type: 'value', record: newest })
    }
    this.#writeBack(desk)
  }

  /** Writes the newest version to those behind first, then to owners that did not answer, until enough will hold it. */
  #writeBack(desk: Desk): void {
    const repair = this.#repair
    if (repair === undefined) return
    if (repair.holders >= repair.needed) return desk.end(this, { type: 'value', record: repair.newest })
    const holds = (node: NodeId) =>
      this.#legs.some((leg) => leg.node === node && leg.state === 'answered' && sameVersion(leg.record, repair.newest))
    const answered = (node: NodeId) => this.#legs.some((leg) => leg.node === node && leg.state === 'answered')
    const owners = this.#row.owners.filter((owner): owner is NodeId => owner !== null && !holds(owner))
    owners.sort((a, b) => Number(answered(b)) - Number(answered(a)))
    let expected = repair.holders + repair.sentTo.filter((node) => desk.peer(node)?.healthy).length
    for (const node of owners) {
      if (!answered(node) && expected >= repair.needed) continue
      if (repair.sentTo.includes(node) || desk.peer(node)?.status !== 'up') continue
      if (this.#sendRepair(desk, node, repair.newest)) expected += 1
    }
    if (expected < repair.needed) desk.wait(this, false)
  }

  #sendRepair(desk: Desk, node: NodeId, newest: VersionRecord): boolean {
    const leg = {
      node,
      partition: this.#partition,
      row: this.#row,
      purpose: PURPOSE.repair,
      keys: [this.key],
      records: [newest],
    }
    if (desk.peer(node)?.status !== 'up' || !desk.sendWrite(this, leg)) return false
    this.#repair?.sentTo.push(node)
    return true
  }
}

/** Pack before you spread: waking a sleeping thread costs more than a few keys more for one that is awake. */
function rankOf(load: number, silent: boolean): number {
  return (silent ? 1e9 : 0) + (load === 0 ? 1.5 : Math.floor(load / 32))
}
