/**
 * LevelDB folders of users: one to be read into a cluster, one to be made of a cluster. Not the stores of nodes.
 *
 * LevelDB opens damaged logs without a word, reads damaged tables without looking at their checksums, and makes a lock file
 * where there is no database. So a folder is looked at first, and what is no whole database is refused untouched.
 *
 * Called by `coterie import` and `coterie export`.
 */

import { existsSync, readdirSync } from 'node:fs'
import { mkdir, rename, rm, rmdir } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { clusterFolderOf } from './layout.js'
import { type Level, openUserLevel } from './open-level.js'
import { codeOf } from './store-error.js'
import { syncFolder } from './sync-folder.js'
import { verifyStoreFiles } from './verify-store.js'

/**
 * `LEVEL_FOLDER_MISSING`: there is no LevelDB in it. `LEVEL_FOLDER_DAMAGED`: its files contradict each other, or are being
 * written by another process. `LEVEL_FOLDER_IN_USE`: another process has it open. `LEVEL_FOLDER_UNREADABLE`: LevelDB did
 * not open it. `LEVEL_FOLDER_NOT_EMPTY`: it cannot become a new database.
 */
type LevelFolderErrorCode =
  | 'LEVEL_FOLDER_MISSING'
  | 'LEVEL_FOLDER_DAMAGED'
  | 'LEVEL_FOLDER_IN_USE'
  | 'LEVEL_FOLDER_UNREADABLE'
  | 'LEVEL_FOLDER_NOT_EMPTY'

class LevelFolderError extends Error {
  override readonly name = 'LevelFolderError'

  constructor(
    readonly code: LevelFolderErrorCode,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(`${code}: ${message}`, options)
  }
}

const PROBLEMS_SHOWN = 5

/**
 * Opens an existing database. Every file of it is read first; that takes as long as reading them takes, in this thread.
 *
 * Errors: LevelFolderError, and nothing was changed unless it is `LEVEL_FOLDER_IN_USE` or `LEVEL_FOLDER_UNREADABLE`.
 */
export async function openLevelFolder(folder: string): Promise<Level> {
  if (existsSync(join(clusterFolderOf(folder), 'metadata.json')))
    throw new LevelFolderError('LEVEL_FOLDER_MISSING', `${folder} is the folder of a cluster, not a LevelDB`)
  if (existsSync(join(dirname(resolve(folder)), 'witness')))
    throw new LevelFolderError('LEVEL_FOLDER_MISSING', `${folder} is the store of a node; export its cluster instead`)
  const { verdict, problems } = verifyStoreFiles(folder)
  if (verdict === 'absent') throw new LevelFolderError('LEVEL_FOLDER_MISSING', `there is no LevelDB in ${folder}`)
  if (verdict === 'damaged') {
    const shown = problems.slice(0, PROBLEMS_SHOWN).map(({ file, detail }) => `${file}: ${detail}`)
    const more = problems.length > PROBLEMS_SHOWN ? `; and ${problems.length - PROBLEMS_SHOWN} more` : ''
    const what = `${folder} is damaged, or another process is writing to it (${shown.join('; ')}${more})`
    throw new LevelFolderError('LEVEL_FOLDER_DAMAGED', what)
  }
  try {
    return await openUserLevel(folder, { createIfMissing: false })
  } catch (error) {
    if (codeOf(error) === 'LEVEL_LOCKED')
      throw new LevelFolderError('LEVEL_FOLDER_IN_USE', `another process has ${folder} open; close it there first`)
    throw new LevelFolderError('LEVEL_FOLDER_UNREADABLE', `LevelDB did not open ${folder}`, { cause: error })
  }
}

/** A database that is being made beside its place, and takes it when it is whole: nobody finds half of one. */
export class NewLevelFolder {
  readonly #folder: string
  readonly #partial: string

  /** Errors: LEVEL_FOLDER_NOT_EMPTY; nothing is made yet. */
  constructor(folder: string) {
    this.#folder = folder
    this.#partial = join(dirname(resolve(folder)), `${basename(resolve(folder))}.partial`)
    if (entriesOf(folder) > 0) throw new LevelFolderError('LEVEL_FOLDER_NOT_EMPTY', `${folder} is not empty`)
  }

  /** What an export that was killed left there is taken away. */
  async create(): Promise<Level> {
    await this.remove()
    await mkdir(this.#partial, { recursive: true })
    return openUserLevel(this.#partial, { createIfMissing: true, errorIfExists: true })
  }

  /** Once it is closed. By then LevelDB has put into tables what was in its log. */
  reopen(): Promise<Level> {
    return openUserLevel(this.#partial, { createIfMissing: false })
  }

  /** Once it is closed: from its place beside to its place. */
  async finish(): Promise<void> {
    if (existsSync(this.#folder)) await rmdir(this.#folder)
    await rename(this.#partial, this.#folder)
    syncFolder(dirname(resolve(this.#folder)))
  }

  /** Once it is closed, if at all it was open. */
  async remove(): Promise<void> {
    await rm(this.#partial, { recursive: true, force: true })
  }
}

function entriesOf(folder: string): number {
  return existsSync(folder) ? readdirSync(folder).length : 0
}
