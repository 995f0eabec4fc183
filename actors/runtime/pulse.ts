/**
 * The pulse of a node's thread: turns the loop's counter when nothing happens, and publishes how late the loop runs and what memory
 * it has. Read by the supervisor's watch and by status, which wake nobody.
 *
 * Lateness is that of this timer: `perf_hooks.monitorEventLoopDelay` was rejected, because its own timer would wake an idle thread
 * a hundred times a second.
 */

import { getHeapStatistics } from 'node:v8'
import { nowMs } from './clock.js'
import type { Gauges } from './gauges.js'

/** A turn that comes so little before the pulse is due takes its place. */
const EARLY_SHARE = 0.5

/** How long the longest delay is shown, at least; memory is looked at as often. */
const WINDOW_MS = 1_000

export class Pulse {
  readonly #gauges: Gauges
  readonly #everyMs: number
  readonly #timer: NodeJS.Timeout
  #dueAtMs: number
  #windowEndsAtMs = 0
  #longestMs = 0
  #longestBeforeMs = 0

  constructor(gauges: Gauges, everyMs: number) {
    this.#gauges = gauges
    this.#everyMs = everyMs
    this.#dueAtMs = nowMs() + everyMs
    gauges.set('pulseDueAtMs', this.#dueAtMs)
    this.#timer = setInterval(() => this.#beat(nowMs()), everyMs)
  }

  /** The loop has turned: an idle thread that wakes for something else need not wake for its pulse as well. */
  onTurn(now: number): void {
    if (now < this.#dueAtMs - EARLY_SHARE * this.#everyMs) return
    this.#timer.refresh()
    this.#beat(now)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #beat(now: number): void {
    this.#longestMs = Math.max(this.#longestMs, now - this.#dueAtMs)
    this.#dueAtMs = now + this.#everyMs
    this.#gauges.add('loops', 1)
    this.#gauges.set('pulseDueAtMs', this.#dueAtMs)
    this.#gauges.set('loopLagMs', Math.max(this.#longestMs, this.#longestBeforeMs))
    if (now < this.#windowEndsAtMs) return
    this.#windowEndsAtMs = now + WINDOW_MS
    this.#longestBeforeMs = this.#longestMs
    this.#longestMs = 0
    const { used_heap_size: heapBytes, external_memory: externalBytes } = getHeapStatistics()
    this.#gauges.set('memoryBytes', heapBytes + externalBytes)
  }
}

/** Of a thread that has not beaten for longer than it should, since when it is late. */
export function loopLagMsOf(gauges: Gauges): number {
  const dueAtMs = gauges.get('pulseDueAtMs')
  return dueAtMs === 0 ? 0 : Math.max(gauges.get('loopLagMs'), nowMs() - dueAtMs)
}
