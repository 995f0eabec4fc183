/**
 * A history that outlives its process: each row is in a file before its request is sent, and again when it has been answered.
 * A process that is killed leaves exactly what it knew; what was on its way is a row without an end.
 *
 * Called by the processes that the torture kills; the parent reads.
 */

import { openSync, readFileSync, writeSync } from 'node:fs'
import type { Operation } from '../../src/sim/checkers/operation.js'
import { History, type Outcome } from './history.js'

/** The row's number and its six columns. */
const LINE_NUMBERS = 7

export class JournaledHistory extends History {
  readonly #fd: number
  readonly #line = new Float64Array(LINE_NUMBERS)

  constructor(path: string) {
    super()
    this.#fd = openSync(path, 'a')
  }

  override begin(key: number, kind: Operation['kind'], value: number): number {
    const row = super.begin(key, kind, value)
    this.#write(row)
    return row
  }

  override end(row: number, outcome: Outcome, value?: number): void {
    super.end(row, outcome, value)
    this.#write(row)
  }

  /** Into the page cache, at once: that survives the death of the process. */
  #write(row: number): void {
    this.#line[0] = row
    this.#line.set(this.columns(row), 1)
    writeSync(this.#fd, this.#line)
  }
}

/** What a journal holds; a last line that was cut short was of a request that was not sent yet, or whose end nobody knows. */
export function readJournal(path: string): History {
  const bytes = readFileSync(path)
  const lineBytes = LINE_NUMBERS * Float64Array.BYTES_PER_ELEMENT
  const lines = Math.floor(bytes.length / lineBytes)
  const numbers = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + lines * lineBytes))
  const history = new History()
  for (let line = 0; line < lines; line++) {
    const from = line * LINE_NUMBERS
    history.restore(numbers[from] as number, numbers.subarray(from + 1, from + LINE_NUMBERS))
  }
  return history
}
