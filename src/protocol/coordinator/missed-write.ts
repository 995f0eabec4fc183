/**
 * An owner missed a write: find somebody who keeps a hint for it.
 *
 * The keeper is the next healthy non-owner, or where there is none a healthy owner. Where nobody takes the hint (bounds,
 * full disks, deadline, an owner absent for longer than the window) the loss is told to the supervisor, who lets the replicas
 * exchange once the owner is back. Called by `Coordination` only.
 */

import type { Key, NodeId, PartitionId } from '../ids.js'
import { REPLY, type ReplyStatus, type RequestId } from '../messages.js'
import { fallbacksOf, preferenceList } from '../ring/preference-list.js'
import type { VersionRecord } from '../versions/record.js'
import { type Desk, Request, recordBytes } from './request.js'

/** How long a keeper is looked for. */
const KEEPER_SEARCH_MS = 30_000

export class MissedWrite extends Request {
  readonly target: NodeId
  readonly #partition: PartitionId
  readonly #keys: readonly Key[]
  readonly #records: readonly VersionRecord[]
  #keeper: NodeId | undefined
  #waiting = 0
  /** Their stores take no writes. */
  readonly #refusedBy: NodeId[] = []

  constructor(input: {
    id: RequestId
    nowMs: number
    target: NodeId
    partition: PartitionId
    keys: readonly Key[]
    records: readonly VersionRecord[]
  }) {
    const bytes = input.records.reduce((sum, record) => sum + recordBytes(record), 256)
    super(input.id, input.nowMs + KEEPER_SEARCH_MS, bytes)
    this.target = input.target
    this.#partition = input.partition
    this.#keys = input.keys
    this.#records = input.records
  }

  start(desk: Desk): void {
    if (this.#keeper !== undefined) return
    const row = desk.table.rows[this.#partition]
    if (row === undefined || desk.peer(this.target)?.status === 'down') return desk.forget(this)
    const healthy = desk.healthyNodes().filter((node) => !this.#refusedBy.includes(node))
    const owners = preferenceList(row).filter((owner) => owner !== this.target && healthy.includes(owner))
    const keeper = fallbacksOf(this.#partition, row, healthy, 1)[0] ?? owners[0]
    if (keeper === undefined) return this.#refusedBy.length > 0 ? this.#lose(desk) : desk.wait(this, false)
    this.#keeper = keeper
    this.#waiting = this.#keys.length
    this.#keys.forEach((key, index) => {
      const record = this.#records[index] as VersionRecord
      desk.sendHint(this, { keeper, target: this.target, partition: this.#partition, key, record })
    })
  }

  override onHintReply(desk: Desk, keeper: NodeId, status: ReplyStatus): void {
    if (keeper !== this.#keeper) return
    if (status === REPLY.full) return this.#lose(desk)
    if (status !== REPLY.ok) {
      this.#keeper = undefined
      if (status !== REPLY.refused) return desk.wait(this, true)
      this.#refusedBy.push(keeper)
      return this.start(desk)
    }
    this.#waiting -= 1
    if (this.#waiting === 0) desk.forget(this)
  }

  override onLegLost(desk: Desk, node: NodeId): void {
    if (node !== this.#keeper) return
    this.#keeper = undefined
    this.start(desk)
  }

  retry(desk: Desk): void {
    this.start(desk)
  }

  onDeadline(desk: Desk): void {
    this.#lose(desk)
  }

  #lose(desk: Desk): void {
    desk.hintLost(this.target)
    desk.forget(this)
  }
}
