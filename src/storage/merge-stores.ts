/**
 * Several stores as one stream in the order of stored keys: for each key, what each of them has under it.
 *
 * Called by what reads a whole cluster at rest: a restore, a verification. Keeps two pages of each store.
 */

import type { StoredEntry } from './backup-chunk.js'

/** A page of entries in order; an empty one is the end. */
export interface EntrySource {
  nextPage(): Promise<StoredEntry[]>
}

export interface MergedKey {
  /** As stored, in latin1. */
  readonly stored: string
  /** By whose: the index of the source. */
  readonly found: readonly { readonly source: number; readonly entry: StoredEntry }[]
}

interface Cursor {
  readonly from: EntrySource
  /** Read while the page before is merged. */
  next: Promise<StoredEntry[]> | undefined
  entries: StoredEntry[]
  at: number
  /** Of the entry at `at`; undefined at the end of the page. */
  stored: string | undefined
  isOver: boolean
}

export class StoreMerge {
  readonly #cursors: Cursor[]
  readonly #onPage: (source: number, entries: readonly StoredEntry[]) => void

  /** `onPage` sees each source's entries once, in order. */
  constructor(
    sources: readonly EntrySource[],
    onPage: (source: number, entries: readonly StoredEntry[]) => void = () => undefined,
  ) {
    this.#cursors = sources.map((from) => ({
      from,
      next: undefined,
      entries: [],
      at: 0,
      stored: undefined,
      isOver: false,
    }))
    this.#onPage = onPage
  }

  /** The next keys, as many as the pages at hand can tell; none at the end. Errors: those of the sources. */
  async nextKeys(): Promise<MergedKey[]> {
    await Promise.all(this.#cursors.map((cursor, source) => this.#fill(cursor, source)))
    const keys: MergedKey[] = []
    // A page that is used up ends it: the source's next key may be the smallest.
    while (this.#cursors.every((cursor) => cursor.stored !== undefined || cursor.isOver)) {
      const key = this.#takeSmallest()
      if (key === undefined) break
      keys.push(key)
    }
    return keys
  }

  async #fill(cursor: Cursor, source: number): Promise<void> {
    if (cursor.stored !== undefined || cursor.isOver) return
    cursor.entries = await (cursor.next ?? cursor.from.nextPage())
    cursor.at = 0
    cursor.isOver = cursor.entries.length === 0
    cursor.next = cursor.isOver ? undefined : cursor.from.nextPage()
    // Whoever awaits it is told; until then it is nobody's.
    cursor.next?.catch(() => undefined)
    this.#onPage(source, cursor.entries)
    look(cursor)
  }

  #takeSmallest(): MergedKey | undefined {
    let stored: string | undefined
    for (const cursor of this.#cursors)
      if (cursor.stored !== undefined && (stored === undefined || cursor.stored < stored)) stored = cursor.stored
    if (stored === undefined) return undefined
    const found: { source: number; entry: StoredEntry }[] = []
    this.#cursors.forEach((cursor, source) => {
      if (cursor.stored !== stored) return
      found.push({ source, entry: cursor.entries[cursor.at] as StoredEntry })
      cursor.at++
      look(cursor)
    })
    return { stored, found }
  }
}

function look(cursor: Cursor): void {
  cursor.stored = cursor.entries[cursor.at]?.[0].toString('latin1')
}
