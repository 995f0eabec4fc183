/**
 * The prompt of `coterie start`: reads lines, runs commands one after another, completes words. It prints through the screen
 * and never writes to the terminal itself.
 */

import { createInterface, type Interface } from 'node:readline'
import type { Cluster } from '../../shared/api.js'
import { errorLines } from '../report-error.js'
import { bytesText, truncate } from './format.js'
import { prefixRange } from './prefix-range.js'
import { PROMPT_COMMANDS, type PromptContext, PromptUsageError, unknownCommand } from './prompt-commands.js'
import { Screen } from './screen.js'
import type { Styler } from './style.js'
import { splitWords } from './words.js'

const OFFERED_KEYS_MAX = 40
/** Lines that wait for the one that runs: a paste, not a program. */
const WAITING_MAX = 1_000

export interface PromptOptions {
  readonly cluster: Cluster
  readonly style: Styler
  readonly context: (screen: Screen) => PromptContext
  /** Ctrl-C, Ctrl-D. */
  readonly onLeave: () => void
}

export class Prompt {
  readonly screen: Screen
  readonly #readline: Interface
  readonly #cluster: Cluster
  readonly #style: Styler
  readonly #context: PromptContext
  readonly #waiting: string[] = []
  #running = false
  #closed = false

  constructor(options: PromptOptions) {
    this.#cluster = options.cluster
    this.#style = options.style
    this.#readline = createInterface({
      input: process.stdin,
      output: process.stdout,
      prompt: options.style(['bold', 'cyan'], 'coterie> '),
      historySize: 1_000,
      removeHistoryDuplicates: true,
      completer: (line: string, answer: (error: Error | null, result: [string[], string]) => void) => {
        this.#complete(line).then(
          (result) => answer(null, result),
          (error: Error) => {
            this.#fail(error)
            answer(null, [[], line])
          },
        )
      },
    })
    this.screen = new Screen(process.stdout, this.#readline)
    this.#context = options.context(this.screen)
    this.#readline.on('line', (line) => this.#enter(line))
    this.#readline.on('SIGINT', options.onLeave)
    this.#readline.on('close', options.onLeave)
    this.#readline.on('SIGCONT', () => this.screen.redraw())
    process.stdout.on('resize', this.#onResize)
    // readline has registered first: when this runs, it has done already what the key asks for.
    process.stdin.on('keypress', this.#onKeypress)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    process.stdout.off('resize', this.#onResize)
    process.stdin.off('keypress', this.#onKeypress)
    this.screen.close()
    this.#readline.close()
  }

  readonly #onResize = () => {
    // Terminals reflow what is on the screen, each in its own way; only a clean screen is the same everywhere.
    process.stdout.write('\x1b[2J\x1b[H')
    this.screen.redraw()
  }

  readonly #onKeypress = (_text: string, key: { name?: string; ctrl?: boolean } | undefined) => {
    this.screen.recountRows()
    if (key?.ctrl === true && key.name === 'l') this.screen.redraw()
  }

  #enter(line: string): void {
    if (this.#closed) return
    this.screen.entered(line)
    if (this.#waiting.length >= WAITING_MAX) {
      this.screen.print(this.#style('red', `more than ${WAITING_MAX} lines wait to be run; this one is dropped`))
      return
    }
    this.#waiting.push(line)
    if (!this.#running) void this.#runWaiting()
  }

  async #runWaiting(): Promise<void> {
    this.#running = true
    for (let line = this.#waiting.shift(); line !== undefined && !this.#closed; line = this.#waiting.shift()) {
      await this.#run(line)
    }
    this.#running = false
  }

  async #run(line: string): Promise<void> {
    const { words, unclosed } = splitWords(line)
    const [name, ...rest] = words
    if (name === undefined) return
    try {
      if (unclosed) throw new PromptUsageError('a quote is not closed')
      const command = commandOf(name)
      if (command === undefined) this.screen.print(this.#style('red', unknownCommand(name)))
      else this.#print(await command.run(rest, this.#context))
    } catch (error) {
      if (error instanceof PromptUsageError) {
        const usage = commandOf(name)?.usage
        this.screen.print(this.#style('red', `${error.message}${usage === undefined ? '' : `; usage: ${usage}`}`))
      } else this.#fail(error)
    }
  }

  #print(lines: readonly string[]): void {
    if (lines.length > 0) this.screen.print(lines.join('\n'))
  }

  #fail(error: unknown): void {
    this.#print(errorLines(error).map((line) => this.#style('red', line)))
  }

  /**
   * readline is never left to print a list: it would print it between the footer and the prompt. It is given the one text to
   * insert, or nothing.
   */
  async #complete(line: string): Promise<[string[], string]> {
    const { words, unclosed } = splitWords(line)
    const typed = /\s$/.test(line) ? '' : (words.at(-1) ?? '')
    const before = typed === '' ? words : words.slice(0, -1)
    // Words in quotes would have to be quoted again.
    if (unclosed || !line.endsWith(typed)) return [[], line]
    const offers = (await this.#offers(before, typed)).filter((offer) => offer.startsWith(typed))
    const common = commonPrefix(offers)
    if (offers.length === 1) return [[`${common} `], typed]
    if (common.length > typed.length) return [[common], typed]
    if (offers.length > 1) this.screen.print(this.#style('dim', truncate(offers.join('  '), this.screen.columns * 4)))
    return [[], line]
  }

  async #offers(before: readonly string[], typed: string): Promise<readonly string[]> {
    const [name] = before
    if (name === undefined) return Object.keys(PROMPT_COMMANDS)
    const completes = commandOf(name)?.completes
    if (name === 'crash' && before.length === 2) return ['--permanent']
    if (completes === undefined || before.length !== 1) return []
    if (completes === 'commands') return Object.keys(PROMPT_COMMANDS)
    if (completes === 'nodes') return this.#cluster.status().nodes.map(({ id }) => id)
    return completes === 'keys' ? await this.#keys(typed) : completes
  }

  async #keys(prefix: string): Promise<string[]> {
    const keys: string[] = []
    for await (const [key] of this.#cluster.scan({ ...prefixRange(prefix), limit: OFFERED_KEYS_MAX, r: 1 })) {
      const text = bytesText(key)
      // What would have to be quoted is not offered.
      if (!/[\s"'\\]/.test(text)) keys.push(text)
    }
    return keys
  }
}

function commandOf(name: string) {
  return Object.hasOwn(PROMPT_COMMANDS, name) ? PROMPT_COMMANDS[name] : undefined
}

function commonPrefix(texts: readonly string[]): string {
  let prefix = texts[0] ?? ''
  for (const text of texts) while (!text.startsWith(prefix)) prefix = prefix.slice(0, -1)
  return prefix
}
