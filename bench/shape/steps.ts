/** What happens to the cluster while it is called, one after another. Each resolves once it has been done; its wake is the bench's to await. */

import type { Cluster } from '../../src/index.js'

export interface Step {
  readonly name: string
  readonly run: (cluster: Cluster) => Promise<unknown>
}

/** Nodes are those of a cluster that was made with five. */
export const STEPS: readonly Step[] = [
  { name: 'join of node6', run: (cluster) => cluster.join() },
  { name: 'join of node7', run: (cluster) => cluster.join() },
  { name: 'leave of node2', run: (cluster) => cluster.leave('node2') },
  { name: 'wipe of node3', run: (cluster) => cluster.faults.wipe('node3') },
  { name: 'corrupt store of node4', run: (cluster) => cluster.faults.corrupt('node4') },
  { name: 'node5 down for good', run: (cluster) => cluster.faults.crash('node5', { permanent: true }) },
]
