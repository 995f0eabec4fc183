/**
 * What a watcher of processes asks: must this one be replaced (liveness), and should it be sent requests (readiness)? Asks nobody and
 * waits for nothing, so that it answers while everything else is in trouble.
 *
 * Called by the command's `/healthz` and `/readyz`, and by embedders.
 */

import type { Cluster } from '../shared/api.js'
import type { ClusterStatus } from '../shared/cluster-reports.js'
import { type QuorumsAway, quorumsAway } from './quorums.js'

/** How a cluster is to who watches processes. */
export interface Health {
  /** False: only opening the cluster anew mends it. Restart the process. */
  readonly live: boolean
  /** Every partition has its read and its write quorum, by the cluster's own r and w, and it is not closing. */
  readonly ready: boolean
  /** Why it is not live or not ready, for people; empty if it is both. */
  readonly reasons: string[]
}

/** Of more than these the number is told. */
const PARTITIONS_NAMED = 8

/** Live and ready or not, at once, from what the threads publish. */
export function healthOf(cluster: Cluster): Health {
  const status = cluster.status()
  return healthIn(status, quorumsAway(status, cluster.ring()))
}

/** Of what was seen already. */
export function healthIn(status: ClusterStatus, { forReads, forWrites }: QuorumsAway): Health {
  const dead: string[] = []
  const unready: string[] = []
  if (status.fatal !== undefined) dead.push(`the cluster folder cannot be written: ${status.fatal}`)
  if (status.closing === true) unready.push('the cluster is closing or closed')
  else {
    const lost = status.partitionsLost
    if (lost.length > 0) unready.push(`${partitionsText(lost)} lost too many stores (PARTITION_LOST)`)
    if (forReads.length > 0)
      unready.push(`${partitionsText(forReads)} without a read quorum (r = ${status.replication.r})`)
    if (forWrites.length > 0)
      unready.push(`${partitionsText(forWrites)} without a write quorum (w = ${status.replication.w})`)
    if (status.nodes.length > 0 && status.nodes.every((node) => node.status === 'down'))
      (isOurs(status.location) ? dead : unready).push('every node is down for good')
  }
  const reasons = [...dead, ...unready]
  return { live: dead.length === 0, ready: reasons.length === 0, reasons }
}

/** Nodes of a Redis Cluster come back without us, and not because we are restarted. */
function isOurs(location: string): boolean {
  return !location.startsWith('redis-cluster:')
}

function partitionsText(partitions: readonly number[]): string {
  const named = partitions.slice(0, PARTITIONS_NAMED).join(', ')
  const more = partitions.length > PARTITIONS_NAMED ? ', …' : ''
  return `${partitions.length} ${partitions.length === 1 ? 'partition' : 'partitions'} (${named}${more})`
}
