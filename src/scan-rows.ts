/**
 * The rows of a scan, one at a time, from pages that are read as they are wanted: at first small ones, so that the first row comes
 * soon; later one ahead.
 *
 * No async generator: each of its rows takes three turns of promises, and of many rows that is most of what a scan costs its caller.
 * A row that is here is given at once.
 *
 * Called by the client.
 */

import { newestValueOf } from './answers.js'
import { isLogKey } from './protocol/batch-log/log-keys.js'
import type { ScanPage } from './protocol/coordinator/request.js'
import type { Key } from './protocol/ids.js'
import type { KeyRange } from './protocol/messages.js'
import type { ScanOptions } from './shared/api.js'
import { after } from './shared/call-arguments.js'
import { keyToBytes } from './shared/keys.js'

/** Rows of one page. */
const ROWS_FIRST = 64
const ROWS_MAX = 1_024

/** Key and value. */
export type Row = [Uint8Array, Uint8Array]

/** Where rows come from. */
export interface ScanSource {
  /** Of a range: its first `rows` rows, or fewer. */
  read(range: KeyRange, rows: number): Promise<ScanPage>
  /** Where the store has moved to: rows come from there after the page that is here. Undefined: it has not. */
  successor(): { scan(options: ScanOptions): AsyncIterableIterator<Row> } | undefined
}

const OVER = { value: undefined, done: true } as const

export class ScanRows implements AsyncIterableIterator<Row> {
  readonly #source: ScanSource
  #page: ScanPage | undefined
  /** In the page. */
  #index = 0
  /** What comes after the page; undefined: nothing. */
  #rest: KeyRange | undefined
  #left: number
  #rows = ROWS_FIRST
  #ahead: Promise<ScanPage> | undefined
  /** The last `next` that waits for a page. */
  #waiting: Promise<unknown> | undefined
  /** The rest of them, of a store that has moved. */
  #moved: AsyncIterableIterator<Row> | undefined
  #isOver = false

  /** `range` undefined: there is nothing in it. */
  constructor(source: ScanSource, range: KeyRange | undefined, limit: number) {
    this.#source = source
    this.#rest = range
    this.#left = limit
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  next(): Promise<IteratorResult<Row>> {
    if (this.#waiting === undefined) {
      const row = this.#take()
      if (row !== undefined) return Promise.resolve(row)
    }
    // In the order of the calls, also where they do not wait for each other.
    const result = (this.#waiting ?? Promise.resolve()).then(() => this.#step())
    const settled = () => {
      if (this.#waiting === waiting) this.#waiting = undefined
    }
    const waiting: Promise<void> = result.then(settled, settled)
    this.#waiting = waiting
    return result
  }

  async return(): Promise<IteratorResult<Row>> {
    const [moved, waiting] = [this.#moved, this.#waiting]
    this.#end()
    await waiting
    await moved?.return?.()
    return OVER
  }

  async #step(): Promise<IteratorResult<Row>> {
    let row = this.#take()
    while (row === undefined) {
      try {
        this.#moved ??= this.#source.successor()?.scan(this.#optionsOfRest())
        const row = this.#moved === undefined ? await this.#turnPage() : await this.#moved.next()
        if (this.#isOver) return OVER
        if (row !== undefined) return row
      } catch (error) {
        // It was ended meanwhile: nobody wants to know.
        if (this.#isOver) return OVER
        this.#end()
        throw error
      }
      row = this.#take()
    }
    return row
  }

  /** Undefined: a page must be read first. */
  #take(): IteratorResult<Row> | undefined {
    if (this.#isOver || this.#left <= 0) return OVER
    const { keys = [], records = [] } = this.#page ?? {}
    while (this.#index < keys.length) {
      const key = keys[this.#index] as Key
      const value = newestValueOf(records[this.#index])
      this.#index += 1
      if (value === undefined || isLogKey(key)) continue
      this.#left -= 1
      return { value: [keyToBytes(key), value], done: false }
    }
    return this.#rest === undefined ? OVER : undefined
  }

  #optionsOfRest(): ScanOptions {
    const { from, fromExclusive, to, toExclusive, reverse } = this.#rest as KeyRange
    return {
      ...(from === undefined ? {} : { [fromExclusive === true ? 'gt' : 'gte']: keyToBytes(from) }),
      ...(to === undefined ? {} : { [toExclusive === true ? 'lt' : 'lte']: keyToBytes(to) }),
      ...(this.#left === Number.POSITIVE_INFINITY ? {} : { limit: this.#left }),
      reverse,
    }
  }

  async #turnPage(): Promise<undefined> {
    const range = this.#rest as KeyRange
    const page = await (this.#ahead ?? this.#source.read(range, Math.min(this.#rows, this.#left)))
    this.#ahead = undefined
    if (this.#isOver) return
    this.#page = page
    this.#index = 0
    this.#rest = page.next === undefined ? undefined : after(range, page.next)
    this.#rows = Math.min(ROWS_MAX, this.#rows * 2)
    // Not before the first one has been read to its end: many want no more.
    if (this.#rows > 2 * ROWS_FIRST) this.#readAhead(Math.min(this.#rows, this.#left - page.keys.length))
  }

  /** What it fails with is told when it is asked for. */
  #readAhead(rows: number): void {
    if (this.#rest === undefined || rows <= 0) return
    this.#ahead = this.#source.read(this.#rest, rows)
    this.#ahead.catch(() => undefined)
  }

  #end(): void {
    this.#isOver = true
    this.#page = undefined
    this.#rest = undefined
    this.#ahead = undefined
    this.#moved = undefined
  }
}
