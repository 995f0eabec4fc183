/** A node's files before its store is opened: what is verified of them, and what need not be again. Called by the supervisor's actor. */

import type { NodeId } from '../../src/protocol/ids.js'
import type { ClusterConfig } from '../../src/shared/options.js'
import { nodeFolders } from '../../src/storage/layout.js'
import type { VerifyReport } from '../../src/storage/verify-store.js'
import type { Pool } from '../pool.js'
import type { NodeFacts } from './node-facts.js'

/** Undefined: they are not verified. Errors: PoolError. */
export async function verifyFiles(
  node: NodeId,
  facts: NodeFacts,
  { location, verification }: ClusterConfig,
  pool: Pool,
): Promise<VerifyReport['verdict'] | undefined> {
  const { suspectedFor, isSetAside } = facts
  facts.isSetAside = false
  if (isSetAside) {
    facts.suspectedFor = undefined
    return 'damaged'
  }
  if (verification === 'never' && suspectedFor === undefined) return undefined
  // A table that rots on the disk looks as it did.
  const mayKnow = verification === 'changed' && suspectedFor === undefined
  const report = await pool.verifyStore(nodeFolders(location, node).store, {
    knownFiles: mayKnow ? facts.knownFiles : [],
  })
  facts.knownFiles = report.files
  if (facts.suspectedFor === suspectedFor) facts.suspectedFor = undefined
  return report.verdict
}
