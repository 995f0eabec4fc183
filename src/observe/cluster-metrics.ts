/** The metrics of the cluster as a whole. */

import type { MemberStatus } from '../protocol/membership/member-status.js'
import type { ClusterStatus } from '../shared/cluster-reports.js'
import { version } from '../shared/version.js'
import { type MetricDefinition, type Sample, single } from './metric.js'

const STATUSES = Object.keys({
  joining: true,
  up: true,
  suspect: true,
  leaving: true,
  down: true,
  removed: true,
} satisfies Record<MemberStatus, true>)
const ROLES = ['member', 'standby'] as const
const VERSION = version()

function nodesByStatus({ nodes }: ClusterStatus): readonly Sample[] {
  return ROLES.flatMap((role) =>
    STATUSES.map((status) => ({
      labels: { role, status },
      value: nodes.filter((node) => node.role === role && node.status === status).length,
    })),
  )
}

const asNumber = (isSo: boolean): number => (isSo ? 1 : 0)

export const CLUSTER_METRICS: readonly MetricDefinition[] = [
  {
    name: 'coterie_info',
    type: 'gauge',
    labels: ['version', 'engine', 'conflict'],
    unit: '1',
    help: 'Always 1; its labels say which version and engine, and how conflicts are resolved.',
    read: ({ status: { location, conflict } }) => {
      const engine = location.startsWith('redis-cluster:') ? 'redis-cluster' : 'embedded'
      return [{ labels: { version: VERSION, engine, conflict }, value: 1 }]
    },
  },
  {
    name: 'coterie_live',
    type: 'gauge',
    labels: [],
    unit: '0 or 1',
    help: '0: only opening the cluster anew mends it, as /healthz says.',
    read: ({ health }) => single(asNumber(health.live)),
  },
  {
    name: 'coterie_ready',
    type: 'gauge',
    labels: [],
    unit: '0 or 1',
    help: '1: every partition has its quorums and the cluster is not closing, as /readyz says.',
    read: ({ health }) => single(asNumber(health.ready)),
  },
  {
    name: 'coterie_converged',
    type: 'gauge',
    labels: [],
    unit: '0 or 1',
    help: '1: every living member has the same table and the same view of the members, and nothing is being filled.',
    read: ({ status }) => single(asNumber(status.converged)),
  },
  {
    name: 'coterie_epoch',
    type: 'gauge',
    labels: [],
    unit: 'epoch',
    help: 'Epoch of the partition table; each change of owners makes it grow.',
    read: ({ status }) => single(status.epoch),
  },
  {
    name: 'coterie_quorum_copies',
    type: 'gauge',
    labels: ['quorum'],
    unit: 'copies',
    help: 'n, r and w that count now: copies of each partition, owners that must answer a read, owners that must accept a write.',
    read: ({ status: { replication } }) =>
      (['n', 'r', 'w'] as const).map((quorum) => ({ labels: { quorum }, value: replication[quorum] })),
  },
  {
    name: 'coterie_nodes',
    type: 'gauge',
    labels: ['role', 'status'],
    unit: 'nodes',
    help: 'Nodes by role and status; every pair is there.',
    read: ({ status }) => nodesByStatus(status),
  },
  {
    name: 'coterie_gateways',
    type: 'gauge',
    labels: [],
    unit: 'threads',
    help: "Threads that call: the opener's, and those that have connected.",
    read: ({ status }) => single(status.gateways),
  },
  {
    name: 'coterie_partitions',
    type: 'gauge',
    labels: [],
    unit: 'partitions',
    help: 'Partitions, as fixed at creation.',
    read: ({ status }) => single(status.partitions),
  },
  {
    name: 'coterie_partitions_moving',
    type: 'gauge',
    labels: [],
    unit: 'partitions',
    help: 'Partitions with a place being filled.',
    read: ({ status }) => single(status.partitionsMoving),
  },
  {
    name: 'coterie_partitions_lost',
    type: 'gauge',
    labels: [],
    unit: 'partitions',
    help: 'Partitions that say PARTITION_LOST.',
    read: ({ status }) => single(status.partitionsLost.length),
  },
  {
    name: 'coterie_partitions_underreplicated',
    type: 'gauge',
    labels: [],
    unit: 'partitions',
    help: 'Partitions with fewer than n owners that serve at this moment.',
    read: ({ quorums }) => single(quorums.underreplicated.length),
  },
  {
    name: 'coterie_partitions_without_quorum',
    type: 'gauge',
    labels: ['for'],
    unit: 'partitions',
    help: "Partitions with too few owners that serve, for reads or writes with the cluster's own r and w.",
    read: ({ quorums }) => [
      { labels: { for: 'read' }, value: quorums.forReads.length },
      { labels: { for: 'write' }, value: quorums.forWrites.length },
    ],
  },
  {
    name: 'coterie_read_repairs_total',
    type: 'counter',
    labels: [],
    unit: 'keys',
    help: 'Keys brought up to date because a read saw that they were not.',
    read: ({ metrics }) => single(metrics.repairs.readRepairs),
  },
  {
    name: 'coterie_exchange_keys_total',
    type: 'counter',
    labels: [],
    unit: 'keys',
    help: 'Keys in which replicas differed that compared themselves (anti-entropy).',
    read: ({ metrics }) => single(metrics.repairs.keysExchanged),
  },
  {
    name: 'coterie_hints_handed_back_total',
    type: 'counter',
    labels: [],
    unit: 'hints',
    help: 'Hints that their owners, or those who took their places, have accepted.',
    read: ({ metrics }) => single(metrics.repairs.hintsHandedBack),
  },
  {
    name: 'coterie_tombstones_dropped_total',
    type: 'counter',
    labels: [],
    unit: 'keys',
    help: 'Deletes that nodes have forgotten because every copy held them, counted on each node, since the metrics were made.',
    read: ({ events }) => single(events.tombstonesDropped),
  },
  {
    name: 'coterie_events_total',
    type: 'counter',
    labels: ['event'],
    unit: 'events',
    help: 'Events of the cluster by name, those too that never came, since the metrics were made.',
    read: ({ events }) => [...events.counts].map(([event, value]) => ({ labels: { event }, value })),
  },
]
