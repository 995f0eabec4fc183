/**
 * Stores that a process may have died over are opened one after the other, so that the next death names one of them
 * (`storage/opening-marker.ts`). Called by the supervisor's actor before a thread is assigned.
 */

import type { NodeThread } from './node-thread.js'

export class OpeningTurns {
  #last: Promise<unknown> = Promise.resolve()

  /** Resolves when the thread may open its store; the next one's turn is when it has, or has ended. */
  take(thread: NodeThread): Promise<unknown> {
    const turn = this.#last
    this.#last = turn.then(() => Promise.race([thread.opened, thread.ended]))
    return turn
  }
}
