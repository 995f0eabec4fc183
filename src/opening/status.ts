/**
 * What is known of the cluster without asking anybody: the supervisor's core, the table, and the counters that the
 * threads publish in shared memory.
 */

import type { FaultRules } from '../../actors/runtime/fault-rules.js'
import type { Gauges } from '../../actors/runtime/gauges.js'
import { loopLagMsOf } from '../../actors/runtime/pulse.js'
import type { SupervisorActor } from '../../actors/supervisor.actor.js'
import type { NodeId } from '../protocol/ids.js'
import type { MemberStatus } from '../protocol/membership/member-status.js'
import { type Quorums, readQuorumOf, writeQuorumOf } from '../protocol/ring/quorum.js'
import { isJoint, type PartitionTable, standbysOf } from '../protocol/ring/table.js'
import type { NodePhase, SupervisedView } from '../protocol/supervision/supervised.js'
import type { ClusterStatus, FillStatus, NodeStatus, NodeView, PartitionOwners } from '../shared/cluster-reports.js'
import { CoterieError } from '../shared/errors.js'
import type { FaultCounts } from '../shared/fault-calls.js'
import type { ClusterConfig } from '../shared/options.js'
import type { ClusterMetadata } from '../storage/cluster-folder.js'

const STATUS_OF: Record<NodePhase, MemberStatus> = {
  waiting: 'suspect',
  opening: 'joining',
  booting: 'joining',
  up: 'up',
  down: 'down',
  salvaging: 'down',
  salvaged: 'down',
}

/** A slow node (a big store being verified) does not hold up the opening for longer, if every partition has its quorum. */
const SLOW_NODE_MS = 2_000

export function clusterStatus(
  supervisor: SupervisorActor,
  facts: {
    readonly config: ClusterConfig
    readonly metadata: Pick<ClusterMetadata, 'conflict'>
    readonly quorums: Quorums
    readonly gateways: number
    readonly fillOf: (node: NodeId) => FillStatus | undefined
    readonly fatal: Error | undefined
    /** It has been told to close. */
    readonly isClosing: boolean
  },
): ClusterStatus {
  const { table } = supervisor
  const { config, metadata, quorums, gateways, fatal, isClosing } = facts
  const { n } = table
  const owned = placesByNode(table, 'owners')
  const pending = placesByNode(table, 'pending')
  const partitionsLost: number[] = []
  table.rows.forEach((row, partition) => {
    if (row.lost) partitionsLost.push(partition)
  })
  return {
    location: config.location,
    epoch: table.epoch,
    converged: !isClosing && isConverged(supervisor),
    partitions: table.rows.length,
    conflict: metadata.conflict,
    replication: { n, r: readQuorumOf(quorums, n), w: writeQuorumOf(quorums, n) },
    partitionsMoving: table.rows.filter(isJoint).length,
    partitionsLost,
    ...(supervisor.faultRules === undefined ? {} : { cuts: cutsIn(supervisor.faultRules) }),
    gateways,
    ...(fatal === undefined ? {} : { fatal: fatal.message }),
    ...(isClosing ? { closing: true } : {}),
    nodes: supervisor.nodes().map((node) => {
      const { id } = node
      const replicas = { partitions: owned.get(id) ?? 0, pending: pending.get(id) ?? 0 }
      return nodeStatus(supervisor, node, table, { isClosing, replicas, filling: facts.fillOf(id) })
    }),
  }
}

function cutsIn({ links }: FaultRules): NonNullable<ClusterStatus['cuts']> {
  return links.flatMap(({ from, to, fault }) => (fault.type === 'cut' ? [{ from, to }] : []))
}

/** Of nodes that have a thread. */
export function nodeViews(supervisor: SupervisorActor): NodeView[] {
  return supervisor.nodes().flatMap(({ id: node }) => {
    const facts = supervisor.factsOf(node)
    const members = facts?.thread === undefined ? [] : facts.view.read()
    return members.length === 0 ? [] : [{ node, epoch: facts?.gauges.get('epoch') ?? 0, members }]
  })
}

export function clusterRing({ rows }: PartitionTable): PartitionOwners[] {
  return rows.map((row, partition) => ({
    partition,
    owners: row.owners,
    pending: row.pending.filter((node) => node !== null),
    moving: isJoint(row),
    lost: row.lost,
  }))
}

/** Every living node has the newest table and the same view of the members, and nothing is being filled. */
export function isConverged(supervisor: SupervisorActor): boolean {
  const { table } = supervisor
  if (table.rows.some((row) => isJoint(row) && !row.lost)) return false
  const nodes = supervisor.nodes()
  if (!nodes.every((node) => node.phase === 'up' || node.phase === 'down')) return false
  const views = upNodes(supervisor).map((id) => supervisor.factsOf(id)?.gauges)
  const [first] = views
  return views.every(
    (gauges) => gauges?.get('epoch') === table.epoch && gauges.get('viewDigest') === first?.get('viewDigest'),
  )
}

/**
 * Errors: NODE_NOT_RUNNING if every node is down for good and the table says so: nothing is settled, nothing more will happen, and
 * who was on the way in or out stays there.
 */
export function checkSomebodyLives(supervisor: SupervisorActor): void {
  const nodes = supervisor.nodes().map(({ id }) => id)
  if (!supervisor.nodes().every(({ phase }) => phase === 'down')) return
  if (!supervisor.table.rows.every((row) => row.lost)) return
  const message = 'every node is down for good; close the cluster and open it again'
  throw new CoterieError('NODE_NOT_RUNNING', message, { nodes })
}

/** Converged, and nobody owes anybody anything: hints, fills, exchanges, writes that see to their last owners. */
export function isSettled(supervisor: SupervisorActor): boolean {
  return supervisor.isQuiet() && isConverged(supervisor) && nodesOwe(supervisor) === 0
}

/** While the cluster opens: every node is up or given up; or, after a while, every partition has its quorums. */
export function isOpenEnough(supervisor: SupervisorActor, quorums: Quorums, sinceMs: number): boolean {
  const nodes = supervisor.nodes()
  if (nodes.every((node) => node.phase === 'up' || node.phase === 'down'))
    return nodes.some((node) => node.phase === 'up')
  if (sinceMs < SLOW_NODE_MS) return false
  const up = new Set(upNodes(supervisor))
  return supervisor.table.rows.every(({ owners }) => {
    const needed = Math.max(readQuorumOf(quorums, owners.length), writeQuorumOf(quorums, owners.length))
    return owners.filter((owner) => owner !== null && up.has(owner)).length >= needed
  })
}

const OWED = ['hintsDue', 'filling', 'purging', 'exchanging', 'lingering'] as const

/** What the nodes that are up still see to: hints, fills, exchanges, copies. */
export function nodesOwe(supervisor: SupervisorActor, names: readonly (typeof OWED)[number][] = OWED): number {
  let sum = 0
  for (const id of upNodes(supervisor)) {
    const gauges = supervisor.factsOf(id)?.gauges
    for (const name of names) sum += gauges?.get(name) ?? 0
  }
  return sum
}

/** What `settled` waits for, for the error that says that it waited too long. */
export function awaitedOf(supervisor: SupervisorActor): Record<string, number | boolean> {
  return {
    isSupervisorQuiet: supervisor.isQuiet(),
    isConverged: isConverged(supervisor),
    hints: nodesOwe(supervisor, ['hintsDue']),
    fills: nodesOwe(supervisor, ['filling']),
    purges: nodesOwe(supervisor, ['purging']),
    exchanges: nodesOwe(supervisor, ['exchanging']),
  }
}

function upNodes(supervisor: SupervisorActor): readonly NodeId[] {
  return supervisor.nodes().flatMap((node) => (node.phase === 'up' ? [node.id] : []))
}

/** `isClosing`: its supervisor looks at it no more, and its thread, once ended, is not followed by another. */
function nodeStatus(
  supervisor: SupervisorActor,
  view: SupervisedView,
  table: PartitionTable,
  {
    isClosing,
    replicas,
    filling,
  }: {
    readonly isClosing: boolean
    readonly replicas: Pick<NodeStatus, 'partitions' | 'pending'>
    readonly filling: FillStatus | undefined
  },
): NodeStatus {
  const { id, incarnation, restarts, phase, isFull } = view
  const facts = supervisor.factsOf(id)
  const lastEnd = facts?.lastEnd
  const isEnded = phase === 'down' || (isClosing && facts?.thread === undefined)
  const gauge = (name: 'keys' | 'mailbox' | 'memoryBytes' | 'hints' | 'exchanging' | 'epoch') =>
    isEnded ? 0 : (facts?.gauges.get(name) ?? 0)
  return {
    id,
    role: isStandby(supervisor, id, table) ? 'standby' : 'member',
    status: isEnded ? 'down' : statusIn(supervisor, view),
    incarnation,
    restarts,
    ...replicas,
    ...(filling === undefined ? {} : { filling }),
    keys: gauge('keys'),
    mailbox: gauge('mailbox'),
    loopLagMs: isEnded || facts?.thread === undefined ? 0 : tenths(loopLagMsOf(facts.gauges)),
    memoryBytes: facts?.thread === undefined ? 0 : gauge('memoryBytes'),
    hints: gauge('hints'),
    exchanging: gauge('exchanging'),
    // What it says of itself is of its last life until it is up.
    epoch: phase === 'up' ? gauge('epoch') : 0,
    threadId: facts?.thread?.threadId ?? null,
    actor: facts?.actor ?? null,
    quarantined: facts?.quarantined ?? [],
    storeFull: isFull,
    ...(facts?.lastScrub === undefined ? {} : { lastScrub: facts.lastScrub }),
    ...(lastEnd === undefined
      ? {}
      : { lastExit: { code: lastEnd.end.code, reason: lastEnd.end.reason, at: lastEnd.at } }),
    ...(supervisor.faultRules === undefined || facts === undefined ? {} : { faults: faultCounts(facts.gauges) }),
  }
}

/** In one pass: a table has thousands of places. A node has one of a row at most. */
function placesByNode({ rows }: PartitionTable, of: 'owners' | 'pending'): ReadonlyMap<NodeId, number> {
  const counts = new Map<NodeId, number>()
  for (const row of rows) for (const node of row[of]) if (node !== null) counts.set(node, (counts.get(node) ?? 0) + 1)
  return counts
}

/** Also one that is on the way to be. */
function isStandby(supervisor: SupervisorActor, id: NodeId, table: PartitionTable): boolean {
  const entry = supervisor.metadata.nodes.find((node) => node.id === id)
  return standbysOf(table).includes(id) || (entry?.status === 'joining' && entry.role === 'standby')
}

/** Up in a cluster that it enters or leaves is joining, or leaving. */
function statusIn(supervisor: SupervisorActor, { id, phase }: SupervisedView): MemberStatus {
  const entry = supervisor.metadata.nodes.find((node) => node.id === id)
  if (phase === 'up' && (entry?.status === 'joining' || entry?.status === 'leaving')) return entry.status
  return STATUS_OF[phase]
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10
}

function faultCounts(gauges: Gauges): FaultCounts {
  return {
    dropped: gauges.get('faultsDropped'),
    delayed: gauges.get('faultsDelayed'),
    duplicated: gauges.get('faultsDuplicated'),
    reordered: gauges.get('faultsReordered'),
    slowed: gauges.get('faultsSlowed'),
  }
}
