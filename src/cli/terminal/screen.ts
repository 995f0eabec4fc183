/**
 * Keeps three things apart on one terminal: what was printed (it scrolls away as usual), the footer (the live status, redrawn
 * in place) and the prompt below it, which belongs to readline.
 *
 *     12:04:05.123 node:up  node2 (life 2) is up     ← printed
 *     coterie> get city/FR/2988507                   ← printed: the line that was entered
 *     ── ./data · table 3 · converged ──────────     ┐
 *     node   status  life                            │ footer
 *     node1  up         1                            ┘
 *     coterie> _                                       readline's
 *
 * Rejected: a scroll region for the printed part. readline erases to the end of the screen at every edit in the middle of a
 * line, and with the status on top of the region nothing would reach the terminal's scrollback.
 *
 * Relative moves only, so it works wherever on the screen the prompt is. It relies on two things of readline: the cursor is
 * `getCursorPos().rows` below the prompt's first row, and `prompt(true)` goes up `prevRows` before it draws. After a paste readline
 * has forgotten to count those (it does not refresh while text streams in), so they are set right before they are needed.
 */

import type { Interface } from 'node:readline'
import { displayWidth } from './format.js'

const CLEAR_DOWN = '\x1b[J'
const CLEAR_LINE = '\x1b[2K'
const SAVE_CURSOR = '\x1b7'
const RESTORE_CURSOR = '\x1b8'
/** Terminals that know it show nothing half drawn; the others ignore it. */
const HOLD = '\x1b[?2026h'
const SHOW = '\x1b[?2026l'

export class Screen {
  readonly #output: NodeJS.WriteStream
  readonly #readline: Interface
  /** What is to be seen between the printed part and the prompt. */
  #footer: readonly string[] = []
  /** Rows of it that are on the screen, right above the prompt. */
  #drawnRows = 0
  #closed = false

  constructor(output: NodeJS.WriteStream, readline: Interface) {
    this.#output = output
    this.#readline = readline
  }

  get columns(): number {
    return this.#output.columns
  }

  get rows(): number {
    return this.#output.rows
  }

  /** Lines must fit the terminal's width. */
  setFooter(lines: readonly string[]): void {
    const before = this.#footer
    if (lines.length === before.length && lines.every((line, at) => line === before[at])) return
    this.#footer = lines
    if (this.#closed) return
    if (this.#drawnRows === lines.length) this.#redrawFooterInPlace()
    else this.#paint('', this.#rowsAboveCursor())
  }

  /** Prints above the footer. */
  print(text: string): void {
    const lines = text === '' ? '' : `${text}\n`
    if (this.#closed) this.#output.write(lines)
    else this.#paint(lines, this.#rowsAboveCursor())
  }

  /** readline's 'line' event came: the cursor is in the row below the line, which now moves to the printed part. */
  entered(line: string): void {
    if (this.#closed) return
    const prompt = this.#readline.getPrompt()
    const rowsOfLine = Math.floor((displayWidth(stripStyle(prompt)) + displayWidth(line)) / this.columns) + 1
    this.#paint(`${prompt}${line}\n`, this.#drawnRows + rowsOfLine)
  }

  /** The screen was cleared (Ctrl-L), resized or used by another program: nothing that was drawn can be relied on. */
  redraw(): void {
    if (this.#closed) return
    this.#drawnRows = 0
    this.#paint('', this.#readline.getCursorPos().rows)
  }

  /** Takes the footer away; from now on `print` just prints. */
  close(): void {
    if (this.#closed) return
    this.#output.write(`\r${up(this.#rowsAboveCursor())}${CLEAR_DOWN}`)
    this.#closed = true
  }

  /** To be called after every key: readline's own next redraw starts where the prompt starts, also after a paste. */
  recountRows(): number {
    const readline: Interface & { prevRows?: number } = this.#readline
    readline.prevRows = readline.getCursorPos().rows
    return readline.prevRows
  }

  #rowsAboveCursor(): number {
    return this.#drawnRows + this.#readline.getCursorPos().rows
  }

  #paint(printed: string, rowsUp: number): void {
    const promptRows = this.recountRows()
    const footer = this.#footer.map((line) => `${line}\n`).join('')
    this.#drawnRows = this.#footer.length
    this.#output.write(`${HOLD}\r${up(rowsUp)}${CLEAR_DOWN}${printed}${footer}${'\n'.repeat(promptRows)}`)
    this.#readline.prompt(true)
    this.#output.write(SHOW)
  }

  /** Does not touch the prompt, so it cannot disturb somebody who types. */
  #redrawFooterInPlace(): void {
    const lines = this.#footer.map((line) => `${CLEAR_LINE}${line}\n`).join('')
    this.#output.write(`${HOLD}${SAVE_CURSOR}\r${up(this.#rowsAboveCursor())}${lines}${RESTORE_CURSOR}${SHOW}`)
  }
}

function up(rows: number): string {
  return rows === 0 ? '' : `\x1b[${rows}A`
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for the escape character
const STYLE = /\x1b\[[\d;]*m/g

function stripStyle(text: string): string {
  return text.replace(STYLE, '')
}
