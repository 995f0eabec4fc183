/** Opens the cluster in a folder as a Level database of bytes. */

import { CoterieError, CoterieLevel } from '../../index.js'
import type { ClusterOptions } from '../../shared/options.js'

export type LevelCluster = CoterieLevel<Buffer, Buffer>

const CAUSES_MAX = 4

/** Errors: those of `openCluster`; LOCATION_MISMATCH for a cluster that keeps siblings: a key of Level has one value. */
export async function openLevelCluster({ location, ...options }: ClusterOptions): Promise<LevelCluster> {
  const bytes = { keyEncoding: 'buffer', valueEncoding: 'buffer' } as const
  const db: LevelCluster = new CoterieLevel(location, { conflict: 'lww', ...options, ...bytes })
  try {
    await db.open()
    return db
  } catch (error) {
    throw clusterErrorOf(error)
  }
}

/** What the cluster said, and Level put into other words. */
function clusterErrorOf(error: unknown): unknown {
  let cause = error
  for (let depth = 0; depth < CAUSES_MAX && cause instanceof Error; depth++) {
    if (cause instanceof CoterieError) return cause
    cause = cause.cause
  }
  return error
}
