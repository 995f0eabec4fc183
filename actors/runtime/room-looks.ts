/**
 * How often a full disk is looked at: at once, then less and less. One that had room and is full again soon is looked at no
 * more often than before, so that a store is not opened in a circle on a disk that hovers at its end.
 */

import { nowMs } from './clock.js'

const PAUSE_MS_MIN = 200
const PAUSE_MS_MAX = 5_000
const PAUSE_FACTOR = 1.5
/** After so long without a look, it begins anew with short pauses. */
const CALM_MS = 30_000

export class RoomLooks {
  #pauseMs = PAUSE_MS_MIN
  #lookedAtMs = Number.NEGATIVE_INFINITY
  #looking: Promise<void> | undefined

  /** Looks if it is time to. `look` never rejects. */
  lookIfDue(look: () => Promise<void>): void {
    const sinceMs = nowMs() - this.#lookedAtMs
    if (this.#looking !== undefined || sinceMs < this.#pauseMs) return
    this.#pauseMs = sinceMs > CALM_MS ? PAUSE_MS_MIN : Math.min(PAUSE_MS_MAX, this.#pauseMs * PAUSE_FACTOR)
    void this.#look(look)
  }

  /** Resolves after a look that began after this call. `look` never rejects. */
  async lookNow(look: () => Promise<void>): Promise<void> {
    await this.#looking
    await (this.#looking ?? this.#look(look))
  }

  #look(look: () => Promise<void>): Promise<void> {
    this.#looking = look().finally(() => {
      this.#looking = undefined
      this.#lookedAtMs = nowMs()
    })
    return this.#looking
  }
}
