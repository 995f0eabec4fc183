/**
 * Damaged records of this node: each is learned anew from n − w + 1 other owners, and replaced.
 *
 * Where too few others can say what it was (one is down for good, say, and another lacks the record as well), the record is *stuck*.
 * It is tried again whenever a node or the table has changed. The supervisor is told of the partition: it has the stores
 * read that the dead left on disk, and names them by an order (`heal/start`); or, if those are gone too, the partition is lost
 * until an operator accepts that, by which whatever the others know is enough.
 *
 * It must never replace a record by less than any n − w + 1 others know, unless that was accepted. Called by `NodeRequests`.
 */

import { HEALS_MAX, STUCK_MAX } from '../config.js'
import type { HealStart, HealStuck } from '../heal-messages.js'
import type { Key, NodeId, PartitionId } from '../ids.js'
import type { Outcome } from '../messages.js'
import type { VersionRecord } from '../versions/record.js'

/** What healing needs of the node. */
export interface HealHost {
  /** Grows whenever a peer or the table has changed. */
  readonly changes: () => number
  readonly partitionOf: (key: Key) => PartitionId
  readonly isFullOwner: (partition: PartitionId) => boolean
  /** What the store has of it now, and nothing else is on its way there. */
  readonly isDamaged: (key: Key) => boolean
  /** Asks the others; answered by `onLearned`. */
  readonly learn: (key: Key, by: Pick<HealStart, 'salvaged' | 'accepted'>) => void
  /** Replaces the record; undefined: there was none. Answered by `onReplaced`. */
  readonly replace: (key: Key, record: VersionRecord | undefined) => void
  readonly openSalvage: (node: NodeId) => void
  readonly notice: (type: 'record/damaged' | 'record/healed' | 'record/stuck', key: Key) => void
  readonly tell: (message: HealStuck) => void
}

/** By what a record was, or is being, asked for. */
interface Attempt {
  readonly changes: number
  readonly order: HealStart | undefined
}

export class Heals {
  readonly #host: HealHost
  readonly #running = new Map<Key, Attempt>()
  /** And how each was tried last. */
  readonly #stuck = new Map<Key, Attempt>()
  readonly #orders = new Map<PartitionId, HealStart>()
  #triedAt = 0
  #told = '[[],[]]'

  constructor(host: HealHost) {
    this.#host = host
  }

  /** A damaged record was found; or was once, if the page that says so was read before something newer was written. */
  heal(key: Key): void {
    if (!this.#host.isDamaged(key)) return
    const last = this.#stuck.get(key)
    if (this.#running.has(key) || this.#running.size >= HEALS_MAX || (last !== undefined && !this.#isOver(key, last)))
      return
    if (last === undefined) this.#host.notice('record/damaged', key)
    const order = this.#orders.get(this.#host.partitionOf(key))
    this.#running.set(key, { changes: this.#host.changes(), order })
    this.#host.learn(key, order ?? { salvaged: [], accepted: false })
  }

  /** The supervisor has found out how it can go on. */
  onOrder(order: HealStart): void {
    this.#orders.set(order.partition, order)
    for (const node of order.salvaged) this.#host.openSalvage(node)
    for (const key of [...this.#stuck.keys()]) if (this.#host.partitionOf(key) === order.partition) this.heal(key)
  }

  onLearned(key: Key, outcome: Outcome): void {
    if (outcome.type === 'value') return this.#host.replace(key, outcome.record)
    const attempt = this.#running.get(key)
    this.#running.delete(key)
    if (attempt === undefined || !this.#host.isDamaged(key)) return
    const { changes, order } = attempt
    const isKnown = this.#stuck.has(key)
    const isFinal = isHopeless(outcome)
    if (!isKnown && (!isFinal || this.#stuck.size >= STUCK_MAX)) return
    if (!isKnown) this.#host.notice('record/stuck', key)
    // Where somebody did not answer in time, an order has not been tried; nor has one that came meanwhile.
    this.#stuck.set(key, { changes, order: isFinal ? order : undefined })
    this.heal(key)
    this.#tell()
  }

  onReplaced(key: Key, isDone: boolean): void {
    this.#running.delete(key)
    if (!isDone) return
    this.#stuck.delete(key)
    this.#host.notice('record/healed', key)
    this.#tell()
  }

  /** These are on their way into the store, whatever was there. If it refuses them they are found again. */
  onWriting(keys: readonly Key[]): void {
    if (this.#stuck.size === 0) return
    for (const key of keys) this.#stuck.delete(key)
    this.#tell()
  }

  /** What is stuck is tried again if anything has changed. */
  retry(): void {
    const changes = this.#host.changes()
    if (this.#stuck.size === 0 || changes === this.#triedAt) return
    this.#triedAt = changes
    for (const key of [...this.#stuck.keys()]) {
      if (this.#host.isFullOwner(this.#host.partitionOf(key)) && this.#host.isDamaged(key)) this.heal(key)
      else this.#stuck.delete(key)
    }
    this.#tell()
  }

  /** A rebuilt supervisor knows of nothing. */
  tellAgain(): void {
    this.#told = '[[],[]]'
    this.#tell()
  }

  #tell(): void {
    const partitions = new Set<PartitionId>()
    const hopeless = new Set<PartitionId>()
    for (const [key, { order }] of this.#stuck) {
      const partition = this.#host.partitionOf(key)
      partitions.add(partition)
      if (order !== undefined && order === this.#orders.get(partition)) hopeless.add(partition)
    }
    for (const partition of this.#orders.keys()) if (!partitions.has(partition)) this.#orders.delete(partition)
    const sorted = [partitions, hopeless].map((set) => [...set].sort((a, b) => a - b))
    const told = JSON.stringify(sorted)
    if (told === this.#told) return
    this.#told = told
    this.#host.tell({ type: 'heal/stuck', partitions: sorted[0] ?? [], hopeless: sorted[1] ?? [] })
  }

  /** Something has changed since. */
  #isOver(key: Key, { changes, order }: Attempt): boolean {
    return changes !== this.#host.changes() || order !== this.#orders.get(this.#host.partitionOf(key))
  }
}

/** Not for want of time. */
function isHopeless(outcome: Outcome): boolean {
  if (outcome.type !== 'failed') return false
  const { code } = outcome.failure
  return code === 'QUORUM_UNAVAILABLE' || code === 'PARTITION_LOST' || code === 'STORE_FAILED'
}
