/** The ids that new nodes get are the cluster's to choose. Who names them is told if others come next. */

import type { ClusterAccess } from '../access.js'
import type { Joining } from '../commands.js'
import { UsageError } from '../given.js'

/** Errors: `UsageError`. */
export async function checkIds(cluster: ClusterAccess, { count, ids }: Joining): Promise<void> {
  if (ids === undefined) return
  const { joining } = await cluster.plan({ join: count })
  if ([...ids].sort().join() !== [...joining].sort().join())
    throw new UsageError(`ids are never used again: the next ${count === 1 ? 'is' : 'are'} ${joining.join(',')}`)
}
