/** What a change would do, for people: of the command, and of the prompt of `coterie start`. */

import type { ClusterStatus, ShapePlan } from '../../shared/cluster-reports.js'
import { byteSize, count, plural, tableLines } from '../terminal/format.js'

const COLUMNS = [
  { title: 'node', align: 'left' },
  { title: 'replicas', align: 'right' },
  { title: 'then', align: 'right' },
  { title: 'copied to it', align: 'right' },
  { title: 'size', align: 'right' },
] as const

export function planLines({ joining, leaving, moves, bytes, replicas }: ShapePlan, status: ClusterStatus): string[] {
  const members = status.nodes.filter(({ role }) => role === 'member').map(({ id }) => id)
  const rows = [...new Set([...members, ...joining])].map((node) => {
    const own = moves.filter(({ to }) => to === node)
    return [
      joining.includes(node) ? `${node} (joins)` : leaving.includes(node) ? `${node} (leaves)` : node,
      count(status.nodes.find(({ id }) => id === node)?.partitions ?? 0),
      count(replicas[node] ?? 0),
      count(own.length),
      byteSize(own.reduce((sum, move) => sum + move.bytes, 0)),
    ]
  })
  return [
    ...tableLines(COLUMNS, rows),
    `${plural(moves.length, 'replica')} of about ${byteSize(bytes)} in all would be copied; the cluster serves meanwhile`,
  ]
}
