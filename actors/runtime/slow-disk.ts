/**
 * A disk that takes longer: what it has done is told, and what reads it is handled, so much later. The thread goes on
 * meanwhile, and everything stays in order. Called by `NodeFaults`.
 */

import type { Message } from '../../src/protocol/messages.js'
import { nowMs } from './clock.js'
import { DelayLine } from './delay-line.js'

export class SlowDisk {
  readonly #line = new DelayLine()
  #ms = 0
  #lastDueMs = 0

  get isSlow(): boolean {
    return this.#ms > 0
  }

  /** From now on so slow; 0: what waits is done at once. */
  apply(ms: number): void {
    this.#ms = ms
    if (ms > 0) return
    this.#lastDueMs = 0
    this.#line.runAll()
  }

  /** Never lost, and bounded by what the node may have under way. */
  later(run: () => void): void {
    if (this.#ms === 0) return run()
    this.#lastDueMs = Math.max(this.#lastDueMs, nowMs() + this.#ms)
    this.#line.add(this.#lastDueMs, run)
  }

  stop(): void {
    this.#line.stop()
  }
}

/**
 * Handling it reads the store in the same turn. Writes, scans, hints, transfers and exchanges are store operations of
 * their own, which end later; an empty `coordinate/requests` only asks whether the node is there.
 */
export function readsStore(message: Message): boolean {
  return message.type === 'replica/read' || (message.type === 'coordinate/requests' && message.requests.length > 0)
}
