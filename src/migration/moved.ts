/**
 * A folder whose cluster has moved, or that gives its migration up: what is done with nobody's cluster open.
 *
 * Called by `openCluster`, and by the command for a cluster that cannot be opened because the target is away.
 */

import { CoterieError } from '../shared/errors.js'
import { type MigrationTo, movedError, textOfMigrationTo, withoutLogin } from '../shared/migration-shapes.js'
import { ClusterFolder } from '../storage/cluster-folder.js'
import { lockLocation } from '../storage/cluster-lock.js'
import { hasMoved, MigrationFile } from '../storage/migration-file.js'

/** Nobody waits for longer to be told that a target is away. */
const REACH_MS = 10_000
const RELEASE_MS = 30_000

interface Moved {
  readonly file: MigrationFile
  readonly location: string
  readonly clusterId: string
  readonly partitions: number
}

/** Errors: MIGRATED, if it has moved; the process that moved it may have died before the target was ready, and is made so first. */
export async function refuseMoved(moved: Moved): Promise<void> {
  const { file, location } = moved
  const { record } = file
  if (record === undefined || !hasMoved(record)) return
  if (record.stage === 'cutover') {
    await withTarget(moved, record, (target) => target.release(performance.now() + RELEASE_MS))
    await file.become('done', { to: withoutLogin(record.to) })
  }
  throw movedError(location, record.to)
}

/** Of a folder that nobody has open. Errors: LOCATION_LOCKED, LOCATION_DAMAGED, MIGRATED. */
export async function abortMigrationOf(location: string): Promise<{ readonly cleared: boolean }> {
  const lock = await lockLocation(location)
  try {
    const { state } = await ClusterFolder.open(location)
    const file = await MigrationFile.open(location)
    const { record } = file
    if (record === undefined || state.metadata === undefined) return { cleared: true }
    if (hasMoved(record)) throw movedError(location, record.to)
    const { clusterId, partitions } = state.metadata.value
    await file.become('aborted', { to: withoutLogin(record.to) })
    try {
      await withTarget({ file, location, clusterId, partitions }, record, (target) => target.clear())
      return { cleared: true }
    } catch (error) {
      if (!(error instanceof CoterieError)) throw error
      return { cleared: false }
    }
  } finally {
    await lock.release()
  }
}

async function withTarget(
  { clusterId, partitions }: Moved,
  { id, to }: { readonly id: string; readonly to: MigrationTo },
  deed: (target: import('../engines/redis-cluster/migration-target.js').MigrationTarget) => Promise<void>,
): Promise<void> {
  const { MigrationTarget } = await import('../engines/redis-cluster/migration-target.js')
  const where = textOfMigrationTo(to)
  let target: import('../engines/redis-cluster/migration-target.js').MigrationTarget
  try {
    target = await MigrationTarget.open({ openTimeoutMs: REACH_MS, ...to }, { id, clusterId, partitions })
  } catch (cause) {
    throw new CoterieError('MIGRATION_TARGET_UNREACHABLE', `${where}: ${String(cause)}`, { to: where }, { cause })
  }
  try {
    await deed(target)
  } finally {
    target.close()
  }
}
