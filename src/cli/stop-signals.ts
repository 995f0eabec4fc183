/** SIGINT, SIGTERM and SIGHUP as one request to stop; a second SIGINT does not wait any longer. */

const EXIT_INTERRUPTED = 130
/** Ctrl-C comes twice: from the terminal, and from the parent that had it too. */
const SAME_SIGNAL_MS = 500
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Made before anything is opened: a signal during opening then stops cleanly too. */
export class StopSignals {
  /** Resolves with what asked for the stop. */
  readonly requested: Promise<string>
  /** The same for things that take a signal. */
  readonly signal: AbortSignal
  readonly #resolve: (by: string) => void
  readonly #abort = new AbortController()
  #relayedAtMs = Number.NEGATIVE_INFINITY

  constructor() {
    const { promise, resolve } = withResolvers<string>()
    this.requested = promise
    this.#resolve = resolve
    this.signal = this.#abort.signal
    for (const signal of SIGNALS) process.on(signal, this.#onSignal)
  }

  get isRequested(): boolean {
    return this.signal.aborted
  }

  request(by: string): void {
    this.#abort.abort()
    this.#resolve(by)
  }

  /** The parent process was sent the signal. */
  relayed(signal: NodeJS.Signals): void {
    this.#relayedAtMs = performance.now()
    this.request(signal)
  }

  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.#onSignal)
  }

  readonly #onSignal = (signal: NodeJS.Signals) => {
    const isSame = performance.now() - this.#relayedAtMs < SAME_SIGNAL_MS
    if (this.isRequested && signal === 'SIGINT' && !isSame) {
      process.stderr.write('interrupted again: leaving without closing\n')
      process.exit(EXIT_INTERRUPTED)
    }
    this.request(signal)
  }
}

/** Promise.withResolvers, which Node 20 does not have. */
function withResolvers<T>() {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
