/**
 * Which standbys lack what: one that is new, or that has forgotten, is filled like a pending owner, but nothing waits for it: it
 * counts toward no quorum. What it lacks otherwise it gets by hints and exchanges.
 *
 * A part of `SupervisorCore`, called by nobody else.
 */

import type { Epoch, Incarnation, NodeId, PartitionId } from '../ids.js'
import { holdersNeeded, type Quorums } from '../ring/quorum.js'
import type { Row } from '../ring/table.js'
import type { FillOrder } from '../transfer-messages.js'
import type { Roster } from './roster.js'
import type { SupervisorPost } from './supervisor-post.js'
import type { TableBook } from './table-book.js'

interface Lacking {
  /** Row epoch and life under which it was told to; undefined: not yet. */
  told: { readonly rowEpoch: Epoch; readonly incarnation: Incarnation } | undefined
}

/** What it needs of the supervisor. */
export interface StandbyHost {
  readonly tables: TableBook
  readonly nodes: Roster
  readonly post: SupervisorPost
  readonly quorums: Quorums
  /** See `OwnerChanges.isKnown`. */
  readonly isKnown: (row: Row) => boolean
}

export class StandbyFills {
  readonly #host: StandbyHost
  readonly #lacking = new Map<NodeId, Map<PartitionId, Lacking>>()
  readonly #copies = new Set<NodeId>()

  constructor(host: StandbyHost) {
    this.#host = host
  }

  /** Some standby has been told to fill, and has not. */
  get isWorking(): boolean {
    for (const lacking of this.#lacking.values())
      for (const { told } of lacking.values()) if (told !== undefined) return true
    return false
  }

  /** It holds nothing; or (a seed) nearly everything, as of some time ago. */
  onNew(node: NodeId, partitions: number, hasCopy: boolean): void {
    if (hasCopy) this.#copies.add(node)
    else this.#copies.delete(node)
    const lacking = Array.from({ length: partitions }, (_, partition) => [partition, { told: undefined }] as const)
    this.#lacking.set(node, new Map(lacking))
  }

  onFilled(node: NodeId, partitions: readonly PartitionId[], rowEpochs: readonly Epoch[]): void {
    const lacking = this.#lacking.get(node)
    if (lacking === undefined) return
    partitions.forEach((partition, place) => {
      if (lacking.get(partition)?.told?.rowEpoch === rowEpochs[place]) lacking.delete(partition)
    })
    if (lacking.size === 0) this.#lacking.delete(node)
  }

  /** It is down for good, has left, or is a member now. */
  forget(node: NodeId): void {
    this.#lacking.delete(node)
    this.#copies.delete(node)
  }

  lacks(node: NodeId): number {
    return this.#lacking.get(node)?.size ?? 0
  }

  /** Orders for those that are up; again where a row has changed, or the node has begun a new life. */
  advance(): void {
    const { tables, nodes, post, quorums, isKnown } = this.#host
    for (const [id, lacking] of [...this.#lacking].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const node = nodes.get(id)
      if (node?.phase !== 'up' || node.storedEpoch < tables.persisted.epoch) continue
      const orders: FillOrder[] = []
      for (const [partition, wanted] of lacking) {
        const row = tables.persisted.rows[partition]
        if (tables.newest.rows[partition]?.standbys.includes(id) !== true) lacking.delete(partition)
        if (row?.standbys.includes(id) !== true || !isKnown(row)) continue
        const { told } = wanted
        if (told?.rowEpoch === row.epoch && told.incarnation === node.incarnation) continue
        const sources = row.owners.filter((owner): owner is NodeId => owner !== null && nodes.isUp(owner))
        const needed = holdersNeeded(quorums, row.owners.length)
        if (sources.length < needed) continue
        wanted.told = { rowEpoch: row.epoch, incarnation: node.incarnation }
        const order = { partition, rowEpoch: row.epoch, sources: sources.slice(0, needed) }
        orders.push(this.#copies.has(id) ? { ...order, hasCopy: true } : order)
      }
      if (lacking.size === 0) this.#lacking.delete(id)
      if (orders.length > 0) post.send(id, { type: 'transfer/start', orders })
    }
  }
}
