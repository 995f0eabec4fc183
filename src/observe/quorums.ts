/**
 * Which partitions have their quorums at this moment, as `status()` and `ring()` say without asking anybody. It is what the table and
 * the threads' lives allow: a node that is up but silent still counts here.
 *
 * Decides nothing about requests. Called by `health.ts` and the metrics.
 */

import type { ClusterStatus, NodeStatus, PartitionOwners } from '../shared/cluster-reports.js'

/** By the cluster's own r and w. Each list is in the order of the partitions. */
export interface QuorumsAway {
  /** Too few owners serve for a read. */
  readonly forReads: readonly number[]
  /** Too few owners, old or new, serve for a write. */
  readonly forWrites: readonly number[]
  /** A copy less than there should be. */
  readonly underreplicated: readonly number[]
}

export function quorumsAway(status: ClusterStatus, ring: readonly PartitionOwners[]): QuorumsAway {
  const { n, r, w } = status.replication
  const serving = new Set(status.nodes.filter(isServing).map(({ id }) => id))
  const down = new Set(status.nodes.filter((node) => node.status === 'down').map(({ id }) => id))
  const forReads: number[] = []
  const forWrites: number[] = []
  const underreplicated: number[] = []
  for (const { partition, owners, pending } of ring) {
    const here = countIn(owners, serving)
    if (here < r) forReads.push(partition)
    // Places that nobody has, or somebody who will not come back, are filled first: nobody who serves makes room for those.
    const vacant = owners.filter((owner) => owner === null || down.has(owner)).length
    const leaving = Math.max(0, pending.length - vacant)
    const after = here - leaving + countIn(pending, serving)
    if (here < w || (pending.length > 0 && after < w)) forWrites.push(partition)
    if (here < n) underreplicated.push(partition)
  }
  return { forReads, forWrites, underreplicated }
}

/** A member that is on its way in serves what it owns already; one that is being restarted says no epoch yet. */
export function isServing({ status, epoch }: NodeStatus): boolean {
  return status === 'up' || status === 'leaving' || (status === 'joining' && epoch > 0)
}

function countIn(nodes: readonly (string | null)[], among: ReadonlySet<string>): number {
  let count = 0
  for (const node of nodes) if (node !== null && among.has(node)) count += 1
  return count
}
