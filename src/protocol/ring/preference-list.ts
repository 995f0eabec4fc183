/**
 * Who is asked for a partition: its owners in place order, and who stands in for them under a sloppy quorum.
 *
 * Pure functions of a row. Whether a node is healthy is for the caller to say: nothing here knows of liveness, so that
 * two callers with one view pick the same fallbacks.
 *
 * Called by coordinators (strict: owners; sloppy: owners, then fallbacks) and by the one who looks for hints.
 */

import type { NodeId, PartitionId } from '../ids.js'
import { type Row, writeTargetsOf } from './table.js'

/**
 * The full owners of a row, the primary first.
 *
 * Shape:  place order without the vacant places; length ≤ n; no node twice.
 * Errors: none.
 * Source: DeCandia et al. 2007, §4.3.
 */
export function preferenceList(row: Row): readonly NodeId[] {
  return row.owners.filter((owner) => owner !== null)
}

/**
 * The healthy nodes that stand in for a partition's owners, best first.
 *
 * The order is rendezvous hashing: each (partition, node) has a weight, the highest come first. A failed owner's writes
 * so spread over all others, partition by partition, and a fallback keeps its partitions when another one comes or goes.
 * Taking the next nodes of the ring, as the paper does, would load one neighbour.
 *
 * Shape:  at most `count`, none that the row already writes to (owner, pending, standby), none twice; the order of
 *         `healthy` does not matter.
 * Errors: none.
 * Source: DeCandia et al. 2007, §4.6; Thaler and Ravishankar 1998.
 */
export function fallbacksOf(
  partition: PartitionId,
  row: Row,
  healthy: readonly NodeId[],
  count: number,
): readonly NodeId[] {
  const taken = writeTargetsOf(row)
  return [...new Set(healthy)]
    .filter((node) => !taken.includes(node))
    .map((node) => ({ node, weight: weightOf(partition, node) }))
    .sort((a, b) => b.weight - a.weight || (a.node < b.node ? -1 : 1))
    .slice(0, count)
    .map(({ node }) => node)
}

/** 32 well-mixed bits of a partition and a node: FNV-1a over the name, then MurmurHash3's finalizer. */
function weightOf(partition: PartitionId, node: NodeId): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < node.length; index++) hash = Math.imul(hash ^ node.charCodeAt(index), 0x01000193)
  hash ^= Math.imul(partition + 1, 0x9e3779b1)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
