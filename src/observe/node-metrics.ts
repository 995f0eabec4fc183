/** The metrics of each node; `node` is its id. A node that has left has none, and one that joined has them from then on. */

import type { NodeStatus } from '../shared/cluster-reports.js'
import type { EventCounts, NodeCounts } from './event-counts.js'
import type { MetricDefinition } from './metric.js'
import { isServing } from './quorums.js'

type NodeMetric = Pick<MetricDefinition, 'type' | 'unit' | 'help'> & {
  readonly name: `coterie_node_${string}`
  /** Undefined: it has no such thing. */
  readonly of: (node: NodeStatus, events: EventCounts) => number | undefined
}

const counted =
  (what: keyof NodeCounts) =>
  ({ id }: NodeStatus, events: EventCounts): number =>
    events.of(id)[what]

const OF_EACH: readonly NodeMetric[] = [
  {
    name: 'coterie_node_up',
    type: 'gauge',
    unit: '0 or 1',
    help: '1: it serves. 0: it is being restarted, or down for good.',
    of: (node) => (isServing(node) ? 1 : 0),
  },
  {
    name: 'coterie_node_incarnation',
    type: 'gauge',
    unit: 'lives',
    help: 'Lives of the node in this process, from 1.',
    of: ({ incarnation }) => incarnation,
  },
  {
    name: 'coterie_node_restarts_total',
    type: 'counter',
    unit: 'restarts',
    help: 'Restarts since the cluster was opened.',
    of: ({ restarts }) => restarts,
  },
  {
    name: 'coterie_node_replicas',
    type: 'gauge',
    unit: 'replicas',
    help: 'Partitions of which it is an owner.',
    of: ({ partitions }) => partitions,
  },
  {
    name: 'coterie_node_replicas_pending',
    type: 'gauge',
    unit: 'replicas',
    help: 'Partitions for which it is being filled.',
    of: ({ pending }) => pending,
  },
  {
    name: 'coterie_node_fill_partitions',
    type: 'gauge',
    unit: 'partitions',
    help: 'Of the fill that it is in, all partitions; only while there is one.',
    of: ({ filling }) => filling?.partitions,
  },
  {
    name: 'coterie_node_fill_partitions_done',
    type: 'gauge',
    unit: 'partitions',
    help: 'Of the fill that it is in, the partitions that are filled; only while there is one.',
    of: ({ filling }) => filling?.partitionsDone,
  },
  {
    name: 'coterie_node_fill_received_bytes',
    type: 'gauge',
    unit: 'bytes',
    help: 'Of the fill that it is in, bytes received; only while there is one.',
    of: ({ filling }) => filling?.bytes,
  },
  {
    name: 'coterie_node_keys',
    type: 'gauge',
    unit: 'keys',
    help: 'Keys with a live value in its store.',
    of: ({ keys }) => keys,
  },
  {
    name: 'coterie_node_mailbox_messages',
    type: 'gauge',
    unit: 'messages',
    help: 'Messages that wait for it.',
    of: ({ mailbox }) => mailbox,
  },
  {
    name: 'coterie_node_event_loop_lag_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'By how much its event loop was late, at most, in the last second or two; while it stands still, for how long it has.',
    of: ({ loopLagMs }) => loopLagMs / 1_000,
  },
  {
    name: 'coterie_node_memory_bytes',
    type: 'gauge',
    unit: 'bytes',
    help: 'JavaScript heap and buffers of its thread; the memory of LevelDB is not in it.',
    of: ({ memoryBytes }) => memoryBytes,
  },
  {
    name: 'coterie_node_hints',
    type: 'gauge',
    unit: 'hints',
    help: 'Hints that it keeps for others.',
    of: ({ hints }) => hints,
  },
  {
    name: 'coterie_node_epoch',
    type: 'gauge',
    unit: 'epoch',
    help: 'Epoch of the table that it acts on: below coterie_epoch, it has not learned the newest.',
    of: ({ epoch }) => epoch,
  },
  {
    name: 'coterie_node_store_full',
    type: 'gauge',
    unit: '0 or 1',
    help: '1: its disk is full, it refuses writes and goes on reading.',
    of: ({ storeFull }) => (storeFull ? 1 : 0),
  },
  {
    name: 'coterie_node_quarantined_stores',
    type: 'gauge',
    unit: 'stores',
    help: 'Stores that were moved aside and are still there; the newest three are kept.',
    of: ({ quarantined }) => quarantined.length,
  },
  {
    name: 'coterie_node_last_scrub_timestamp_seconds',
    type: 'gauge',
    unit: 'seconds',
    help: 'When its tables were last verified while it ran, in seconds since 1970; only if they were.',
    of: ({ lastScrub }) => (lastScrub === undefined ? undefined : Date.parse(lastScrub.at) / 1_000),
  },
  {
    name: 'coterie_node_last_scrub_problems',
    type: 'gauge',
    unit: 'problems',
    help: 'What that scrub found; only if there was one.',
    of: ({ lastScrub }) => lastScrub?.problems,
  },
  {
    name: 'coterie_node_suspicions_total',
    type: 'counter',
    unit: 'suspicions',
    help: 'How often another node has suspected it, since the metrics were made.',
    of: counted('suspicions'),
  },
  {
    name: 'coterie_node_quarantines_total',
    type: 'counter',
    unit: 'stores',
    help: 'How often its store was moved aside, since the metrics were made.',
    of: counted('quarantines'),
  },
  {
    name: 'coterie_node_transferred_records_total',
    type: 'counter',
    unit: 'records',
    help: 'Records that it was sent by passes of fills that have ended, since the metrics were made.',
    of: counted('recordsTransferred'),
  },
  {
    name: 'coterie_node_damaged_records_total',
    type: 'counter',
    unit: 'records',
    help: 'Records of its store whose checksum was wrong, each time that it was seen, since the metrics were made.',
    of: counted('recordsDamaged'),
  },
]

export const NODE_METRICS: readonly MetricDefinition[] = OF_EACH.map(({ name, type, unit, help, of }) => ({
  name,
  type,
  labels: ['node'],
  unit,
  help,
  read: ({ status, events }) =>
    status.nodes.flatMap((node) => {
      const value = of(node, events)
      return value === undefined ? [] : [{ labels: { node: node.id }, value }]
    }),
}))
