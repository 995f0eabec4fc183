/**
 * What a backup says of itself, in `<dir>/manifest.json`: written last, with its checksum, once everything else is on the disk. A
 * folder without one is no backup, whatever else lies in it.
 *
 * ```
 * <dir>/manifest.json
 * <dir>/node1-backup-database/    a LevelDB with the data and the hints that node1's store held in the cut
 * ```
 *
 * Decides what is a whole backup; reads and writes this one file.
 */

import { join } from 'node:path'
import type { NodeId, PartitionId } from '../protocol/ids.js'
import type { PartitionTable } from '../protocol/ring/table.js'
import type { ConflictMode } from '../protocol/versions/record.js'
import { CoterieError } from '../shared/errors.js'
import { CheckedFile } from './checked-file.js'
import type { FileSum } from './file-sums.js'

/** A newer one is refused. */
export const BACKUP_FORMAT = 1
/** A cut takes no longer. */
export const FREEZE_TIMEOUT_MS_MAX = 60_000

/** What was written of one node's store. */
export interface DatabaseContents {
  readonly records: number
  readonly hints: number
  /** Of stored keys and values. */
  readonly bytes: number
  /** Over all entries in order, framed as in `backup-chunk.ts`. */
  readonly sha256: string
}

export interface BackedUpDatabase extends DatabaseContents {
  readonly node: NodeId
  /** Below the backup's folder. */
  readonly folder: string
  /** Of these a record could not be read: the database counts as none of their copies. */
  readonly partitionsDamaged: readonly PartitionId[]
  readonly files: readonly FileSum[]
}

export interface BackupManifest {
  readonly formatVersion: number
  readonly clusterId: string
  readonly partitions: number
  /** As the cluster was created. */
  readonly n: number | 'all'
  readonly conflict: ConflictMode
  /** Members at the cut. */
  readonly nodes: number
  /** So many full owners of each partition hold every acknowledged write between them. */
  readonly ownersNeeded: number
  readonly cut: {
    /** ISO 8601. */
    readonly at: string
    /** Nanoseconds of the stamp clock, above every stamp in the backup. */
    readonly clockNs: string
    readonly table: PartitionTable
  }
  readonly databases: readonly BackedUpDatabase[]
  readonly leftOut: readonly { readonly node: NodeId; readonly reason: string }[]
}

export function databaseFolderOf(node: NodeId): string {
  return `${node}-backup-database`
}

function manifestFile(dir: string): CheckedFile {
  return new CheckedFile(join(dir, 'manifest.json'))
}

/** Resolves once on the disk. Errors: those of fs. */
export function writeManifest(dir: string, manifest: BackupManifest): Promise<void> {
  return manifestFile(dir).write(manifest)
}

/** Errors: BACKUP_INCOMPLETE, BACKUP_DAMAGED, BACKUP_MISMATCH; those of fs. */
export async function readManifest(dir: string): Promise<BackupManifest> {
  const read = await manifestFile(dir).read()
  if (read.source === 'absent')
    throw new CoterieError(
      'BACKUP_INCOMPLETE',
      `${dir} has no manifest.json: it is no backup, or one that was interrupted`,
      {
        dir,
      },
    )
  if (read.source !== 'newest')
    throw new CoterieError('BACKUP_DAMAGED', `manifest.json of ${dir} is damaged`, { dir, file: 'manifest.json' })
  const manifest = read.body as BackupManifest
  if (manifest.formatVersion > BACKUP_FORMAT)
    throw new CoterieError('BACKUP_MISMATCH', `${dir} was written by a newer version of Coterie`, {
      formatVersion: manifest.formatVersion,
      formatVersionMax: BACKUP_FORMAT,
    })
  return manifest
}
