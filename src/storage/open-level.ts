/**
 * Opens LevelDB folders: the only importer of classic-level.
 *
 * A folder whose last owner has just died may stay locked for a moment, so a locked one is tried again, within a bound.
 * `multithreading` stays off: it crashes the process when the first opener closes first (classic-level 3.0.0).
 *
 * Called by the level store, the cluster lock and, for folders of users, `level-folder.ts`. Never call it on files that were
 * not verified.
 */

import { setTimeout as delay } from 'node:timers/promises'
import { ClassicLevel, type Iterator, type Snapshot } from 'classic-level'
import { codeOf, StoreError } from './store-error.js'

export type Level = ClassicLevel<Buffer, Buffer>
export type LevelIterator = Iterator<Level, Buffer, Buffer>
export type LevelSnapshot = Snapshot

export interface LevelOptions {
  /** Of LevelDB's block cache. */
  readonly cacheBytes: number
  /** Table files kept open; LevelDB wants a few more. */
  readonly openFilesMax: number
  readonly writeBufferBytes: number
  /** How long a folder may stay locked before it is given up. */
  readonly lockWaitMs: number
}

const RETRY_MS = 20

/** Errors: StoreError STORE_LOCKED after `lockWaitMs`, STORE_OPEN_FAILED with LevelDB's error as its cause. */
export async function openLevel(folder: string, options: LevelOptions): Promise<Level> {
  const giveUpAt = performance.now() + options.lockWaitMs
  for (;;) {
    const level: Level = new ClassicLevel(folder, {
      keyEncoding: 'buffer',
      valueEncoding: 'buffer',
      cacheSize: options.cacheBytes,
      maxOpenFiles: options.openFilesMax,
      writeBufferSize: options.writeBufferBytes,
    })
    try {
      await level.open()
      return level
    } catch (error) {
      const facts = { folder, code: codeOf(error) }
      if (facts.code !== 'LEVEL_LOCKED') {
        throw new StoreError('STORE_OPEN_FAILED', `LevelDB did not open ${folder}`, { cause: error, facts })
      }
      if (performance.now() >= giveUpAt) {
        throw new StoreError('STORE_LOCKED', `${folder} is open already`, { cause: error, facts })
      }
      await delay(RETRY_MS)
    }
  }
}

/** A folder that is no node's store, with LevelDB's own defaults; one that is locked is not waited for. Errors: abstract-level's. */
export async function openUserLevel(
  folder: string,
  options: { readonly createIfMissing: boolean; readonly errorIfExists?: boolean },
): Promise<Level> {
  const level: Level = new ClassicLevel(folder, { keyEncoding: 'buffer', valueEncoding: 'buffer', ...options })
  await level.open()
  return level
}
