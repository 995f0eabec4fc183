/** SIGINT, SIGTERM and SIGHUP as one request to stop; a second SIGINT does not wait any longer. */

const EXIT_INTERRUPTED = 130
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Made before anything is opened: a signal during opening then stops cleanly too. */
export class StopSignals {
  /** Resolves with what asked for the stop. */
  readonly requested: Promise<string>
  /** The same for things that take a signal. */
  readonly signal: AbortSignal
  readonly #resolve: (by: string) => void
  readonly #abort = new AbortController()

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

  close(): void {
    for (const signal of SIGNALS) process.off(signal, this.#onSignal)
  }

  readonly #onSignal = (signal: NodeJS.Signals) => {
    if (this.isRequested && signal === 'SIGINT') {
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
