/** A process that is started, listened to and killed. Called by every part that does so. */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** How a process ended. */
export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** The end of what it wrote to its standard error. */
  readonly stderr: string
}

const STDERR_MAX = 4_000

export interface ChildOptions {
  readonly environment?: NodeJS.ProcessEnv
  /** `ulimit -n`: files, sockets and the like that it can have open at a time. */
  readonly descriptorsMax?: number
}

export class Child<Report> {
  readonly #process: ChildProcess
  readonly ended: Promise<Ending>
  #stderr = ''

  /** `entry`: beside this file. */
  constructor(entry: string, argument: unknown, options: ChildOptions = {}) {
    const { descriptorsMax, environment = process.env } = options
    const node = [process.execPath, '--enable-source-maps', fileURLToPath(new URL(entry, import.meta.url))]
    const [command = '', ...words] =
      descriptorsMax === undefined ? node : ['sh', '-c', 'ulimit -n "$0" && exec "$@"', String(descriptorsMax), ...node]
    const stdio = ['ignore', 'ignore', 'pipe', 'ipc'] as const
    // What a test runner has its own processes load, or write down, is not for one that is killed or starved.
    const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, ...env } = environment
    this.#process = spawn(command, [...words, JSON.stringify(argument)], { env, stdio: [...stdio] })
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_MAX)
    })
    this.ended = once(this.#process, 'close').then(
      ([code, signal]) => ({ code, signal, stderr: this.#stderr }) as Ending,
    )
  }

  onReport(listener: (report: Report) => void): void {
    this.#process.on('message', (report) => listener(report as Report))
  }

  send(message: object): void {
    this.#process.send(message)
  }

  /** Its next report, its end, or that neither came in time: then it is killed. */
  async next(withinMs: number): Promise<{ readonly report: Report } | { readonly ended: string }> {
    const watch = new AbortController()
    const { signal } = watch
    const reported = once(this.#process, 'message', { signal }).then(([report]) => ({ report: report as Report }))
    const late = delay(withinMs, { ended: `it had not answered after ${withinMs} ms` }, { signal })
    const over = this.ended.then((ending) => ({ ended: describeEnding(ending) }))
    try {
      const first = await Promise.race([reported, late, over])
      if ('ended' in first) this.kill()
      return first
    } finally {
      for (const other of [reported, late]) other.catch(() => 'taken back')
      watch.abort()
    }
  }

  kill(): void {
    this.#process.kill('SIGKILL')
  }

  disconnect(): void {
    if (this.#process.connected) this.#process.disconnect()
  }
}

/** A line for a person. */
export function describeEnding({ code, signal, stderr }: Ending): string {
  return `${signal ?? `code ${code}`}${stderr === '' ? '' : `: ${stderr.trim()}`}`
}
