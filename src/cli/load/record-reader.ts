/** TSV, CSV or JSONL as a stream of records, in bounded memory. It knows nothing of clusters. */

import type { Readable } from 'node:stream'
import { Columns, type Fields } from './columns.js'
import { readCsvRows } from './csv-rows.js'
import { type Line, readLines } from './lines.js'
import type { BadLine, ReaderOptions, SourceItem, SourceRecord } from './source-record.js'

/** Errors: `SourceError` where the input as a whole cannot be read; those of the stream. */
export async function* readRecords(source: Readable, options: ReaderOptions): AsyncGenerator<SourceItem> {
  if (options.format === 'jsonl') {
    for await (const line of readLines(source)) {
      if ('problem' in line) yield line
      else if (line.text.trim() !== '') yield recordOfJson(line, options)
    }
    return
  }
  const columns = new Columns(options)
  const rows = options.format === 'csv' ? readCsvRows(source, options.delimiter) : readTsvRows(source)
  for await (const row of rows) {
    const item = 'problem' in row ? row : columns.record(row)
    if (item !== undefined) yield item
  }
}

/** TSV has no quotes: a field holds everything but a tab and a line end. */
async function* readTsvRows(source: Readable): AsyncGenerator<Fields | BadLine> {
  for await (const line of readLines(source)) {
    if ('problem' in line) yield line
    else if (line.text !== '') yield { line: line.line, fields: line.text.split('\t') }
  }
}

function recordOfJson({ line, text }: Line, { keyColumn, valueColumn }: ReaderOptions): SourceItem {
  const record = parseObject(line, text)
  if ('problem' in record) return record
  const first = firstMember(text)
  const keyName = keyColumn ?? first?.name
  const key = keyName === undefined ? undefined : keyOf(record.members, keyName, first)
  if (key === undefined) {
    return { line, problem: `has no text or number in ${JSON.stringify(keyName ?? 'its first member')}` }
  }
  if (typeof key === 'object') return { line, problem: key.problem }
  // The line as it was written: numbers that a double cannot hold survive.
  if (valueColumn === undefined) return { line, key, value: text.trim() }
  const value = Object.hasOwn(record.members, valueColumn) ? record.members[valueColumn] : undefined
  if (value === undefined) return { line, problem: `has no ${JSON.stringify(valueColumn)}` }
  return {
    line,
    key,
    value: typeof value === 'string' ? value : JSON.stringify(value),
  } satisfies SourceRecord
}

/** A line's first member as it was written. `JSON.parse` would put names that look like numbers before it. */
interface FirstMember {
  readonly name: string
  /** Of a number: its digits as they are. */
  readonly digits: string | undefined
}

const FIRST_MEMBER = /^\s*\{\s*("(?:[^"\\]|\\.)*")\s*:\s*(-?\d[\d.eE+-]*)?/

function firstMember(text: string): FirstMember | undefined {
  const found = FIRST_MEMBER.exec(text)
  if (found === null) return undefined
  return { name: JSON.parse(found[1] ?? '""') as string, digits: found[2] }
}

/** A text, or a number as it was written. Undefined: neither. Two long numbers must not become one key. */
function keyOf(
  members: Readonly<Record<string, unknown>>,
  name: string,
  first: FirstMember | undefined,
): string | { readonly problem: string } | undefined {
  const value = Object.hasOwn(members, name) ? members[name] : undefined
  if (typeof value === 'string') return value
  if (typeof value !== 'number') return undefined
  if (first?.name === name && first.digits !== undefined) return first.digits
  if (Number.isSafeInteger(value)) return String(value)
  return { problem: `has a number in ${JSON.stringify(name)} that is not a whole one of at most 16 digits: quote it` }
}

interface ParsedObject {
  readonly members: Readonly<Record<string, unknown>>
}

function parseObject(line: number, text: string): ParsedObject | BadLine {
  try {
    const parsed: unknown = JSON.parse(text)
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
      return { members: parsed as Record<string, unknown> }
    }
    return { line, problem: 'is not a JSON object' }
  } catch (error) {
    if (error instanceof SyntaxError) return { line, problem: `is not JSON: ${error.message}` }
    throw error
  }
}
