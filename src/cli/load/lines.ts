/** A stream of bytes as lines, in bounded memory. */

import { isUtf8 } from 'node:buffer'
import { type BadLine, SourceError } from './source-record.js'

export interface Line {
  readonly line: number
  readonly text: string
}

/** A line longer than this is no line: a wrong file, or a file without line ends. */
export const LINE_BYTES_MAX = 64 * 1024 * 1024
const LINE_FEED = 0x0a
const CARRIAGE_RETURN = 0x0d
const BYTE_ORDER_MARK = Buffer.from('\ufeff')

/** Without line ends and byte order mark; lines that are not UTF-8 are bad. Errors: `SourceError` for an endless line. */
export async function* readLines(source: AsyncIterable<Buffer>): AsyncGenerator<Line | BadLine> {
  let number = 0
  let rest: Buffer[] = []
  let restBytes = 0
  for await (const chunk of source) {
    let from = 0
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, from)) {
      rest.push(chunk.subarray(from, end))
      number += 1
      yield toLine(rest, number)
      rest = []
      restBytes = 0
      from = end + 1
    }
    if (from < chunk.length) rest.push(chunk.subarray(from))
    restBytes += chunk.length - from
    if (restBytes > LINE_BYTES_MAX) throw new SourceError(`line ${number + 1} is longer than ${LINE_BYTES_MAX} bytes`)
  }
  if (restBytes > 0) yield toLine(rest, number + 1)
}

function toLine(parts: readonly Buffer[], line: number): Line | BadLine {
  let bytes = parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
  if (bytes.at(-1) === CARRIAGE_RETURN) bytes = bytes.subarray(0, -1)
  if (line === 1 && bytes.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK))
    bytes = bytes.subarray(BYTE_ORDER_MARK.length)
  return isUtf8(bytes) ? { line, text: bytes.toString('utf8') } : { line, problem: 'is not UTF-8' }
}
