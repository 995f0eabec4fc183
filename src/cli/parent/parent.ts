/**
 * The small parent of `coterie start`: runs the cluster in a child process and starts it again when it dies. What LevelDB or V8
 * abort takes a process, every node with it; only another process can bring it back.
 *
 * It restarts what a signal ended, and what failed after it had been open: at once, then ever later, and not for ever. Anything
 * else is the child's own answer, and its exit code the parent's. It opens nothing, parses nothing, and shares the terminal
 * with the child. It must not leave the child behind: whoever ends it ends the channel, and that ends the child.
 *
 * Called by `coterie.cts` before anything else is loaded.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { planRestart, type RestartPolicy } from '../../protocol/supervision/restart-policy.js'
import { madeToken } from '../http/token.js'
import { DEATH_VARIABLE, type FromChild, NATIVE_SIGNALS, type ToChild } from './parent-protocol.js'

const POLICY = {
  restartsMax: 5,
  windowMs: 60_000,
  backoffMsMin: 200,
  backoffMsMax: 10_000,
  stableAfterMs: 10_000,
} as const satisfies RestartPolicy

const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const EXIT_GIVEN_UP = 1

interface End {
  readonly pid: number
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly state: FromChild | undefined
  readonly lifeMs: number
}

class Parent {
  readonly #entry: string
  readonly #args: readonly string[]
  /** The same for every child: who has the dashboard open goes on. */
  readonly #httpToken = madeToken()
  #child: ChildProcess | undefined
  #stopBy: NodeJS.Signals | undefined
  #wake: () => void = () => undefined

  constructor(entry: string, args: readonly string[]) {
    this.#entry = entry
    this.#args = args
    for (const signal of STOP_SIGNALS) process.on(signal, () => this.#stop(signal))
  }

  /** Resolves with the exit code. */
  async run(): Promise<number> {
    const shortLivesAtMs: number[] = []
    let death: string | undefined
    for (;;) {
      const end = await this.#live(death)
      const failed = end.signal !== null || (end.state === 'open' && end.code !== 0)
      if (this.#stopBy !== undefined || end.state === 'closing' || !failed) return end.code ?? EXIT_GIVEN_UP
      restoreTerminal()
      const what = `the cluster's process ${end.pid} ended ${end.signal === null ? `with code ${end.code}` : `by ${end.signal}`}`
      const nowMs = performance.now()
      if (end.lifeMs < POLICY.stableAfterMs) shortLivesAtMs.push(nowMs)
      const decision = planRestart(shortLivesAtMs, POLICY, nowMs)
      if (decision.type === 'give-up') {
        say(
          `${what}; ${decision.shortLives} times within a minute and not ${POLICY.stableAfterMs / 1_000} s apart: giving up`,
        )
        return EXIT_GIVEN_UP
      }
      say(`${what}; it is started again${decision.delayMs === 0 ? '' : ` in ${decision.delayMs} ms`}`)
      death = end.signal !== null && NATIVE_SIGNALS.includes(end.signal) ? `${end.signal}:${end.pid}` : undefined
      await this.#pause(decision.delayMs)
      // Asked to stop while there was nothing to stop.
      if (this.#stopBy !== undefined) return 0
    }
  }

  #live(death: string | undefined): Promise<End> {
    const env = {
      ...process.env,
      ...this.#httpToken,
      ...(death === undefined ? {} : { [DEATH_VARIABLE]: death }),
    }
    const args = [...process.execArgv, this.#entry, ...this.#args, '--no-parent']
    const child = spawn(process.execPath, args, { stdio: ['inherit', 'inherit', 'inherit', 'ipc'], env })
    const sinceMs = performance.now()
    let state: FromChild | undefined
    this.#child = child
    child.on('message', (message: FromChild) => {
      state = message
    })
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code, signal) => {
        this.#child = undefined
        resolve({ pid: child.pid ?? 0, code, signal, state, lifeMs: performance.now() - sinceMs })
      })
    })
  }

  /** Told, not signalled: Ctrl-C reaches the child as well, and a second SIGINT would have it leave without closing. */
  #stop(signal: NodeJS.Signals): void {
    this.#stopBy ??= signal
    this.#wake()
    if (this.#child?.connected === true) this.#child.send({ stop: signal } satisfies ToChild)
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
      setTimeout(resolve, ms)
    })
  }
}

/** `entry`: the file that runs the command; `args`: what it was called with. */
export async function runUnderParent(entry: string, args: readonly string[]): Promise<void> {
  process.exit(await new Parent(entry, args).run())
}

/** What died at the prompt has left the terminal as it used it. */
function restoreTerminal(): void {
  if (process.stdin.isTTY) process.stdin.setRawMode(false)
  if (process.stdout.isTTY) process.stdout.write('\u001b[?25h\n')
}

function say(text: string): void {
  process.stderr.write(`coterie: ${text}\n`)
}
