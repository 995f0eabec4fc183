/** Notices that a migration's target has been away for too long. Called by the migration. */

const LOOK_MS = 100

export class TargetWatch {
  readonly #isTroubled: () => boolean
  readonly #onAway: () => void
  #timer: NodeJS.Timeout | undefined
  /** Undefined: all is well. */
  #sinceMs: number | undefined

  constructor(options: { isTroubled: () => boolean; onAway: () => void }) {
    this.#isTroubled = options.isTroubled
    this.#onAway = options.onAway
  }

  /** Also with another time. */
  start(afterMs: number): void {
    this.stop()
    this.#timer = setInterval(() => this.#look(afterMs), LOOK_MS)
    this.#timer.unref()
  }

  stop(): void {
    if (this.#timer !== undefined) clearInterval(this.#timer)
    this.#timer = undefined
    this.#sinceMs = undefined
  }

  #look(afterMs: number): void {
    const now = performance.now()
    if (!this.#isTroubled()) this.#sinceMs = undefined
    else if (this.#sinceMs === undefined) this.#sinceMs = now
    else if (now - this.#sinceMs >= afterMs) this.#onAway()
  }
}
