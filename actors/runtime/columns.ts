/**
 * Columns of numbers on the wire, as runs where that is shorter: epochs, deadlines of a few turns, sizes of equal values,
 * statuses when all is well. Structured clone writes an array entry by entry, and these columns are most of a message.
 *
 * Every array that is sent is filled by `push`. One that was made with its length counts as having holes, whatever is put
 * into it, and structured clone then writes each index beside its entry and reads it as a property: twice the time.
 */

/** A column as it travels: as it is, or as [value, length, value, length, …]. */
export type PackedColumn = readonly number[] | { readonly runs: readonly number[] }

/** Runs are worth it from so many entries a run on. */
const ENTRIES_PER_RUN = 4

export function packColumn(column: readonly number[]): PackedColumn {
  const count = column.length
  const runs: number[] = []
  for (let from = 0; from < count; ) {
    const value = column[from] as number
    let end = from + 1
    while (end < count && column[end] === value) end++
    runs.push(value, end - from)
    if (runs.length * ENTRIES_PER_RUN > count * 2) return column
    from = end
  }
  return { runs }
}

export function unpackColumn(packed: PackedColumn): readonly number[] {
  if (!('runs' in packed)) return packed
  const { runs } = packed
  const column: number[] = []
  for (let at = 0; at < runs.length; at += 2) {
    for (let left = runs[at + 1] as number; left > 0; left--) column.push(runs[at] as number)
  }
  return column
}
