/** A cluster that is only looked at: what it says is set by the test, and events are emitted by it. Called by tests. */

import { EventEmitter } from 'node:events'
import { RequestCounters } from '../../actors/runtime/request-counters.js'
import type { Cluster, ClusterEvents, ClusterStatus, NodeStatus, PartitionOwners } from '../../src/index.js'
import { clusterMetrics, RepairsDone } from '../../src/opening/metrics.js'

export function nodeStatus(id: string, facts: Partial<NodeStatus> = {}): NodeStatus {
  const counts = { incarnation: 1, restarts: 0, partitions: 2, pending: 0, keys: 5, mailbox: 0, hints: 0, epoch: 3 }
  const work = { loopLagMs: 0, memoryBytes: 0, exchanging: 0 }
  const store = { threadId: 1, actor: null, quarantined: [], storeFull: false }
  return { id, role: 'member', status: 'up', ...counts, ...work, ...store, ...facts }
}

export class WatchedCluster extends EventEmitter<ClusterEvents> {
  readonly counters = new RequestCounters()
  readonly repairs = new RepairsDone()
  facts: Partial<ClusterStatus> = {}
  nodes: NodeStatus[] = ['node1', 'node2', 'node3'].map((id) => nodeStatus(id))
  owners: Partial<PartitionOwners>[] = [{}, {}]

  get cluster(): Cluster {
    return this as unknown as Cluster
  }

  status(): ClusterStatus {
    return {
      location: '/data',
      epoch: 3,
      converged: true,
      partitions: this.owners.length,
      conflict: 'lww',
      replication: { n: 3, r: 2, w: 2 },
      partitionsMoving: 0,
      partitionsLost: [],
      gateways: 1,
      ...this.facts,
      nodes: this.nodes,
    }
  }

  ring(): PartitionOwners[] {
    const all = this.nodes.map(({ id }) => id)
    return this.owners.map((facts, partition) => ({
      ...{ partition, owners: all, pending: [], moving: false, lost: false },
      ...facts,
    }))
  }

  metrics() {
    return clusterMetrics([this.counters], { atMs: 0, repairs: this.repairs })
  }
}
