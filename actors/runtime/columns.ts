/**
 * Columns of numbers on the wire: a column whose entries are all equal (epochs, deadlines of one turn, sizes of equal
 * values, statuses when all is well) travels as its length and one number. Structured clone writes an array entry by
 * entry, and these columns are most of a message.
 */

/** A column as it travels: as it is, or [length, value] marked by being an object. */
export type PackedColumn = readonly number[] | { readonly count: number; readonly all: number }

export function packColumn(column: readonly number[]): PackedColumn {
  const count = column.length
  if (count < 2) return column
  const all = column[0] as number
  for (let index = 1; index < count; index++) if (column[index] !== all) return column
  return { count, all }
}

export function unpackColumn(packed: PackedColumn): readonly number[] {
  return 'count' in packed ? new Array<number>(packed.count).fill(packed.all) : packed
}
