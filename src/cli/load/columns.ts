/** From the fields of a line to key and value, for TSV and CSV alike. */

import { plural } from '../terminal/format.js'
import { type ReaderOptions, SourceError, type SourceItem } from './source-record.js'

export interface Fields {
  readonly line: number
  readonly fields: readonly string[]
}

/** Knows the columns once it has seen the first line; then turns lines into records. */
export class Columns {
  readonly #options: ReaderOptions
  #count = 0
  /** Each name as JSON with its colon; empty without a header: then a record is a JSON array. */
  #names: readonly string[] = []
  #keyAt = 0
  #valueAt: number | undefined

  constructor(options: ReaderOptions) {
    this.#options = options
  }

  /** Undefined for the header. Errors: `SourceError` if a column that was asked for does not exist. */
  record({ line, fields }: Fields): SourceItem | undefined {
    if (this.#count === 0) {
      this.#learn(fields)
      if (this.#options.header) return undefined
    }
    if (fields.length !== this.#count)
      return { line, problem: `has ${plural(fields.length, 'field')}, not ${this.#count}` }
    const key = fields[this.#keyAt] ?? ''
    const value = this.#valueAt === undefined ? this.#json(fields) : (fields[this.#valueAt] ?? '')
    return { line, key, value }
  }

  #learn(first: readonly string[]): void {
    const { header, keyColumn, valueColumn } = this.#options
    this.#count = first.length
    if (header) this.#names = first.map((name) => `${JSON.stringify(name)}:`)
    const twice = header ? first.find((name, at) => first.indexOf(name) !== at) : undefined
    if (twice !== undefined) throw new SourceError(`the header has the column ${JSON.stringify(twice)} twice`)
    this.#keyAt = keyColumn === undefined ? 0 : this.#find(keyColumn, first)
    this.#valueAt = valueColumn === undefined ? undefined : this.#find(valueColumn, first)
  }

  /** A name goes before a number, so that a column called "2" can be meant. */
  #find(column: string, first: readonly string[]): number {
    const named = this.#options.header ? first.indexOf(column) : -1
    const at = named === -1 && /^\d+$/.test(column) ? Number(column) - 1 : named
    if (at >= 0 && at < first.length) return at
    const there = this.#options.header ? first.map((name) => JSON.stringify(name)).join(', ') : `1 to ${first.length}`
    throw new SourceError(`there is no column ${JSON.stringify(column)}; the file has ${there}`)
  }

  /** Written out rather than made as an object first: columns can have names like `__proto__`, and this is faster. */
  #json(fields: readonly string[]): string {
    if (this.#names.length === 0) return JSON.stringify(fields)
    return `{${fields.map((field, at) => `${this.#names[at]}${JSON.stringify(field)}`).join(',')}}`
  }
}
