/**
 * Bounds of gateways and nodes in a plan: so small in some runs that they are reached, each by itself. Called by `plan.ts`.
 */

import { QUEUE_LIMITS, type QueueLimits } from '../protocol/config.js'
import type { Prng } from '../protocol/prng.js'

export interface PlannedBounds {
  readonly bytesInFlightMax: number
  readonly queues: QueueLimits
}

/** One run in so many has a bound that it reaches. */
const ONE_IN = 8
const SMALL_QUEUES: QueueLimits = {
  linkQueueMax: 2,
  linkQueueBytesMax: 1_200,
  lingerRequestsMax: 3,
  lingerBytesMax: 2_000,
  hintBufferBytesMax: 1_500,
}

export function boundsOf(prng: Prng): PlannedBounds {
  const isSmall = (): boolean => prng.below(ONE_IN) === 0
  return { bytesInFlightMax: isSmall() ? 2_500 : 1e8, queues: isSmall() ? SMALL_QUEUES : QUEUE_LIMITS }
}
