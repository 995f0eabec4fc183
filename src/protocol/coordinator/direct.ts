/**
 * A write to one node, outside any quorum: a hint that is handed over, a record that an exchange found missing.
 *
 * It follows its node through restarts until the deadline; under a new row it goes on as long as the node is a target.
 * Called by `Coordination` only.
 */

import { RETRY_MS } from '../config.js'
import type { NodeId } from '../ids.js'
import { REPLY, type ReplyStatus, type RequestId } from '../messages.js'
import type { Row } from '../ring/table.js'
import { type Desk, type DirectOperation, type Request, recordBytes } from './request.js'

export class DirectRequest implements Request {
  readonly id: RequestId
  readonly deadlineMs: number
  readonly bytes: number
  readonly #operation: DirectOperation
  #row: Row
  #sent = false
  #againAtMs = 0

  constructor(operation: DirectOperation, row: Row) {
    this.id = operation.id
    this.deadlineMs = operation.deadlineMs
    this.#operation = operation
    this.#row = row
    this.bytes = 256 + operation.records.reduce((bytes, record) => bytes + recordBytes(record), 0)
  }

  start(desk: Desk): void {
    const { node, partition, purpose, keys, records } = this.#operation
    const peer = desk.peer(node)
    if (this.#sent) return
    if (peer === undefined || peer.status === 'down') return this.#fail(desk)
    const early = this.#againAtMs > desk.nowMs
    if (early || !peer.healthy) return desk.wait(this, early)
    this.#sent = desk.sendWrite(this, { node, partition, row: this.#row, purpose, keys, records })
    if (!this.#sent) desk.wait(this, true)
  }

  onWriteReply(desk: Desk, from: NodeId, status: ReplyStatus): void {
    if (from !== this.#operation.node) return
    if (status === REPLY.ok) return desk.end(this, { type: 'written' })
    this.#sent = false
    if (status === REPLY.failed || status === REPLY.expired) return this.#fail(desk)
    this.#againAtMs = desk.nowMs + RETRY_MS
    desk.wait(this, true)
  }

  onLegLost(desk: Desk, _node: NodeId, lost: { readonly sent: boolean; readonly silent: boolean }): void {
    if (lost.silent && lost.sent) return
    this.#sent = false
    desk.wait(this, false)
  }

  retry(desk: Desk): void {
    this.start(desk)
  }

  onTable(desk: Desk): void {
    const row = desk.table.rows[this.#operation.partition]
    if (row === undefined || row.epoch === this.#row.epoch) return
    this.#row = row
    this.#sent = false
    this.start(desk)
  }

  onDeadline(desk: Desk): void {
    this.#fail(desk)
  }

  onReadReply(): void {}
  onHintReply(): void {}
  onScanReply(): void {}

  #fail(desk: Desk): void {
    const { partition, node } = this.#operation
    desk.end(this, { type: 'failed', failure: { code: 'TIMEOUT', partition, missing: [node] } })
  }
}
