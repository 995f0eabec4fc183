/**
 * How background work is paced, so that it never hurts the front. Called by exchanges, tree building, the reaper and purges;
 * transfers have a pace of their own (`transfer-budget.ts`).
 */

/**
 * Pause after each piece of work, in times that it took: a fifth of the time at most is worked, and less often where the machine is
 * busy and a piece takes longer. Requests that wait for the same processors come first.
 */
const PAUSE_FACTOR = 4
const PAUSE_MS_MIN = 2
const PAUSE_MS_MAX = 100

/** Milliseconds to rest at `nowMs` after what was begun at `sinceMs`. */
export function pauseMs(sinceMs: number, nowMs: number): number {
  return Math.min(PAUSE_MS_MAX, Math.max(PAUSE_MS_MIN, (nowMs - sinceMs) * PAUSE_FACTOR))
}
