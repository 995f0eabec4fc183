/** Makes the next table of an earlier one. An unchanged row is the very same object, so that callers see what changed by identity. */

import type { PartitionId } from '../ids.js'
import type { PartitionTable, Row } from '../ring/table.js'

/** The table with other rows under a new epoch; the same table if no row changed. */
export function withRows(table: PartitionTable, change: (row: Row, partition: PartitionId) => Row): PartitionTable {
  const epoch = table.epoch + 1
  let changed = false
  let n = 0
  const rows = table.rows.map((row, partition) => {
    const next = change(row, partition)
    n = Math.max(n, next.owners.length)
    if (next === row) return row
    changed = true
    return { ...next, epoch }
  })
  return changed ? { ...table, epoch, n, rows } : table
}
