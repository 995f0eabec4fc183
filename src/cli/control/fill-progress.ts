/** How far a join or a leave is: what all nodes that are being filled tell, as one share. Called by the control routes and the commands. */

import type { Cluster } from '../../shared/api.js'
import type { BulkProgress } from '../../shared/backup-shapes.js'
import type { ClusterEvents } from '../../shared/cluster-events.js'
import type { FillStatus } from '../../shared/cluster-reports.js'

/** Resolves, or rejects, as `change` does. `replicas`: how many it is to copy. */
export async function withFillProgress<T>(
  cluster: Cluster,
  { replicas, onProgress }: { readonly replicas: number; readonly onProgress: (progress: BulkProgress) => void },
  change: () => Promise<T>,
): Promise<T> {
  const fills = new Map<string, FillStatus>()
  let share = 0
  const onTransfer = ({ node, done, ...fill }: ClusterEvents['transfer:progress'][0]): void => {
    fills.set(node, fill)
    const sum = (figure: keyof FillStatus) => [...fills.values()].reduce((total, one) => total + one[figure], 0)
    // A node tells of all that it is being filled with, also what was begun before.
    const wanted = Math.max(replicas, sum('partitions'), 1)
    share = Math.max(share, Math.min(1, sum('partitionsDone') / wanted))
    onProgress({ phase: `${done ? 'filled' : 'filling'} ${node}`, records: sum('records'), bytes: sum('bytes'), share })
  }
  cluster.on('transfer:progress', onTransfer)
  try {
    return await change()
  } finally {
    cluster.off('transfer:progress', onTransfer)
  }
}

/** What a join will copy. Of a standby that is every partition; a plan is of members alone. */
export async function joinReplicas(
  cluster: Cluster,
  { count = 1, role }: { readonly count?: number; readonly role?: string },
): Promise<number> {
  if (role === 'standby') return cluster.status().partitions * count
  return (await cluster.plan({ join: count })).moves.length
}
