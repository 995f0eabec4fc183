/**
 * An ordered scan: the partitions' indexes are in order each, and are merged. Pages of all of them are read at once, larger as the scan
 * goes on.
 */

import type { Key, PartitionId } from '../../protocol/ids.js'
import type { KeyRange } from '../../protocol/messages.js'
import { after } from '../../shared/call-arguments.js'

/** A page of one partition, in the order of the scan. */
export interface PartitionPage {
  readonly rows: readonly (readonly [Key, Uint8Array])[]
  /** Where it ended. Undefined: there is no more. */
  readonly next: Key | undefined
}

/** One page that is wanted. */
export interface PageWanted {
  readonly partition: PartitionId
  readonly range: KeyRange
  readonly rows: number
}

/** In the order in which they are wanted. */
export type ReadPages = (wanted: readonly PageWanted[]) => Promise<PartitionPage[]>

const ROWS_FIRST = 64
const ROWS_MAX = 2_048

interface Cursor {
  readonly partition: PartitionId
  /** What has not been read. Undefined: nothing. */
  rest: KeyRange | undefined
  rows: PartitionPage['rows']
  at: number
}

/** `rows` at most; a page of all partitions holds about twice as many as are wanted from it. */
export async function* mergedRows(
  options: { readonly partitions: number; readonly range: KeyRange; readonly limit: number },
  readPages: ReadPages,
): AsyncGenerator<readonly [Key, Uint8Array]> {
  const { partitions, range, limit } = options
  const cursors = Array.from(
    { length: partitions },
    (_, partition): Cursor => ({ partition, rest: range, rows: [], at: 0 }),
  )
  const isBefore = range.reverse ? (a: Key, b: Key) => a > b : (a: Key, b: Key) => a < b
  let wanted = ROWS_FIRST
  let left = limit
  while (left > 0) {
    await fill(cursors, Math.ceil((2 * Math.min(wanted, left)) / partitions) + 1, readPages)
    wanted = Math.min(ROWS_MAX, wanted * 2)
    const heap = new Heap(cursors.filter(hasRow), (a, b) => isBefore(keyAt(a), keyAt(b)))
    let first = heap.first
    if (first === undefined) return
    while (first !== undefined) {
      yield first.rows[first.at] as readonly [Key, Uint8Array]
      left -= 1
      if (left <= 0) return
      first.at += 1
      // Without its next row nobody knows what comes next.
      if (!hasRow(first) && first.rest !== undefined) break
      if (hasRow(first)) heap.sink()
      else heap.drop()
      first = heap.first
    }
    if (first === undefined) return
  }
}

/** Those that have run out, and those that soon will. */
async function fill(cursors: readonly Cursor[], rows: number, readPages: ReadPages): Promise<void> {
  let low = cursors.filter((cursor) => cursor.rest !== undefined && cursor.rows.length - cursor.at < rows / 2)
  while (low.length > 0) {
    const pages = await readPages(
      low.flatMap(({ partition, rest }) => (rest ? [{ partition, range: rest, rows }] : [])),
    )
    for (const [index, page] of pages.entries()) {
      const cursor = low[index] as Cursor
      cursor.rows = [...cursor.rows.slice(cursor.at), ...page.rows]
      cursor.at = 0
      cursor.rest = page.next === undefined ? undefined : after(cursor.rest as KeyRange, page.next)
    }
    low = low.filter((cursor) => !hasRow(cursor) && cursor.rest !== undefined)
  }
}

function hasRow({ rows, at }: Cursor): boolean {
  return at < rows.length
}

function keyAt({ rows, at }: Cursor): Key {
  return (rows[at] as readonly [Key, Uint8Array])[0]
}

/** The cursor whose row comes first is on top. */
class Heap {
  readonly #items: Cursor[]
  readonly #isBefore: (a: Cursor, b: Cursor) => boolean

  constructor(items: readonly Cursor[], isBefore: (a: Cursor, b: Cursor) => boolean) {
    // A sorted array is a heap.
    this.#items = [...items].sort((a, b) => (isBefore(a, b) ? -1 : 1))
    this.#isBefore = isBefore
  }

  get first(): Cursor | undefined {
    return this.#items[0]
  }

  drop(): void {
    const last = this.#items.pop()
    if (this.#items.length === 0 || last === undefined) return
    this.#items[0] = last
    this.sink()
  }

  /** The first one has moved on. */
  sink(): void {
    const items = this.#items
    for (let at = 0; ; ) {
      const [left, right] = [2 * at + 1, 2 * at + 2]
      let least = at
      for (const child of [left, right])
        if (child < items.length && this.#isBefore(items[child] as Cursor, items[least] as Cursor)) least = child
      if (least === at) return
      ;[items[at], items[least]] = [items[least] as Cursor, items[at] as Cursor]
      at = least
    }
  }
}
