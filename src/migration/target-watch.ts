/** Notices that a migration's target has been in trouble for too long, and which. Called by the migration. */

import { PAUSE_AFTER_MS } from './migrate-options.js'

const LOOK_MS = 100

/**
 * `away`: no majority of its masters is seen, or some partition has none. `copies`: a master has too few replicas for a write. `refusals`:
 * it lacks what was written here, and does not take it.
 */
export type Trouble = 'away' | 'copies' | 'refusals'

export class TargetWatch {
  readonly #troubleOf: () => Trouble | undefined
  readonly #onTroubled: (trouble: Trouble) => void
  #timer: NodeJS.Timeout | undefined
  #afterMs = PAUSE_AFTER_MS
  /** Undefined: all is well. */
  #sinceMs: number | undefined

  /** `onTroubled` is told of the trouble that there is when the time is over. */
  constructor(options: { troubleOf: () => Trouble | undefined; onTroubled: (trouble: Trouble) => void }) {
    this.#troubleOf = options.troubleOf
    this.#onTroubled = options.onTroubled
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
    const trouble = this.#troubleOf()
    if (trouble === undefined) this.#sinceMs = undefined
    else if (this.#sinceMs === undefined) this.#sinceMs = now
    else if (now - this.#sinceMs >= this.#afterMs) this.#onTroubled(trouble)
  }
}
