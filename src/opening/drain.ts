/** Waits until nobody owes anybody anything, for so long at most: what a cluster does before it closes. */

import { setTimeout as delay } from 'node:timers/promises'
import { nowMs } from '../../actors/runtime/clock.js'

/** How often it is looked at: shared counters, nobody is woken. */
const LOOK_MS = 5

/** Gives back whether nothing is owed. */
export async function drain(owed: () => number, timeoutMs: number): Promise<boolean> {
  const untilMs = nowMs() + timeoutMs
  // Twice in a row: what goes from one to another may be in neither's count.
  let drained = 0
  while (drained < 2 && nowMs() < untilMs) {
    drained = owed() === 0 ? drained + 1 : 0
    if (drained < 2) await delay(LOOK_MS)
  }
  return drained === 2
}
