/**
 * A write to one node, outside any quorum: a hint that is handed over, a record that an exchange found missing.
 *
 * It follows its node through restarts until the deadline; under a new row it goes on as long as the node is a target.
 * Called by `Coordination` only.
 */

import { RETRY_MS } from '../config.js'
import type { NodeId } from '../ids.js'
import { REPLY, type ReplyStatus } from '../messages.js'
import type { Row } from '../ring/table.js'
import { type Desk, type DirectOperation, type LostLeg, Request, recordBytes, WRITTEN } from './request.js'

export class DirectRequest extends Request {
  readonly #operation: DirectOperation
  #row: Row
  #sent = false
  #againAtMs = 0

  constructor(operation: DirectOperation, row: Row) {
    const bytes = operation.records.reduce((sum, record) => sum + recordBytes(record), 256)
    super(operation.id, operation.deadlineMs, bytes)
    this.#operation = operation
    this.#row = row
  }

  start(desk: Desk): void {
    const { node, partition, purpose, keys, records } = this.#operation
    const peer = desk.peer(node)
    if (this.#sent) return
    if (peer === undefined || peer.status === 'down') return this.#fail(desk)
    const early = this.#againAtMs > desk.nowMs
    if (early || !peer.healthy) return desk.wait(this, early)
    const { bytes, deadlineMs } = this
    const columns = { partition, rowEpoch: this.#row.epoch, purpose, keys, records }
    this.#sent = desk.sendWrite(node, { request: this, operations: keys.length, bytes, deadlineMs, ...columns })
    if (!this.#sent) desk.wait(this, true)
  }

  override onWriteReply(desk: Desk, from: NodeId, status: ReplyStatus): void {
    if (from !== this.#operation.node) return
    if (status === REPLY.ok) return desk.end(this, WRITTEN)
    this.#sent = false
    // Its own record is damaged, and takes nothing until it is healed: whoever asked decides when to try again.
    if (status === REPLY.unknown) return this.#fail(desk, 'STORE_FAILED')
    if (status === REPLY.failed || status === REPLY.refused || status === REPLY.expired) return this.#fail(desk)
    this.#againAtMs = desk.nowMs + RETRY_MS
    desk.wait(this, true)
  }

  override onLegLost(desk: Desk, _node: NodeId, lost: LostLeg): void {
    if (lost.silent && lost.sent) return
    this.#sent = false
    desk.wait(this, false)
  }

  retry(desk: Desk): void {
    this.start(desk)
  }

  override onTable(desk: Desk): void {
    const row = desk.table.rows[this.#operation.partition]
    if (row === undefined || row.epoch === this.#row.epoch) return
    this.#row = row
    this.#sent = false
    this.start(desk)
  }

  onDeadline(desk: Desk): void {
    this.#fail(desk)
  }

  #fail(desk: Desk, code: 'TIMEOUT' | 'STORE_FAILED' = 'TIMEOUT'): void {
    const { partition, node } = this.#operation
    desk.end(this, { type: 'failed', failure: { code, partition, missing: [node] } })
  }
}
