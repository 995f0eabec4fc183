/**
 * Things that happen later, in the order of their times; of equal times in the order in which they came. One timer for
 * all. Only faults use it.
 */

import { nowMs } from './clock.js'
import { DeadlineTimer } from './deadline-timer.js'

interface Waiting {
  readonly dueMs: number
  readonly run: () => void
}

export class DelayLine {
  /** By `dueMs`, the next one first. */
  #waiting: Waiting[] = []
  readonly #timer = new DeadlineTimer(() => this.runDue())

  get size(): number {
    return this.#waiting.length
  }

  add(dueMs: number, run: () => void): void {
    let place = this.#waiting.length
    while (place > 0 && (this.#waiting[place - 1] as Waiting).dueMs > dueMs) place -= 1
    this.#waiting.splice(place, 0, { dueMs, run })
    this.#timer.arm(dueMs)
  }

  /** What is due; also asked for before something new goes by, because the timer may be late. */
  runDue(): void {
    const now = nowMs()
    let count = 0
    while (count < this.#waiting.length && (this.#waiting[count] as Waiting).dueMs <= now) count += 1
    for (const { run } of this.#waiting.splice(0, count)) run()
    const next = this.#waiting[0]
    if (next !== undefined) this.#timer.arm(next.dueMs)
  }

  /** Everything now, in order. */
  runAll(): void {
    this.#timer.stop()
    for (const { run } of this.#waiting.splice(0)) run()
  }

  /** What still waits never happens. */
  stop(): void {
    this.#waiting = []
    this.#timer.stop()
  }
}
