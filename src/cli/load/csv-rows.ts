/** CSV (RFC 4180: quoted fields, quotes doubled, line ends inside of quotes) as fields, through csv-parse. */

import { pipeline, type Readable } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import type { Fields } from './columns.js'
import { LINE_BYTES_MAX } from './lines.js'
import { type BadLine, SourceError } from './source-record.js'

/**
 * csv-parse cannot tell where the next record begins after these: it would swallow the rest of the file as one field, and skipping
 * that as "one bad line" would be a lie.
 */
const NO_WAY_ON: ReadonlySet<string> = new Set([
  'CSV_QUOTE_NOT_CLOSED',
  'CSV_INVALID_CLOSING_QUOTE',
  'CSV_MAX_RECORD_SIZE',
])

/** Malformed records are bad lines. Errors: `SourceError` where quotes do not match. */
export async function* readCsvRows(source: Readable, delimiter: string): AsyncGenerator<Fields | BadLine> {
  const skipped: BadLine[] = []
  const parser = parse({
    bom: true,
    delimiter,
    info: true,
    max_record_size: LINE_BYTES_MAX,
    // How many fields a line has is checked with the columns, as for TSV.
    relax_column_count: true,
    skip_empty_lines: true,
    skip_records_with_error: true,
    on_skip: (error) => {
      if (error === undefined) return
      if (NO_WAY_ON.has(error.code)) throw error
      skipped.push({ line: lineOf(error), problem: error.message })
    },
  })
  // Errors of the source reach the parser, and those of the parser the loop below.
  pipeline(source, parser, () => undefined)
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: string[]; info: { lines: number } }>) {
      yield* skipped.splice(0)
      yield { line: firstLine(record, info.lines), fields: record }
    }
  } catch (error) {
    if (error instanceof CsvError) throw new SourceError(error.message)
    throw error
  }
  yield* skipped.splice(0)
}

/** csv-parse tells the line on which a record ends; fields in quotes may have begun it earlier. */
function firstLine(fields: readonly string[], lastLine: number): number {
  let line = lastLine
  for (const field of fields) for (let at = field.indexOf('\n'); at !== -1; at = field.indexOf('\n', at + 1)) line -= 1
  return line
}

function lineOf(error: CsvError): number {
  return typeof error['lines'] === 'number' ? error['lines'] : 0
}
