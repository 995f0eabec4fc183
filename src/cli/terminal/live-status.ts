/** `cluster.status()` as lines: the table above the prompt, the long form of `status`, one line for a log. */

import type { ClusterStatus, NodeStatus, PartitionOwners } from '../../shared/cluster-reports.js'
import { byteSize, type Column, count, plural, tableLines, truncate } from './format.js'
import { firstOwned, NodeLetters, ringStrip } from './ring-strip.js'
import type { Style, Styler } from './style.js'

const COLUMNS: readonly Column[] = [
  { title: 'node', align: 'left' },
  { title: 'status', align: 'left', width: 'suspect'.length },
  { title: 'life', align: 'right' },
  { title: 'restarts', align: 'right' },
  { title: 'replicas', align: 'right' },
  { title: 'keys', align: 'right', width: '1,000,000'.length },
  { title: 'mailbox', align: 'right' },
  { title: 'hints', align: 'right' },
  { title: 'epoch', align: 'right' },
]

/** Of `status`: with the letters of the strip above it, as wide as 80 columns at most. */
const RING_COLUMNS: readonly Column[] = [
  { title: '', align: 'left' },
  ...COLUMNS.slice(0, 5),
  { title: 'first', align: 'right' },
  ...COLUMNS.slice(5, 8),
]

const STATUS_STYLE: Record<NodeStatus['status'], Style> = {
  joining: 'cyan',
  up: 'green',
  suspect: 'yellow',
  leaving: 'cyan',
  down: 'red',
  removed: 'dim',
}

export interface Room {
  readonly columns: number
  readonly rows: number
}

/** The cluster's line and a row for each node; in little room the cluster's line alone. */
export function footerLines(status: ClusterStatus, room: Room, style: Styler): string[] {
  const rule = truncate(`── ${summary(status)} `, room.columns)
  const head = style(status.converged ? 'dim' : 'yellow', rule + '─'.repeat(Math.max(0, room.columns - rule.length)))
  // The prompt and a few lines of what was printed must stay visible.
  if (room.rows < status.nodes.length + 6) return [head]
  return [head, ...nodeTable(status, room.columns, style)]
}

/** The table, each row in the colour of its node's status. */
export function nodeTable(status: ClusterStatus, columns: number, style: Styler): string[] {
  const [header = '', ...rows] = tableLines(COLUMNS, status.nodes.map(cells))
  const lines = rows.map((row, at) => {
    const shown = truncate(row, columns)
    return stateColoured(shown, status.nodes[at]?.status ?? 'removed', style)
  })
  return [style('dim', truncate(header, columns)), ...lines]
}

/** Only the word is coloured, except where the row needs attention. */
function stateColoured(row: string, state: NodeStatus['status'], style: Styler): string {
  return state === 'up' ? row.replace(' up ', ` ${style('green', 'up')} `) : style(STATUS_STYLE[state], row)
}

function cells(node: NodeStatus): string[] {
  return [
    node.id,
    node.role === 'standby' ? `${node.status} (standby)` : node.status,
    String(node.incarnation),
    String(node.restarts),
    // Those it has, and those that it is being filled with.
    node.pending === 0 ? count(node.partitions) : `${count(node.partitions)} +${count(node.pending)}`,
    count(node.keys),
    count(node.mailbox),
    count(node.hints),
    String(node.epoch),
  ]
}

/** `./data · table 3 · converged · n=3 r=2 w=2 · 128 partitions` */
export function summary(status: ClusterStatus): string {
  const { n, r, w } = status.replication
  return [
    status.location,
    `table ${status.epoch}`,
    status.converged ? 'converged' : 'converging',
    `n=${n} r=${r} w=${w}`,
    plural(status.partitions, 'partition'),
    ...(status.partitionsMoving === 0 ? [] : [`${count(status.partitionsMoving)} being filled`]),
    ...(status.partitionsLost.length === 0 ? [] : [`${count(status.partitionsLost.length)} LOST`]),
  ].join(' · ')
}

/** All there is to know, for `status`. */
export function longStatus(
  status: ClusterStatus,
  ring: readonly PartitionOwners[],
  { columns, style }: { readonly columns: number; readonly style: Styler },
): string[] {
  // Each node of a Redis Cluster has an epoch of its own; none of them is behind.
  const newest = status.location.startsWith('redis-cluster:') ? 0 : status.epoch
  const remarks = status.nodes.flatMap((node) => nodeRemarks(node, newest))
  const lost = status.partitionsLost.length === 0 ? [] : [`lost partitions: ${status.partitionsLost.join(', ')}`]
  const fatal = status.fatal === undefined ? [] : [`the cluster folder cannot be written: ${status.fatal}`]
  return [
    summary(status),
    '',
    ...ringStrip(status, ring, { columns, style }),
    '',
    ...ringTable(status, ring, { columns, style }),
    ...[...remarks, ...lost, ...fatal].map((line) => style('yellow', line)),
  ]
}

function ringTable(
  status: ClusterStatus,
  ring: readonly PartitionOwners[],
  { columns, style }: { readonly columns: number; readonly style: Styler },
): string[] {
  const letters = new NodeLetters(status.nodes)
  const first = firstOwned(ring)
  const [header = '', ...rows] = tableLines(
    RING_COLUMNS,
    status.nodes.map((node) => {
      // All but the epoch; who is behind is a remark.
      const own = cells(node).slice(0, -1)
      return [letters.of(node.id), ...own.slice(0, 5), count(first.get(node.id) ?? 0), ...own.slice(5)]
    }),
  )
  const lines = rows.map((row, at) => {
    const node = status.nodes[at]
    if (node === undefined) return row
    const shown = truncate(row, columns)
    const letter = letters.styled(shown.slice(0, 1), node.id, style)
    return letter + stateColoured(shown.slice(1), node.status, style)
  })
  return [style('dim', truncate(header, columns)), ...lines]
}

function nodeRemarks(
  { id, status, epoch, lastExit, quarantined, filling, storeFull }: NodeStatus,
  newest: number,
): string[] {
  return [
    ...(status === 'up' && epoch < newest ? [`${id} acts on table ${epoch} still`] : []),
    ...(filling === undefined
      ? []
      : [
          `${id} is being filled: ${count(filling.partitionsDone)} of ${plural(filling.partitions, 'partition')}, ${byteSize(filling.bytes)}`,
        ]),
    ...(storeFull ? [`${id} takes no writes: its disk is full`] : []),
    ...(lastExit === undefined ? [] : [`${id}: its last life ended at ${lastExit.at}: ${lastExit.reason}`]),
    ...quarantined.map(({ folder, reason, at }) => `${id}: store set aside at ${at} in ${folder}: ${reason}`),
  ]
}

/** One line for a log. Without what changes at every request, so that a line is news. */
export function logSummary(status: ClusterStatus): string {
  const up = status.nodes.filter((node) => node.status === 'up').length
  const others = status.nodes.filter((node) => node.status !== 'up').map((node) => `${node.id} ${node.status}`)
  const sum = (figure: 'keys' | 'hints' | 'restarts') =>
    count(status.nodes.reduce((total, node) => total + node[figure], 0))
  const nodes = `${up} of ${plural(status.nodes.length, 'node')} up${others.length === 0 ? '' : ` (${others.join(', ')})`}`
  return [
    summary(status),
    nodes,
    `${sum('keys')} keys in all copies`,
    `${sum('hints')} hints`,
    `${sum('restarts')} restarts`,
  ].join(' · ')
}
