/** Notices that a migration's target has been away for too long. Called by the migration. */

import { PAUSE_AFTER_MS } from './migrate-options.js'

const LOOK_MS = 100

export class TargetWatch {
  readonly #isTroubled: () => boolean
  readonly #onAway: () => void
  #timer: NodeJS.Timeout | undefined
  #afterMs = PAUSE_AFTER_MS
  /** Undefined: all is well. */
  #sinceMs: number | undefined

  constructor(options: { isTroubled: () => boolean; onAway: () => void }) {
    this.#isTroubled = options.isTroubled
    this.#onAway = options.onAway
  }

  /** Also with another time; without one, with that of the last start. */
  start(afterMs = this.#afterMs): void {
    this.stop()
    this.#afterMs = afterMs
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
    this.#timer.unref()
  }

  stop(): void {
    if (this.#timer !== undefined) clearInterval(this.#timer)
    this.#timer = undefined
    this.#sinceMs = undefined
  }

  #look(): void {
    const now = performance.now()
    if (!this.#isTroubled()) this.#sinceMs = undefined
    else if (this.#sinceMs === undefined) this.#sinceMs = now
    else if (now - this.#sinceMs >= this.#afterMs) this.#onAway()
  }
}
