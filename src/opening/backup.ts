/**
 * `cluster.backup`: checks what was asked for, makes the folder, and takes away what is left of a backup that failed.
 *
 * One at a time; a second one waits. Called by `OpenCluster`.
 */

import { mkdir, readdir, realpath, rm } from 'node:fs/promises'
import { isAbsolute, join, relative, resolve, sep } from 'node:path'
import { writeBackup } from '../../actors/backup.js'
import { NoCut } from '../../actors/backup-cut.js'
import { createPool } from '../../actors/pool.js'
import type { SupervisorActor } from '../../actors/supervisor.actor.js'
import { ownersNeededFor } from '../protocol/supervision/cut-core.js'
import type { BackupOptions, BackupSummary } from '../shared/backup-shapes.js'
import { CoterieError } from '../shared/errors.js'
import { checkNames, checkWhole, invalid } from '../shared/options.js'
import { databaseFolderOf, FREEZE_TIMEOUT_MS_MAX } from '../storage/backup-manifest.js'
import type { Prepared } from './prepare.js'

const FREEZE_TIMEOUT_MS = 1_000

export class ClusterBackup {
  readonly #supervisor: SupervisorActor
  readonly #prepared: Prepared
  readonly #isOpen: () => boolean
  #last: Promise<unknown> = Promise.resolve()
  #interrupt: (() => void) | undefined

  constructor(options: { supervisor: SupervisorActor; prepared: Prepared; isOpen: () => boolean }) {
    this.#supervisor = options.supervisor
    this.#prepared = options.prepared
    this.#isOpen = options.isOpen
  }

  async backup(dir: string, options: BackupOptions = {}): Promise<BackupSummary> {
    if (!this.#isOpen()) throw new CoterieError('CLOSED')
    checkNames(options, ['onProgress', 'freezeTimeoutMs'])
    if (typeof dir !== 'string' || dir === '') throw invalid('dir', dir, 'the path of a folder')
    const freezeTimeoutMs = checkWhole(
      'freezeTimeoutMs',
      options.freezeTimeoutMs ?? FREEZE_TIMEOUT_MS,
      10,
      FREEZE_TIMEOUT_MS_MAX,
    )
    const onProgress = options.onProgress ?? (() => undefined)
    if (typeof onProgress !== 'function') throw invalid('onProgress', onProgress, 'a function')
    const done = this.#last.then(() => this.#run(dir, freezeTimeoutMs, onProgress))
    this.#last = done.catch((error: unknown) => error)
    return done
  }

  /** Ends the one that runs, if one does, as a failure. Resolves once nothing of it is under way. */
  async stop(): Promise<void> {
    this.#interrupt?.()
    await this.#last
  }

  async #run(
    given: string,
    freezeTimeoutMs: number,
    onProgress: NonNullable<BackupOptions['onProgress']>,
  ): Promise<BackupSummary> {
    if (!this.#isOpen()) throw new CoterieError('CLOSED')
    const startedMs = performance.now()
    const dir = await this.#makeFolder(given)
    const { config, clock, quorums } = this.#prepared
    const pool = createPool({ maxThreads: 1, verifyTaskUrl: config.workers.verify })
    this.#interrupt = () => void pool.close()
    try {
      const { manifest, frozenMs } = await writeBackup({
        dir,
        supervisor: this.#supervisor,
        clock,
        pool,
        ownersNeeded: (table) => ownersNeededFor(table, quorums),
        freezeTimeoutMs,
        onProgress: ({ node, records, bytes, databases, databasesDone, recordsExpected }) =>
          onProgress({
            phase: node,
            records,
            bytes,
            share: databasesDone === databases ? 1 : Math.min(0.99, records / Math.max(1, recordsExpected)),
          }),
      })
      const { databases, leftOut, cut } = manifest
      const sumOf = (name: 'records' | 'bytes') => databases.reduce((sum, database) => sum + database[name], 0)
      const sums = { records: sumOf('records'), bytes: sumOf('bytes') }
      const nodes = databases.map(({ node }) => node)
      return { dir, at: cut.at, nodes, leftOut, ...sums, frozenMs, tookMs: performance.now() - startedMs }
    } catch (cause) {
      await this.#clear(dir)
      if (!this.#isOpen())
        throw new CoterieError('CLOSED', 'the cluster was closed before the backup was whole', { dir }, { cause })
      const facts = cause instanceof NoCut ? { partitions: cause.partitions, leftOut: cause.leftOut } : {}
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new CoterieError('BACKUP_FAILED', `no backup in ${dir}: ${why}`, { dir, ...facts }, { cause })
    } finally {
      this.#interrupt = undefined
      await pool.close()
    }
  }

  /** Its real path. Errors: BACKUP_NOT_EMPTY, BACKUP_FAILED. */
  async #makeFolder(given: string): Promise<string> {
    let dir: string
    let found: string[]
    try {
      await mkdir(given, { recursive: true })
      dir = await realpath(resolve(given))
      found = await readdir(dir)
    } catch (cause) {
      throw new CoterieError('BACKUP_FAILED', `the folder ${given} cannot be made`, { dir: given }, { cause })
    }
    const { location } = this.#prepared.config
    const way = relative(location, dir)
    if (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way))
      throw invalid('dir', given, `a folder outside of the cluster's own, ${location}`)
    if (found.length > 0) throw new CoterieError('BACKUP_NOT_EMPTY', `${dir} is not empty`, { dir })
    return dir
  }

  /** Only what a backup puts there. */
  async #clear(dir: string): Promise<void> {
    for (const { id } of this.#supervisor.metadata.nodes)
      await rm(join(dir, databaseFolderOf(id)), { recursive: true, force: true })
    for (const name of ['manifest.json', 'manifest.json.tmp']) await rm(join(dir, name), { force: true })
  }
}
