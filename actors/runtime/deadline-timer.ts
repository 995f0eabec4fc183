/**
 * One timer for a core's next deadline. Re-armed only when the deadline comes nearer: a core that is asked often, and
 * whose deadline moves away each time, costs no timer calls.
 */

import { nowMs } from './clock.js'

/** Longest `setTimeout`. */
const DELAY_MS_MAX = 2_147_483_647

export class DeadlineTimer {
  readonly #onDue: () => void
  #timer: NodeJS.Timeout | undefined
  #armedForMs = Number.POSITIVE_INFINITY

  constructor(onDue: () => void) {
    this.#onDue = onDue
  }

  arm(deadlineMs: number): void {
    if (deadlineMs >= this.#armedForMs) return
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    this.#armedForMs = deadlineMs
    const delayMs = Math.min(DELAY_MS_MAX, Math.max(0, Math.ceil(deadlineMs - nowMs())))
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#armedForMs = Number.POSITIVE_INFINITY
      this.#onDue()
    }, delayMs)
  }

  stop(): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    this.#timer = undefined
    this.#armedForMs = Number.POSITIVE_INFINITY
  }
}
