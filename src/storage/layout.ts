/**
 * Where everything lies below a cluster's location:
 *
 * ```
 * cluster/            metadata.json, table.json, clock.json and their `.previous`; lock/ and holder.json, who has it;
 *                     control/, the socket of `coterie start`; migration.json, if it moves or has moved elsewhere
 * node1/store/        LevelDB's files, and nothing else
 * node1/witness       how far the store has come
 * node1/trees         its Merkle trees, of the last life that was closed in order
 * node1/quarantine/   stores set aside
 * node1/opening       while LevelDB opens the store
 * ```
 *
 * Decides paths only; touches nothing.
 */

import { join } from 'node:path'
import type { NodeId } from '../protocol/ids.js'

export interface NodeFolders {
  readonly folder: string
  readonly store: string
  readonly witness: string
  readonly quarantine: string
  readonly trees: string
}

export function nodeFolders(location: string, node: NodeId): NodeFolders {
  const folder = join(location, node)
  return {
    folder,
    store: join(folder, 'store'),
    witness: join(folder, 'witness'),
    quarantine: join(folder, 'quarantine'),
    trees: join(folder, 'trees'),
  }
}

/** The cluster's own folder. */
export function clusterFolderOf(location: string): string {
  return join(location, 'cluster')
}
