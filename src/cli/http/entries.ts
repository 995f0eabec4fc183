/** The cluster's own answers as entries of the recording. Pure. */

import {
  type FrameEntry,
  type NodeFrame,
  type PackedRates,
  packNode,
  RING_LOST,
  RING_MOVING,
  type RingEntry,
  STATUS_LETTERS,
  type ViewsEntry,
} from '../../dashboard/frames.js'
import type { ClusterStatus, NodeStatus, NodeView, PartitionOwners } from '../../shared/cluster-reports.js'
import type { LogLine } from '../terminal/log-lines.js'
import type { RequestRates, Sample } from '../top/sample.js'

export function frameOf(status: ClusterStatus, sample: Sample | undefined, at: number): FrameEntry {
  const { epoch, converged, replication, partitionsMoving, partitionsLost, gateways, cuts = [], nodes } = status
  return {
    kind: 'frame',
    at,
    epoch,
    converged,
    ...replication,
    partitionsMoving,
    partitionsLost: partitionsLost.length,
    gateways,
    cuts,
    nodes: inOrder(nodes).map((node) => packNode(nodeFrame(node))),
    ...(sample === undefined ? {} : { requests: ratesIn(sample), repairs: sample.repairs }),
  }
}

export function ringEntry(ring: readonly PartitionOwners[], { epoch, nodes }: ClusterStatus, at: number): RingEntry {
  const ids = inOrder(nodes).map(({ id }) => id)
  const placeOf = new Map(ids.map((id, index) => [id, index]))
  // Of one that has left in between: nobody has the place.
  const place = (node: string | null) => (node === null ? -1 : (placeOf.get(node) ?? -1))
  const rows = ring.map(
    ({ owners, pending, lost, moving }) =>
      [owners.map(place), pending.map(place), (lost ? RING_LOST : 0) + (moving ? RING_MOVING : 0)] as const,
  )
  return { kind: 'ring', at, epoch, nodes: ids, rows }
}

const LETTER_OF = new Map(Object.entries(STATUS_LETTERS).map(([letter, status]) => [status, letter]))

export function viewsEntry(views: readonly NodeView[], { nodes }: ClusterStatus, at: number): ViewsEntry {
  const members = inOrder(nodes).map(({ id }) => id)
  return {
    kind: 'views',
    at,
    members,
    views: views.map(({ node, members: seen }) => {
      const byId = new Map(seen.map((member) => [member.id, member]))
      const statuses = members.map((id) => LETTER_OF.get(byId.get(id)?.status ?? 'removed') ?? '-').join('')
      return [node, statuses, members.map((id) => byId.get(id)?.incarnation ?? 0)] as const
    }),
  }
}

const BY_NUMBER = new Intl.Collator('en', { numeric: true })

/** As people count: node2 before node10. */
function inOrder(nodes: readonly NodeStatus[]): readonly NodeStatus[] {
  return [...nodes].sort((one, other) => BY_NUMBER.compare(one.id, other.id))
}

const TONE = { red: 'bad', green: 'good', yellow: 'warning', cyan: 'news' } as const

export function eventEntry({ at, event, style, text }: LogLine) {
  const tone = (TONE as Readonly<Record<string, (typeof TONE)[keyof typeof TONE]>>)[style] ?? 'quiet'
  return { kind: 'event', at: at.getTime(), event, tone, text } as const
}

function nodeFrame(node: NodeStatus): NodeFrame {
  const { id, role, status, incarnation, restarts, partitions, pending, keys, mailbox } = node
  const { hints, exchanging, epoch, loopLagMs, memoryBytes, storeFull, filling, lastExit } = node
  return {
    id,
    role,
    status,
    incarnation,
    restarts,
    partitions,
    pending,
    keys,
    mailbox,
    hints,
    exchanging,
    epoch,
    loopLagMs,
    memoryBytes,
    storeFull,
    filling:
      filling === undefined ? null : [filling.partitionsDone, filling.partitions, filling.records, filling.bytes],
    lastExit: lastExit?.reason ?? '',
  }
}

function ratesIn({ requests }: Sample): NonNullable<FrameEntry['requests']> {
  return Object.fromEntries(
    Object.entries(requests).map(([name, rates]) => [name, packedRates(rates)]),
  ) as unknown as NonNullable<FrameEntry['requests']>
}

function packedRates({ perSecond, failedPerSecond, p50Ms, p99Ms, maxMs }: RequestRates): PackedRates {
  return [perSecond, failedPerSecond, p50Ms ?? null, p99Ms ?? null, maxMs ?? null]
}
