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
  /** For which nobody has kept a hint yet. */
  readonly #left: Map<Key, VersionRecord>
  /** Of these, what the keeper has not been sent. */
  #unsent = new Map<Key, VersionRecord>()
  #keeper: NodeId | undefined
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
    this.#left = new Map(input.keys.map((key, index) => [key, input.records[index] as VersionRecord]))
  }

  start(desk: Desk): void {
    // Of a keeper that went away while there was no room for the rest nobody tells: nothing was on its way.
    if (this.#keeper !== undefined && desk.peer(this.#keeper)?.healthy !== true) this.#keeper = undefined
    if (this.#keeper === undefined && !this.#chooseKeeper(desk)) return
    const keeper = this.#keeper as NodeId
    for (const [key, record] of this.#unsent) {
      // No more room on the way there: the rest is tried again soon.
      const hint = { keeper, target: this.target, partition: this.#partition, key, record }
      if (!desk.sendHint(this, hint)) return desk.wait(this, true)
      this.#unsent.delete(key)
    }
  }

  /** False: there is none now, or none ever. */
  #chooseKeeper(desk: Desk): boolean {
    const row = desk.table.rows[this.#partition]
    if (row === undefined || desk.peer(this.target)?.status === 'down') {
      desk.forget(this)
      return false
    }
    const healthy = desk.healthyNodes().filter((node) => !this.#refusedBy.includes(node))
    const owners = preferenceList(row).filter((owner) => owner !== this.target && healthy.includes(owner))
    this.#keeper = fallbacksOf(this.#partition, row, healthy, 1)[0] ?? owners[0]
    this.#unsent = new Map(this.#left)
    if (this.#keeper !== undefined) return true
    if (this.#refusedBy.length > 0) this.#lose(desk)
    else desk.wait(this, false)
    return false
  }

  override onHintReply(desk: Desk, keeper: NodeId, status: ReplyStatus, { key }: { key: Key }): void {
    if (status === REPLY.ok) {
      // Whoever keeps it, and however late that is heard.
      this.#left.delete(key)
      if (this.#left.size === 0) desk.forget(this)
      return
    }
    if (keeper !== this.#keeper) return
    if (status === REPLY.full) return this.#lose(desk)
    this.#keeper = undefined
    if (status !== REPLY.refused) return desk.wait(this, true)
    this.#refusedBy.push(keeper)
    this.start(desk)
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
