/**
 * A recorder of operations in columns of numbers. A minute of sixteen callers is millions of operations: as objects they would
 * cost the caller's thread garbage collections of tens of milliseconds, and those would be taken for stalls of the cluster.
 *
 * Called by the workload while it runs, and by the soak to turn the rows into operations for the checker.
 */

import type { Operation } from '../../src/sim/checkers/operation.js'

const CHUNK_ROWS = 65_536
const KINDS = ['get', 'put', 'delete'] as const

/** Nanoseconds of the clock that all threads share: exact as a number for the first 104 days after boot. */
export function now(): number {
  return Number(process.hrtime.bigint())
}

/** How an operation ended. `pending` until it has: at the end that is a request which nobody answered. */
export type Outcome = 'pending' | 'answered' | 'failed' | 'unknown'
const OUTCOMES: readonly Outcome[] = ['pending', 'answered', 'failed', 'unknown']

/** One row, read back. */
export interface HistoryRow {
  /** Number of the key. */
  readonly key: number
  readonly kind: Operation['kind']
  readonly outcome: Outcome
  /** What was put, or what a get answered: a number of the workload, −1 for no value, NaN for bytes that nobody wrote. */
  readonly value: number
  readonly invokedAt: number
  readonly returnedAt: number
}

/** Plain data, for another thread. */
export interface HistoryData {
  readonly chunks: readonly Float64Array<ArrayBuffer>[]
  readonly rows: number
}

const COLUMNS = { key: 0, kind: 1, outcome: 2, value: 3, invokedAt: 4, returnedAt: 5 } as const
const WIDTH = 6

/** Rows are begun when a request is issued and ended when it is answered. */
export class History {
  readonly #chunks: Float64Array<ArrayBuffer>[]
  #rows: number

  constructor(data: HistoryData = { chunks: [], rows: 0 }) {
    this.#chunks = [...data.chunks]
    this.#rows = data.rows
  }

  get length(): number {
    return this.#rows
  }

  /** The row's number. */
  begin(key: number, kind: Operation['kind'], value: number): number {
    const row = this.#rows
    if (row % CHUNK_ROWS === 0) this.#chunks.push(new Float64Array(CHUNK_ROWS * WIDTH))
    this.#rows += 1
    const [chunk, offset] = this.#at(row)
    chunk[offset + COLUMNS.key] = key
    chunk[offset + COLUMNS.kind] = KINDS.indexOf(kind)
    chunk[offset + COLUMNS.value] = value
    chunk[offset + COLUMNS.invokedAt] = now()
    return row
  }

  /** `value` is what a get answered. */
  end(row: number, outcome: Outcome, value?: number): void {
    const [chunk, offset] = this.#at(row)
    chunk[offset + COLUMNS.outcome] = OUTCOMES.indexOf(outcome)
    chunk[offset + COLUMNS.returnedAt] = now()
    if (value !== undefined) chunk[offset + COLUMNS.value] = value
  }

  row(row: number): HistoryRow {
    const [chunk, offset] = this.#at(row)
    const column = (name: keyof typeof COLUMNS) => chunk[offset + COLUMNS[name]] as number
    return {
      key: column('key'),
      kind: KINDS[column('kind')] as Operation['kind'],
      outcome: OUTCOMES[column('outcome')] as Outcome,
      value: column('value'),
      invokedAt: column('invokedAt'),
      returnedAt: column('returnedAt'),
    }
  }

  /** The row as it lies in memory: what a journal keeps of it. */
  columns(row: number): Float64Array<ArrayBuffer> {
    const [chunk, offset] = this.#at(row)
    return chunk.subarray(offset, offset + WIDTH)
  }

  /** Sets a row to what `columns` gave elsewhere. Rows come in order, each as often as it changed. */
  restore(row: number, columns: Float64Array): void {
    if (row === this.#rows) this.begin(0, 'get', 0)
    this.columns(row).set(columns)
  }

  *rows(): Generator<HistoryRow> {
    for (let row = 0; row < this.#rows; row++) yield this.row(row)
  }

  toData(): HistoryData {
    return { chunks: this.#chunks, rows: this.#rows }
  }

  #at(row: number): [Float64Array<ArrayBuffer>, number] {
    const chunk = this.#chunks[Math.floor(row / CHUNK_ROWS)]
    if (chunk === undefined) throw new RangeError(`row ${row} of ${this.#rows}`)
    return [chunk, (row % CHUNK_ROWS) * WIDTH]
  }
}

/** The rows of several recorders as operations, grouped by key, so that not all need exist as objects at once. */
export function* operationsByKey(histories: readonly History[]): Generator<Operation[]> {
  const rowsOf = new Map<number, [History, number][]>()
  for (const history of histories) {
    for (let row = 0; row < history.length; row++) {
      const { key } = history.row(row)
      const rows = rowsOf.get(key)
      if (rows === undefined) rowsOf.set(key, [[history, row]])
      else rows.push([history, row])
    }
  }
  for (const rows of rowsOf.values()) yield rows.map(([history, row]) => operationOf(history.row(row)))
}

function operationOf(row: HistoryRow): Operation {
  const { kind, outcome, invokedAt } = row
  const text = row.value === -1 ? undefined : String(row.value)
  return {
    key: String(row.key),
    kind,
    value: kind === 'put' ? text : undefined,
    result: kind === 'get' ? text : undefined,
    invokedAt,
    returnedAt: outcome === 'answered' || outcome === 'failed' ? row.returnedAt : Number.POSITIVE_INFINITY,
    failed: outcome === 'failed',
  }
}
