/**
 * Reads a closed LevelDB folder without changing it. LevelDB cannot: opening writes a new MANIFEST, turns logs into tables and
 * deletes what is left over. So it opens a folder of links beside: tables, which are never changed, under second names;
 * the small rest as copies. Only those that MANIFEST names: a table that an interrupted compaction left has the name of one that
 * LevelDB is going to write, and it would write through the link.
 *
 * Never call it on files that were not verified: LevelDB may abort the process over damage.
 */

import { copyFile, link, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { StoredEntry } from './backup-chunk.js'
import { decodeIdentity, type StoredIdentity } from './entry-codec.js'
import { BACKUP_BOUNDS, IDENTITY_KEY } from './keyspace.js'
import { liveFilesIn } from './leveldb-files/live-files.js'
import { type Level, type LevelIterator, openLevel } from './open-level.js'
import { codeOf } from './store-error.js'

const LEVEL_OPTIONS = { cacheBytes: 0, openFilesMax: 100, writeBufferBytes: 1_048_576, lockWaitMs: 0 }
const TABLE = /\.(ldb|sst)$/
const PAGE_ENTRIES = 1_024
const PAGE_BYTES = 262_144

export class StoreView {
  readonly #level: Level
  readonly #temporary: string
  readonly #iterator: LevelIterator

  private constructor(level: Level, temporary: string) {
    this.#level = level
    this.#temporary = temporary
    this.#iterator = level.iterator({ ...BACKUP_BOUNDS, highWaterMarkBytes: PAGE_BYTES })
  }

  /** Errors: StoreError, those of fs; Damage, of files that were not verified. */
  static async open(folder: string): Promise<StoreView> {
    const temporary = await mkdtemp(join(tmpdir(), 'coterie-view-'))
    try {
      for (const name of liveFilesIn(folder)) {
        const [from, to] = [resolve(folder, name), join(temporary, name)]
        await (TABLE.test(name) ? linkOrCopy(from, to) : copyFile(from, to))
      }
      return new StoreView(await openLevel(temporary, LEVEL_OPTIONS), temporary)
    } catch (error) {
      await rm(temporary, { recursive: true, force: true })
      throw error
    }
  }

  /** Who the store says that it is; a backup's database says nothing. */
  identity(): StoredIdentity | 'absent' | 'damaged' {
    const bytes: Buffer | undefined = this.#level.getSync(IDENTITY_KEY)
    return bytes === undefined ? 'absent' : decodeIdentity(bytes)
  }

  /** The next data and hints in the order of their stored keys; none at the end. Errors: those of abstract-level. */
  nextPage(): Promise<StoredEntry[]> {
    return this.#iterator.nextv(PAGE_ENTRIES)
  }

  async close(): Promise<void> {
    await this.#level.close()
    await rm(this.#temporary, { recursive: true, force: true })
  }
}

/** A second name, which also Windows has; across file systems a symbolic link; where neither may be made, a copy. */
async function linkOrCopy(from: string, to: string): Promise<void> {
  for (const make of [link, symlink]) {
    try {
      return await make(from, to)
    } catch (error) {
      if (codeOf(error) === undefined) throw error
    }
  }
  await copyFile(from, to)
}
