/** The cluster that keeps what a Level database does, wherever it is open. */

import { CoterieError } from '../../shared/errors.js'
import type { ClusterOptions } from '../../shared/options.js'
import { type AccessOptions, accessCluster, type ClusterAccess } from '../access.js'

/** Errors: those of `accessCluster`; LOCATION_MISMATCH for a cluster that keeps siblings: a key of Level has one value. */
export async function accessLevel(options: ClusterOptions, access: AccessOptions = {}): Promise<ClusterAccess> {
  const cluster = await accessCluster(options, access)
  const { conflict } = await cluster.status()
  if (conflict === 'lww') return cluster
  await cluster.close()
  const message = `${options.location} keeps concurrent values (conflict: 'siblings'), and a key of Level has one`
  throw new CoterieError('LOCATION_MISMATCH', message, { location: options.location, conflict })
}
