/**
 * Threads that are kept loaded, so that a restart costs opening a store and not loading modules. Called by the supervisor's
 * actor.
 */

import type { NodeThread } from './node-thread.js'

/** Kept while the cluster runs. */
const SPARES = 1
/** After the first time that no node starts. A cluster that is opened for one command pays for no thread that it never needs. */
const SPARE_AFTER_MS = 500

export class SpareThreads {
  readonly #make: () => NodeThread
  #threads: NodeThread[] = []
  #quietFromMs: number | undefined

  constructor(make: () => NodeThread) {
    this.#make = make
  }

  take(): NodeThread {
    return this.#threads.shift() ?? this.#make()
  }

  /** Loads more, up to so many. */
  keep(count: number): void {
    while (this.#threads.length < count) this.#threads.push(this.#make())
  }

  /** No node starts now. */
  onQuiet(nowMs: number): void {
    this.#quietFromMs ??= nowMs
    if (nowMs - this.#quietFromMs >= SPARE_AFTER_MS) this.keep(SPARES)
  }

  /** It has ended. */
  forget(thread: NodeThread): void {
    this.#threads = this.#threads.filter((spare) => spare !== thread)
  }

  endAll(): void {
    for (const spare of this.#threads.splice(0)) void spare.terminate('the cluster closes')
  }
}
