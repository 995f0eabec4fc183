/**
 * A request that another node coordinates: everything under `coordination: 'server'`, and every write under `siblings`
 * (only an owner can give it a dot).
 *
 * Gets and stamped puts are idempotent: if the coordinator dies or falls silent, the next one is asked with the same
 * stamp; and so it is if nothing is heard of a request for long, because its answer may have been lost. A sibling update is
 * not: once it was sent, only its answer tells; it is never retried.
 *
 * Called by `Coordination` only.
 */

import { RETRY_MS } from '../config.js'
import type { NodeId, PartitionId } from '../ids.js'
import type { CoordinateRequest, Outcome, RequestId } from '../messages.js'
import { preferenceList } from '../ring/preference-list.js'
import { writeQuorumOf } from '../ring/quorum.js'
import { type Desk, type LostLeg, quorumFailure, Request } from './request.js'

/** Without an answer for so long, and twice as long each time that this was in vain, the next one is asked. */
const PATIENCE_MS = 500
/** A coordinator that has not taken what it was sent for so long is given nothing more while there is another. */
const OVERDUE_MS = 8

export interface ForwardOperation {
  readonly kind: 'forward'
  readonly id: RequestId
  readonly partition: PartitionId
  readonly bytes: number
  readonly payload: CoordinateRequest
}

export class ForwardRequest extends Request {
  readonly #operation: ForwardOperation
  /** Who was asked and may still answer. */
  #asked: NodeId[] = []
  #againAtMs = 0
  /** From when on its answer is taken for lost. */
  #overdueAtMs = 0
  #patienceMs = PATIENCE_MS
  /** Nodes that were sent it and died before they told how it ended. */
  #lost = 0

  constructor(operation: ForwardOperation) {
    super(operation.id, operation.payload.deadlineMs, operation.bytes)
    this.#operation = operation
  }

  /** It was sent there and has not been answered from there. */
  isAsked(node: NodeId): boolean {
    return this.#asked.includes(node)
  }

  get partition(): PartitionId {
    return this.#operation.partition
  }

  get isUpdate(): boolean {
    return this.#operation.payload.kind === 'update'
  }

  start(desk: Desk): void {
    const isOverdue = desk.nowMs >= this.#overdueAtMs
    if (!isOverdue && this.#asked.some((node) => desk.peer(node)?.silent !== true)) return
    if (this.isUpdate && this.#asked.length > 0) return
    const early = this.#againAtMs > desk.nowMs
    const row = desk.table.rows[this.#operation.partition]
    if (row === undefined || early) return desk.wait(this, true)
    const owners = preferenceList(row)
    if (this.isUpdate && owners.every((owner) => desk.peer(owner)?.status === 'down')) {
      const { payload } = this.#operation
      const needed = payload.kind === 'update' ? payload.w || writeQuorumOf(desk.config, row.owners.length) : 1
      return desk.end(this, {
        type: 'failed',
        failure: quorumFailure(row, this.#operation.partition, needed, 0, owners),
      })
    }
    const candidates = (this.isUpdate ? owners : desk.healthyNodes()).filter(
      (node) => desk.peer(node)?.healthy === true && !this.#asked.includes(node),
    )
    const node = this.isUpdate ? soonest(desk, candidates) : leastLoaded(desk, candidates)
    const payload = { ...this.#operation.payload, id: this.id }
    if (node === undefined || !desk.sendCoordinate(this, node, payload)) return desk.wait(this, node !== undefined)
    for (const passed of candidates) if (passed !== node) desk.probe(passed)
    // Who died had no time to answer.
    if (isOverdue && this.#asked.length > 0) this.#patienceMs *= 2
    this.#asked.push(node)
    this.#overdueAtMs = desk.nowMs + this.#patienceMs
    desk.wait(this, false)
  }

  onOutcome(desk: Desk, from: NodeId, outcome: Outcome): void {
    const place = this.#asked.indexOf(from)
    if (place < 0) return
    this.#asked.splice(place, 1)
    // One coordinator's definite failure says nothing of what an earlier one, dead or silent, may have written.
    if (outcome.type === 'failed' && this.#isMaybeThere()) return this.#fail(desk, 'OUTCOME_UNKNOWN')
    if (outcome.type !== 'stale') return desk.end(this, outcome)
    this.#againAtMs = desk.nowMs + RETRY_MS
    desk.wait(this, true)
  }

  override onLegLost(desk: Desk, node: NodeId, lost: LostLeg): void {
    if (!this.#asked.includes(node)) return
    if (this.isUpdate) {
      // A silent one may still answer until the deadline; a dead one never will.
      if (lost.sent && !lost.silent) return this.#fail(desk, 'OUTCOME_UNKNOWN')
      if (lost.sent) return
    }
    if (!lost.silent || !lost.sent) this.#asked.splice(this.#asked.indexOf(node), 1)
    if (!lost.silent && lost.sent) this.#lost += 1
    this.start(desk)
  }

  retry(desk: Desk): void {
    this.start(desk)
  }

  onDeadline(desk: Desk): void {
    this.#fail(desk, this.#isMaybeThere() ? 'OUTCOME_UNKNOWN' : 'TIMEOUT')
  }

  #isMaybeThere(): boolean {
    return this.#operation.payload.kind !== 'get' && (this.#lost > 0 || this.#asked.length > 0)
  }

  #fail(desk: Desk, code: 'OUTCOME_UNKNOWN' | 'TIMEOUT'): void {
    const { partition } = this.#operation
    desk.end(this, { type: 'failed', failure: { code, partition, missing: [...this.#asked] } })
  }
}

/** The first owner that has been answering as soon as others, or else the first: of equal ones always the same. */
function soonest(desk: Desk, owners: readonly NodeId[]): NodeId | undefined {
  return owners.find((owner) => desk.peer(owner)?.isLate(desk.nowMs) === false) ?? owners[0]
}

/**
 * The busiest that is not too busy (pack before you spread), else the least busy; one that is late, or does not give the credit
 * back, comes after those, and one that has just begun last.
 */
function leastLoaded(desk: Desk, nodes: readonly NodeId[]): NodeId | undefined {
  let best: NodeId | undefined
  let bestRank = Number.POSITIVE_INFINITY
  for (const node of nodes) {
    const peer = desk.peer(node)
    if (peer === undefined) continue
    const { load, outstanding } = peer.coordinate
    const isOverdue = outstanding !== undefined && desk.nowMs - outstanding.sentAtMs > OVERDUE_MS
    const last = !peer.isWarm(desk.nowMs) ? 1e6 : peer.isSlow || isOverdue ? 1e5 : 0
    const rank = last + (load === 0 ? 1.5 : Math.floor(load / 32))
    if (rank < bestRank) {
      best = node
      bestRank = rank
    }
  }
  return best
}
