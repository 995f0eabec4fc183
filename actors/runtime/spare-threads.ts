/**
 * Threads that are kept loaded, so that a restart costs opening a store and not loading modules. Called by the supervisor's
 * actor.
 */

import type { NodeThread } from './node-thread.js'

export class SpareThreads {
  readonly #make: () => NodeThread
  #threads: NodeThread[] = []

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

  /** It has ended. */
  forget(thread: NodeThread): void {
    this.#threads = this.#threads.filter((spare) => spare !== thread)
  }

  endAll(): void {
    for (const spare of this.#threads.splice(0)) void spare.terminate('the cluster closes')
  }
}
