/** The rows that a request may have gone by: those of the table its coordinator had when it began, and of all since. */

import type { PartitionId } from '../../protocol/ids.js'
import type { PartitionTable, Row } from '../../protocol/ring/table.js'
import type { Call } from '../call.js'
import type { SimWorld } from '../world.js'

export class RowHistory {
  readonly #tables: PartitionTable[] = []
  /** Calls that have not ended → the oldest epoch that their coordinators may go by. */
  readonly #since = new Map<number, number>()

  onPersisted(table: PartitionTable): void {
    this.#tables.push(table)
  }

  onCall(call: Call, world: SimWorld): void {
    this.#since.set(call.number, oldestEpoch(call, world))
  }

  /** Distinct rows of the partition, oldest first. The call is forgotten by `onGone`. */
  rowsOf({ number }: Call, partition: PartitionId): readonly Row[] {
    const since = this.#since.get(number) ?? 0
    const rows: Row[] = []
    for (const { epoch, rows: all } of this.#tables) {
      const row = all[partition]
      if (epoch >= since && row !== undefined && rows.at(-1)?.epoch !== row.epoch) rows.push(row)
    }
    return rows
  }

  onGone({ number }: Call): void {
    this.#since.delete(number)
  }
}

/** Where nodes coordinate, any of them may. */
function oldestEpoch({ gateway: id }: Call, { gateways, nodes, options, supervisor }: SimWorld): number {
  const { coordination, conflict } = options.config
  let oldest = gateways.get(id)?.core.table.epoch ?? supervisor.table.epoch
  if (coordination === 'client' && conflict === 'lww') return oldest
  for (const { core } of nodes.values()) if (core !== undefined) oldest = Math.min(oldest, core.table.epoch)
  return oldest
}
