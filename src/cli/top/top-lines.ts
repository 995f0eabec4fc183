/** A sample and the status as lines, for 80 columns. */

import type { ClusterStatus, NodeStatus } from '../../shared/cluster-reports.js'
import { byteSize, type Column, count, duration, plural, tableLines, truncate } from '../terminal/format.js'
import { nodeTable, summary } from '../terminal/live-status.js'
import type { Styler } from '../terminal/style.js'
import type { RequestRates, Sample } from './sample.js'

const REQUEST_COLUMNS: readonly Column[] = [
  { title: 'requests', align: 'left' },
  { title: 'per second', align: 'right', width: 12 },
  { title: 'failed', align: 'right', width: 8 },
  { title: 'p50', align: 'right', width: 9 },
  { title: 'p99', align: 'right', width: 9 },
  { title: 'longest', align: 'right', width: 9 },
]

export interface TopView {
  readonly status: ClusterStatus
  /** Undefined at the first look: there is no interval yet. */
  readonly sample: Sample | undefined
}

export function topLines(
  { status, sample }: TopView,
  { columns, rows, style }: { readonly columns: number; readonly rows: number; readonly style: Styler },
): string[] {
  const head = style(status.converged ? 'bold' : ['bold', 'yellow'], truncate(summary(status), columns))
  const lines = [
    head,
    '',
    ...requestLines(sample, style).map((line) => truncate(line, columns)),
    '',
    ...workLines(status, sample).map((line) => truncate(line, columns)),
    '',
    ...nodeTable(status, columns, style),
  ]
  const last = style('dim', truncate('q or Ctrl-C ends', columns))
  // What does not fit is left out from below.
  return lines.length + 2 <= rows ? [...lines, '', last] : [...lines.slice(0, Math.max(1, rows - 1)), last]
}

function requestLines(sample: Sample | undefined, style: Styler): string[] {
  const names = ['get', 'put', 'delete', 'batch', 'scan', 'all'] as const
  const rows = names.map((name) => [name, ...cells(sample?.requests[name])])
  const [header = '', ...lines] = tableLines(REQUEST_COLUMNS, rows)
  return [style('dim', header), ...lines.map((line, at) => (at === names.length - 1 ? style('bold', line) : line))]
}

function cells(rates: RequestRates | undefined): string[] {
  if (rates === undefined) return ['…', '', '', '', '']
  const { perSecond, failedPerSecond, ...latencies } = rates
  const shown = [latencies.p50Ms, latencies.p99Ms, latencies.maxMs]
  return [count(perSecond), count(failedPerSecond), ...shown.map((ms) => (ms === undefined ? '' : duration(ms)))]
}

/** What the cluster sees to by itself. */
function workLines(status: ClusterStatus, sample: Sample | undefined): string[] {
  const { nodes, epoch, converged, partitionsMoving } = status
  const sum = (figure: 'hints' | 'mailbox' | 'restarts') => nodes.reduce((total, node) => total + node[figure], 0)
  const behind = nodes.filter((node) => node.status === 'up' && node.epoch < epoch).map(({ id }) => id)
  const gossip = converged
    ? `every node knows table ${epoch}`
    : behind.length > 0
      ? `${behind.join(', ')} not at table ${epoch} yet`
      : 'converging'
  const { readRepairs = 0, keysExchanged = 0, hintsHandedBack = 0 } = sample?.repairs ?? {}
  return [
    `gossip     ${gossip}`,
    `hints      ${count(sum('hints'))} kept, ${count(hintsHandedBack)} handed back`,
    `repairs    ${count(readRepairs)} by reads, ${count(keysExchanged)} by comparing`,
    `transfers  ${transfers(nodes, partitionsMoving)}`,
  ]
}

function transfers(nodes: readonly NodeStatus[], moving: number): string {
  const filling = nodes.flatMap(({ id, filling: fill }) =>
    fill === undefined
      ? []
      : [`${id} ${count(fill.partitionsDone)} of ${count(fill.partitions)} (${byteSize(fill.bytes)})`],
  )
  if (moving === 0 && filling.length === 0) return 'none'
  return [`${plural(moving, 'partition')} moving`, ...filling].join(' · ')
}
