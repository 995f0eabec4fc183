/**
 * The newest version on its way back to those who lack it, so that a later read can not meet a quorum that never saw it.
 *
 * Pure bookkeeping of one read, and what it sends; what becomes of the read is the read's. Called by `GetRequest` only.
 */

import type { Incarnation, Key, NodeId, PartitionId } from '../ids.js'
import { PURPOSE } from '../messages.js'
import type { Row } from '../ring/table.js'
import type { VersionRecord } from '../versions/record.js'
import type { Desk, Request } from './request.js'

/** The read. */
interface Reading extends Request {
  readonly key: Key
  readonly partition: PartitionId
  readonly row: Row
  /** It is known to hold this version. */
  hasShown(node: NodeId, version: VersionRecord): boolean
}

export class WriteBack {
  readonly newest: VersionRecord
  /** The newest as it is written, by which answers are known. */
  readonly records: readonly VersionRecord[]
  /** Full owners that must hold it. */
  readonly needed: number
  /** The caller waits for it. Where enough owners have the newest, or in a sloppy get, it only goes on in the background. */
  isBlocking: boolean
  readonly #reading: Reading
  /** Full owners known to hold it. */
  #holders: number
  /** Sent it and not answered. */
  readonly #sentTo: NodeId[] = []
  /** Accepted it. */
  readonly #held: NodeId[] = []
  /** Their stores take no writes (a full disk): they are not asked again in that life. The next one has opened its store anew. */
  readonly #refusedBy = new Map<NodeId, Incarnation>()

  constructor(
    reading: Reading,
    options: { newest: VersionRecord; needed: number; holders: number; isBlocking: boolean },
  ) {
    this.#reading = reading
    this.newest = options.newest
    this.records = [options.newest]
    this.needed = options.needed
    this.#holders = options.holders
    this.isBlocking = options.isBlocking
  }

  get isEnough(): boolean {
    return this.#holders >= this.needed
  }

  /** Nobody is to answer any more. */
  get isQuiet(): boolean {
    return this.#sentTo.length === 0
  }

  get refused(): readonly NodeId[] {
    return [...this.#refusedBy.keys()]
  }

  /** Somebody answered, or will not answer any more. False: it was not sent this. */
  settle(node: NodeId): boolean {
    const place = this.#sentTo.indexOf(node)
    if (place >= 0) this.#sentTo.splice(place, 1)
    return place >= 0
  }

  /** Once each: it may have been sent it twice, by its reads' lane falling silent between. */
  onAccepted(owner: NodeId): void {
    if (!this.#reading.row.owners.includes(owner) || this.#held.includes(owner)) return
    this.#held.push(owner)
    this.#holders += 1
  }

  onRefused(owner: NodeId, life: Incarnation): void {
    this.#refusedBy.set(owner, life)
  }

  /**
   * Writes the newest version to everybody who is not known to have it, until enough say that they have. Those who did not
   * answer too: who is behind is often so because its disk is slow, and the caller would wait for that.
   *
   * `short`: too few take it. `waits`: to be tried again when somebody is back. `soon`: a queue was full.
   */
  goOn(desk: Desk): 'enough' | 'short' | 'waits' | 'soon' | 'sent' {
    if (this.isEnough) return 'enough'
    const { row } = this.#reading
    for (const [node, life] of this.#refusedBy)
      if ((desk.peer(node)?.incarnation ?? 0) > life) this.#refusedBy.delete(node)
    const lacking = row.owners.filter(
      (owner): owner is NodeId =>
        owner !== null &&
        !this.#held.includes(owner) &&
        !this.#refusedBy.has(owner) &&
        !this.#reading.hasShown(owner, this.newest),
    )
    if (this.#refusedBy.size > 0 && this.#holders + lacking.length < this.needed) return 'short'
    let isQueueFull = false
    for (const node of lacking) {
      if (this.#sentTo.includes(node) || this.send(desk, node)) continue
      isQueueFull ||= desk.peer(node)?.status === 'up'
    }
    // A silent one is sent it too, but not counted on: it may answer after the deadline, or never.
    const expected = this.#holders + this.#sentTo.filter((node) => desk.peer(node)?.healthy).length
    if (expected < this.needed && isQueueFull) return 'soon'
    // Who has refused may come back with room, before the others answer.
    return expected < this.needed || this.#refusedBy.size > 0 ? 'waits' : 'sent'
  }

  /** False: it is not there, or its queue is full. */
  send(desk: Desk, node: NodeId): boolean {
    const { key, partition, row, bytes, deadlineMs } = this.#reading
    const columns = { purpose: PURPOSE.repair, keys: [key], records: this.records }
    const entry = {
      request: this.#reading,
      operations: 1,
      bytes,
      deadlineMs,
      partition,
      rowEpoch: row.epoch,
      ...columns,
    }
    if (desk.peer(node)?.status !== 'up' || !desk.sendWrite(node, entry)) return false
    this.#sentTo.push(node)
    return true
  }
}
