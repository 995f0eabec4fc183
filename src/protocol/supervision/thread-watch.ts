/**
 * Whose thread has hung: its loop counter stands still, or its store does not open. A watcher whose own tick was late (a
 * debugger, SIGSTOP, a blocked host thread) judges nobody. Called by the supervisor's core at every tick.
 */

import type { NodeId } from '../ids.js'
import type { Supervised } from './supervised.js'

/** How often the host should tick. */
export const SUPERVISOR_TICK_MS = 50
/** A tick later than this says that our own thread stood still. */
const LATE_TICK_MS = 250

export interface WatchLimits {
  /** A thread whose loop stood still for so long is terminated. */
  readonly hungAfterMs: number
  /** A thread that has not opened its store for so long is terminated. */
  readonly openingAfterMs: number
}

/** To be terminated. `silentMs`: its loop stood still; absent: its store was not open in time. */
export interface Hung {
  readonly node: Supervised
  readonly reason: string
  readonly silentMs?: number
}

export class ThreadWatch {
  readonly #limits: WatchLimits
  #expectedTickMs = Number.POSITIVE_INFINITY

  constructor(limits: WatchLimits) {
    this.#limits = limits
  }

  /** Each is named once a life. */
  onTick(nodes: readonly Supervised[], loops: Readonly<Record<NodeId, number>>, nowMs: number): readonly Hung[] {
    const lateMs = nowMs - this.#expectedTickMs
    const isLate = lateMs > LATE_TICK_MS
    this.#expectedTickMs = nowMs + SUPERVISOR_TICK_MS
    const hung: Hung[] = []
    for (const node of nodes) {
      const turned = loops[node.id] ?? node.loops
      if (turned !== node.loops || isLate) node.loopsAtMs = nowMs
      // A shorter sleep of our own resets nothing, or a busy machine would never find anybody; but it is not their silence.
      else if (lateMs > SUPERVISOR_TICK_MS) node.loopsAtMs += lateMs
      node.loops = turned
      const isOpening = node.phase === 'opening' || node.phase === 'salvaging'
      if (isLate && isOpening) node.sinceMs = nowMs
      const verdict = isLate || node.isHungReported ? undefined : this.#judge(node, isOpening, nowMs)
      if (verdict === undefined) continue
      node.isHungReported = true
      hung.push(verdict)
    }
    return hung
  }

  #judge(node: Supervised, isOpening: boolean, nowMs: number): Hung | undefined {
    const { hungAfterMs, openingAfterMs } = this.#limits
    const silentMs = nowMs - node.loopsAtMs
    if ((node.phase === 'up' || node.phase === 'booting') && silentMs >= hungAfterMs) {
      return { node, silentMs, reason: `its loop stood still for ${Math.round(silentMs)} ms` }
    }
    if (!isOpening || nowMs - node.sinceMs < openingAfterMs) return undefined
    return { node, reason: `its store was not open after ${openingAfterMs} ms` }
  }
}
