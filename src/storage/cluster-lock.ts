/**
 * One opener per location, in this process and in others: two empty LevelDBs, whose LOCK files the system releases on any
 * death, kill -9 included.
 *
 * The *gate* is named by this process: only its own openings meet there, and LevelDB keeps a table of what a process has open,
 * over all its threads. The *lock* is for other processes. One alone would not do: a second opening in the same process
 * is refused by that table, but LevelDB has opened the file before it looks, and closing it again drops the lock of the
 * whole process (fcntl: closing any descriptor of a file does). From then on another process would be let in.
 *
 * A lock file with a process id in it was rejected: ids are reused, and it says nothing about other threads. Who the holder is
 * stands beside the lock, for those who are refused: see `lock-holder.ts`.
 *
 * Called by `openCluster` before it reads anything below the location, which must be a real path.
 */

import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CoterieError } from '../shared/errors.js'
import { clusterFolderOf } from './layout.js'
import { type LockHolder, readHolder, removeHolder, writeHolder } from './lock-holder.js'
import { type Level, type LevelOptions, openLevel } from './open-level.js'
import { codeOf, StoreError } from './store-error.js'

export interface LocationLock {
  /** Idempotent. */
  release(): Promise<void>
}

/** Nothing is ever written to it. */
const SMALLEST = { cacheBytes: 0, openFilesMax: 74, writeBufferBytes: 65_536 }
const GATE = /^gate-\d+$/
/** Once for damage, and a few times for others who get the lock meanwhile. */
const TRIES_MAX = 6

/** Errors: LOCATION_LOCKED after `waitMs`, with the `holder` if it has said who it is; OPEN_FAILED if the folder cannot be made or opened. */
export async function lockLocation(location: string, waitMs = 0): Promise<LocationLock> {
  const folder = clusterFolderOf(location)
  const gateName = `gate-${process.pid}` as const
  const gate = await openLock(location, gateName, waitMs)
  let lock: Level
  try {
    lock = await openLock(location, 'lock', waitMs)
    await removeOldGates(folder, gateName)
    await writeHolder(folder)
  } catch (error) {
    await gate.close()
    throw error
  }
  let released: Promise<void> | undefined
  const release = async (): Promise<void> => {
    await removeHolder(folder)
    await lock.close()
    // Its folder stays for the next opening: who waits for the gate may be opening it already.
    await gate.close()
  }
  return {
    release: () => {
      released ??= release()
      return released
    },
  }
}

/**
 * Of processes that have closed or died: whoever holds the lock is the only one that has the location open. One that is being opened
 * gets new files while it is removed, and stays.
 */
async function removeOldGates(folder: string, own: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!GATE.test(name) || name === own) continue
    try {
      await rm(join(folder, name), { recursive: true, force: true })
    } catch (error) {
      if (codeOf(error) !== 'ENOTEMPTY') throw error
    }
  }
}

async function openLock(location: string, name: 'lock' | `gate-${number}`, waitMs: number): Promise<Level> {
  const folder = join(clusterFolderOf(location), name)
  try {
    return await openOrRenew(folder, { ...SMALLEST, lockWaitMs: waitMs })
  } catch (cause) {
    if (cause instanceof StoreError && cause.code === 'STORE_LOCKED') {
      throw await lockedError(location, name !== 'lock', cause)
    }
    throw new CoterieError('OPEN_FAILED', `${folder} cannot be opened`, { location, folder }, { cause })
  }
}

async function lockedError(location: string, isOwn: boolean, cause: Error): Promise<CoterieError> {
  const holder = await readHolder(clusterFolderOf(location), isOwn)
  const message = `${location} is open already, ${whereOf(holder, isOwn)}; close it there first`
  const facts = holder === undefined ? { location } : { location, holder }
  return new CoterieError('LOCATION_LOCKED', message, facts, { cause })
}

function whereOf(holder: LockHolder | undefined, isOwn: boolean): string {
  const where = isOwn ? 'in this process' : 'in another process'
  if (holder === undefined) return where
  const { pid, command, since } = holder
  return isOwn ? `${where}, since ${since}` : `in process ${pid} (${command}), since ${since}`
}

/**
 * There is nothing in it, so what a power cut or the disk has damaged is made anew (LevelDB does not sync its first MANIFEST).
 * Its LOCK file stays: another process may hold it meanwhile, and keeps this one out as ever. A gate may also vanish while it is opened:
 * whoever has just got the lock takes it for that of a process that has closed (`removeOldGates`). It is made anew, too.
 */
async function openOrRenew(folder: string, options: LevelOptions): Promise<Level> {
  for (let tries = 1; ; tries++) {
    await mkdir(folder, { recursive: true })
    try {
      return await openLevel(folder, options)
    } catch (error) {
      if (!(error instanceof StoreError) || error.code !== 'STORE_OPEN_FAILED' || tries === TRIES_MAX) throw error
    }
    await removeContents(folder)
  }
}

async function removeContents(folder: string): Promise<void> {
  try {
    for (const name of await readdir(folder)) {
      if (name !== 'LOCK') await rm(join(folder, name), { recursive: true, force: true })
    }
  } catch (error) {
    // The folder has vanished as a whole.
    if (codeOf(error) !== 'ENOENT') throw error
  }
}
