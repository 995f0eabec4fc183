/**
 * What a cluster folder knows of a migration, in `<location>/cluster/migration.json`: where to, and how far it has come. It is what makes it
 * impossible that a process that opens the folder writes to this cluster alone while a migration counts on both.
 *
 * A new stage is written twice: if the newest file is damaged, the one before says the same. While it is under way it holds the
 * login of the target, so that nobody else may read it.
 *
 * Called with the location locked.
 */

import { join } from 'node:path'
import { assert } from '../protocol/assert.js'
import { CoterieError } from '../shared/errors.js'
import type { MigrationStage, MigrationTo } from '../shared/migration-shapes.js'
import { CheckedFile } from './checked-file.js'
import { clusterFolderOf } from './layout.js'

const FORMAT = 1

export interface MigrationRecord {
  readonly formatVersion: number
  readonly id: string
  readonly stage: MigrationStage
  /** True: the target was away for too long. Writes go to this cluster alone, and the verification will have to find what it missed. */
  readonly isPaused: boolean
  /** In the end without a login. */
  readonly to: MigrationTo
  /** ISO 8601. */
  readonly startedAt: string
  /** Up to here, and this key included, the backfill has come; base64. Absent: it has not begun. */
  readonly cursor?: string
  /** By the backfill. */
  readonly copied: number
  /** That the backfill has taken, in all lives. */
  readonly backfillMs: number
}

/** Where each stage may lead. */
const ALLOWED: Readonly<Record<MigrationStage, readonly MigrationStage[]>> = {
  'dual-write': ['backfill', 'aborted'],
  backfill: ['verify', 'aborted'],
  verify: ['cutover', 'aborted'],
  cutover: ['done'],
  done: [],
  aborted: [],
}

/** Writes must go to both, from the first on. */
export function isDual({ stage, isPaused }: MigrationRecord): boolean {
  return !isPaused && (stage === 'dual-write' || stage === 'backfill' || stage === 'verify')
}

/** The target has the say. */
export function hasMoved({ stage }: MigrationRecord): boolean {
  return stage === 'cutover' || stage === 'done'
}

export class MigrationFile {
  readonly #file: CheckedFile
  #record: MigrationRecord | undefined

  private constructor(file: CheckedFile) {
    this.#file = file
  }

  /** Errors: LOCATION_DAMAGED, LOCATION_MISMATCH for a newer format, those of fs. */
  static async open(location: string): Promise<MigrationFile> {
    const path = join(clusterFolderOf(location), 'migration.json')
    const file = new MigrationFile(new CheckedFile(path, { mode: 0o600 }))
    const read = await file.#file.read()
    if (read.source === 'damaged')
      throw new CoterieError('LOCATION_DAMAGED', `${path} is damaged, and so is its spare`, { file: path })
    if ('body' in read) {
      file.#record = read.body as MigrationRecord
      if (file.#record.formatVersion > FORMAT)
        throw new CoterieError('LOCATION_MISMATCH', `${path} was written by a newer version of Coterie`, { file: path })
    }
    return file
  }

  /** Undefined: there was never one, or it was aborted. */
  get record(): MigrationRecord | undefined {
    return this.#record?.stage === 'aborted' ? undefined : this.#record
  }

  /** Errors: those of fs. */
  async begin(record: Pick<MigrationRecord, 'id' | 'to' | 'startedAt'>): Promise<void> {
    assert(this.record === undefined, 'one migration at a time')
    const fresh = { formatVersion: FORMAT, stage: 'dual-write' as const, isPaused: false, copied: 0, backfillMs: 0 }
    return this.#write({ ...fresh, ...record }, true)
  }

  /** Resolves once it is on the disk. Errors: those of fs. */
  async become(stage: MigrationStage, change: Partial<Pick<MigrationRecord, 'to'>> = {}): Promise<void> {
    const record = this.#known()
    assert(ALLOWED[record.stage].includes(stage), 'a migration goes from stage to stage', { from: record.stage, stage })
    return this.#write({ ...record, ...change, stage }, true)
  }

  /** Errors: those of fs. */
  async pause(isPaused: boolean): Promise<void> {
    return this.#write({ ...this.#known(), isPaused }, true)
  }

  /** How far the backfill is. An older one would be as good: it begins there again. Errors: those of fs. */
  async proceed(change: Pick<MigrationRecord, 'copied' | 'backfillMs'> & { readonly cursor?: string }): Promise<void> {
    return this.#write({ ...this.#known(), ...change }, false)
  }

  async settled(): Promise<void> {
    await this.#file.settled()
  }

  #known(): MigrationRecord {
    const { record } = this
    assert(record !== undefined, 'a migration is under way')
    return record
  }

  /** What is asked for next builds on this, also before it is on the disk. */
  async #write(record: MigrationRecord, isTwice: boolean): Promise<void> {
    const before = this.#record
    this.#record = record
    try {
      await this.#file.write(record)
    } catch (error) {
      // Nothing of it is on the disk.
      if (this.#record === record) this.#record = before
      throw error
    }
    if (isTwice) await this.#file.write(record)
  }
}
