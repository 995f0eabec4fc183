/** The demo's voice: chapters, facts, events, and the list of what had to hold. */

import { duration } from '../terminal/format.js'
import { stylerFor } from '../terminal/style.js'

export interface Check {
  readonly held: boolean
  readonly text: string
}

const LABEL_WIDTH = 22

export class Narrator {
  readonly checks: Check[] = []
  /** Then it is silent but for the verdict. */
  readonly #json: boolean
  readonly #style = stylerFor(process.stdout)
  readonly #started = performance.now()
  #chapter = 0

  constructor(json: boolean) {
    this.#json = json
  }

  title(text: string, subtitle: string): void {
    this.#line(`\n${this.#style('bold', text)}\n${this.#style('dim', subtitle)}`)
  }

  chapter(text: string): void {
    this.#chapter += 1
    this.#line(`\n${this.#style(['bold', 'cyan'], `${this.#chapter}. ${text}`)}`)
  }

  /** What is about to happen and why it is worth watching. */
  say(text: string): void {
    this.#line(`   ${text}`)
  }

  fact(label: string, text: string): void {
    this.#line(`   ${this.#style('dim', label.padEnd(LABEL_WIDTH))} ${text}`)
  }

  /** Something that happened in the cluster, with the time since the demo began. */
  event(text: string): void {
    const at = `${((performance.now() - this.#started) / 1_000).toFixed(2)} s`
    this.#line(`   ${this.#style('dim', at.padStart(8))}  ${text}`)
  }

  lines(lines: readonly string[]): void {
    for (const line of lines) this.#line(`   ${line}`)
  }

  /** Counts toward the exit code. */
  check(held: boolean, text: string): void {
    this.checks.push({ held, text })
  }

  /** True if everything held. */
  verdict(): boolean {
    const held = this.checks.every((check) => check.held)
    const tookMs = performance.now() - this.#started
    if (this.#json) {
      process.stdout.write(`${JSON.stringify({ held, tookMs: Math.round(tookMs), checks: this.checks })}\n`)
      return held
    }
    this.#line(`\n${this.#style('bold', 'What had to hold')}`)
    for (const check of this.checks) {
      this.#line(`   ${check.held ? this.#style('green', '✔') : this.#style('red', '✘')} ${check.text}`)
    }
    this.#line(
      held
        ? this.#style(['bold', 'green'], `\nAll of it held, in ${duration(tookMs)}.`)
        : this.#style(['bold', 'red'], `\nNOT all of it held.`),
    )
    return held
  }

  #line(text: string): void {
    if (!this.#json) process.stdout.write(`${text}\n`)
  }
}
