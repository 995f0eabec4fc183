/**
 * One opener per location: an empty LevelDB whose LOCK file the system releases on any death, kill -9 included, and which
 * excludes within one process too (a lock of fcntl alone would not: a process never conflicts with itself).
 *
 * A lock file with a process id in it was rejected: ids are reused, and it says nothing about other threads.
 *
 * Called by `openCluster` before it reads anything below the location.
 */

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { CoterieError } from '../shared/errors.js'
import { clusterFolderOf } from './layout.js'
import { openLevel } from './open-level.js'
import { StoreError } from './store-error.js'

export interface LocationLock {
  /** Idempotent. */
  release(): Promise<void>
}

/** Nothing is ever written to it. */
const SMALLEST = { cacheBytes: 0, openFilesMax: 74, writeBufferBytes: 65_536 }

/** Errors: LOCATION_LOCKED after `waitMs`; OPEN_FAILED if the folder cannot be made or opened. */
export async function lockLocation(location: string, waitMs = 0): Promise<LocationLock> {
  const folder = join(clusterFolderOf(location), 'lock')
  try {
    await mkdir(folder, { recursive: true })
    const level = await openLevel(folder, { ...SMALLEST, lockWaitMs: waitMs })
    return { release: () => level.close() }
  } catch (cause) {
    if (cause instanceof StoreError && cause.code === 'STORE_LOCKED') {
      const message = `${location} is open already, in this process or another; close it there first`
      throw new CoterieError('LOCATION_LOCKED', message, { location }, { cause })
    }
    throw new CoterieError('OPEN_FAILED', `${folder} cannot be opened`, { location, folder }, { cause })
  }
}
