/** What the readers give: records ready to be put, and lines that cannot become one. */

export interface SourceRecord {
  /** Where it began, from 1. */
  readonly line: number
  readonly key: string | Uint8Array
  readonly value: string | Uint8Array
}

export interface BadLine {
  readonly line: number
  readonly problem: string
}

export type SourceItem = SourceRecord | BadLine

export function isBadLine(item: SourceItem): item is BadLine {
  return 'problem' in item
}

export interface ReaderOptions {
  readonly format: 'tsv' | 'csv' | 'jsonl'
  /** The first line names the columns. */
  readonly header: boolean
  /** Name or number (from 1); undefined: the first. */
  readonly keyColumn: string | undefined
  /** Name or number (from 1); undefined: the whole record as JSON. */
  readonly valueColumn: string | undefined
  /** Of CSV. */
  readonly delimiter: string
}

/** The input as a whole cannot be read as asked: no such column, a quote that is never closed. */
export class SourceError extends Error {
  override readonly name = 'SourceError'
  readonly code = 'UNREADABLE_INPUT'
}
