/**
 * Who sends beats to whom: each member to its next few healthy successors in the ring of sorted ids.
 *
 * Unhealthy successors are sent beats too but do not count, so that a member always has healthy watchers, and one that was
 * suspected wrongly hears from us. The two functions are mirrors: `heartbeatSources` is who, by the same rule and view,
 * sends to us. Views differ for moments; then a peer is judged for a moment as if known by gossip only, or is sent one
 * beat too many.
 *
 * Called by the membership machine. Decides nothing else.
 */

import type { NodeId } from '../ids.js'
import { NEIGHBOUR_WALK_FACTOR } from './membership-config.js'

/** A walk around the ring. */
export interface RingWalk {
  /** Sorted by id, no id twice; contains self. */
  readonly ring: readonly NodeId[]
  readonly self: NodeId
  /** Healthy neighbours wanted. */
  readonly count: number
  readonly isHealthy: (peer: NodeId) => boolean
}

/**
 * The peers to send a beat to.
 *
 * Shape:  at most NEIGHBOUR_WALK_FACTOR × count, nearest first; never self.
 */
export function heartbeatTargets(walk: RingWalk): readonly NodeId[] {
  return walked(walk, 1)
}

/** The peers that send us beats. Shape: as `heartbeatTargets`, but backwards. */
export function heartbeatSources(walk: RingWalk): readonly NodeId[] {
  return walked(walk, -1)
}

function walked({ ring, self, count, isHealthy }: RingWalk, step: 1 | -1): readonly NodeId[] {
  const start = ring.indexOf(self)
  if (start < 0) return []
  const found: NodeId[] = []
  let healthy = 0
  for (let distance = 1; distance < ring.length && healthy < count; distance++) {
    const peer = ring[(start + step * distance + ring.length) % ring.length] as NodeId
    found.push(peer)
    if (isHealthy(peer)) healthy++
    if (found.length >= count * NEIGHBOUR_WALK_FACTOR) break
  }
  return found
}
