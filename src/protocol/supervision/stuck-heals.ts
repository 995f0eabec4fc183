/**
 * Damaged records that their nodes cannot heal: which partitions are lost for it, which dead nodes' stores are read, and what the
 * nodes are told.
 *
 * A node that is stuck in a partition needs n − w + 1 other owners whose stores can be read there. If those that live are
 * too few, the stores that dead ones left are opened, and named to it. If there are still too few, or if they could not help,
 * the partition is lost, until an operator accepts it: then whatever the others know is enough.
 *
 * A part of `OwnerChanges`, called by nobody else. What a node said holds for the life in which it said it.
 */

import type { HealStuck } from '../heal-messages.js'
import type { Incarnation, NodeId, PartitionId } from '../ids.js'
import type { Row } from '../ring/table.js'
import type { Roster } from './roster.js'
import { isSalvage, type Supervised } from './supervised.js'
import type { SupervisorPost } from './supervisor-post.js'
import type { TableBook } from './table-book.js'

/** What it needs of the supervisor. */
interface StuckHost {
  readonly tables: TableBook
  readonly nodes: Roster
  readonly post: SupervisorPost
  salvage(node: Supervised): void
}

/** What a node has said. */
interface Report {
  readonly incarnation: Incarnation
  readonly partitions: ReadonlySet<PartitionId>
  readonly hopeless: ReadonlySet<PartitionId>
  /** Of the partitions, those whose loss an operator has accepted. */
  readonly accepted: Set<PartitionId>
  /** The order that was sent last, as text. */
  readonly ordered: Map<PartitionId, string>
}

export class StuckHeals {
  readonly #host: StuckHost
  readonly #neededOf: (row: Row) => number
  readonly #reports = new Map<NodeId, Report>()

  /** `neededOf`: so many other owners' stores heal a record of the row. */
  constructor(host: StuckHost, neededOf: (row: Row) => number) {
    this.#host = host
    this.#neededOf = neededOf
  }

  onStuck(from: NodeId, message: HealStuck): void {
    const incarnation = this.#host.nodes.get(from)?.incarnation
    if (incarnation === undefined) return
    const partitions = new Set(message.partitions)
    const before = this.#reportOf(from)
    const accepted = new Set([...(before?.accepted ?? [])].filter((partition) => partitions.has(partition)))
    const ordered = new Map([...(before?.ordered ?? [])].filter(([partition]) => partitions.has(partition)))
    if (partitions.size === 0) this.#reports.delete(from)
    else this.#reports.set(from, { incarnation, partitions, hopeless: new Set(message.hopeless), accepted, ordered })
  }

  /** The node has records there that it cannot heal. */
  isStuck(node: NodeId, partition: PartitionId): boolean {
    return this.#reportOf(node)?.partitions.has(partition) === true
  }

  /** Some owner that serves has a record there that nobody can heal any more. */
  isLost(row: Row, partition: PartitionId): boolean {
    return this.#stuckOwners(row, partition).some(
      ({ node, report }) =>
        !report.accepted.has(partition) &&
        (report.hopeless.has(partition) || this.#readable(node, row, partition).length < this.#neededOf(row)),
    )
  }

  /** An operator has accepted some loss, and the node is still at it. */
  get hasAccepted(): boolean {
    return [...this.#reports.values()].some(({ accepted }) => accepted.size > 0)
  }

  accept(row: Row, partition: PartitionId): void {
    for (const { report } of this.#stuckOwners(row, partition)) report.accepted.add(partition)
  }

  /** A dead node's store is read for a record that somebody is stuck with. */
  isSalvageNeeded(node: Supervised): boolean {
    return this.#rows().some(
      ({ row, partition }) =>
        row.owners.includes(node.id) && !this.isLost(row, partition) && this.#needsDead(row, partition),
    )
  }

  /** Whoever is stuck is told how it can go on, once for each way. */
  advance(): void {
    for (const { row, partition } of this.#rows()) {
      for (const { node, report } of this.#stuckOwners(row, partition)) {
        const accepted = report.accepted.has(partition)
        const salvaged = accepted || this.isLost(row, partition) ? [] : this.#salvage(node, row, partition)
        if (accepted || salvaged.length > 0) this.#order(node, report, { partition, salvaged, accepted })
      }
    }
  }

  /** Dead owners whose stores are open, once those and the living are enough; none: not yet, or not needed. */
  #salvage(stuck: Supervised, row: Row, partition: PartitionId): readonly Supervised[] {
    const readable = this.#readable(stuck, row, partition)
    const dead = readable.filter(isDead)
    if (readable.length - dead.length >= this.#neededOf(row)) return []
    for (const node of dead) if (node.phase === 'down') this.#host.salvage(node)
    return dead.every((node) => node.phase === 'salvaged') ? dead : []
  }

  #order(
    node: Supervised,
    report: Report,
    { partition, salvaged, accepted }: { partition: PartitionId; salvaged: readonly Supervised[]; accepted: boolean },
  ): void {
    const ids = salvaged.map(({ id }) => id)
    const text = JSON.stringify([accepted, salvaged.map(({ id, incarnation }) => [id, incarnation])])
    if (report.ordered.get(partition) === text) return
    report.ordered.set(partition, text)
    this.#host.post.send(node.id, { type: 'heal/start', partition, salvaged: ids, accepted })
  }

  #needsDead(row: Row, partition: PartitionId): boolean {
    return this.#stuckOwners(row, partition).some(
      ({ node, report }) =>
        !report.accepted.has(partition) &&
        this.#readable(node, row, partition).filter((other) => !isDead(other)).length < this.#neededOf(row),
    )
  }

  /** Other owners that live or left a store, and are not stuck there themselves. */
  #readable(stuck: Supervised, row: Row, partition: PartitionId): readonly Supervised[] {
    return row.owners.flatMap((owner) => {
      const node = owner === null || owner === stuck.id ? undefined : this.#host.nodes.get(owner)
      return node === undefined || node.isStoreGone || this.isStuck(node.id, partition) ? [] : [node]
    })
  }

  /** Those that are up: the store of a dead one is a source, and heals nothing. */
  #stuckOwners(row: Row, partition: PartitionId): readonly { readonly node: Supervised; readonly report: Report }[] {
    if (this.#reports.size === 0) return []
    return row.owners.flatMap((owner) => {
      const node = owner === null ? undefined : this.#host.nodes.get(owner)
      const report = node?.phase === 'up' ? this.#reportOf(node.id) : undefined
      return node === undefined || report?.partitions.has(partition) !== true ? [] : [{ node, report }]
    })
  }

  /** Rows in which somebody is stuck. */
  #rows(): readonly { readonly row: Row; readonly partition: PartitionId }[] {
    const partitions = new Set([...this.#reports.values()].flatMap((report) => [...report.partitions]))
    return [...partitions]
      .sort((a, b) => a - b)
      .flatMap((partition) => {
        const row = this.#host.tables.newest.rows[partition]
        return row === undefined ? [] : [{ row, partition }]
      })
  }

  #reportOf(id: NodeId): Report | undefined {
    const report = this.#reports.get(id)
    return report?.incarnation === this.#host.nodes.get(id)?.incarnation ? report : undefined
  }
}

function isDead(node: Supervised): boolean {
  return node.phase === 'down' || isSalvage(node)
}
