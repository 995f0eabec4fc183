/**
 * Replays a MANIFEST: the tables and the first log that are live when LevelDB opens the store.
 *
 * A torn last edit is no damage: LevelDB ignores it as well, and the edit's files do no harm. Nor can a MANIFEST that lost
 * whole edits pass unseen with data lost: the edits before name a log or tables that LevelDB deleted right after the lost
 * edit, and `verify-store` misses them. If they are still there, opening from the older edit gives the same content.
 *
 * LevelDB refuses a MANIFEST whose damage it reports; what passes here and what it opens agree (test/storage).
 *
 * Source: leveldb 1.20, db/version_set.cc, VersionSet::Recover.
 */
import { Damage } from './damage.js'
import type { FileWindow } from './file-window.js'
import { scanLog } from './log-format.js'
import { decodeVersionEdit, type TableFile, type VersionEdit } from './version-edit.js'

export interface Manifest {
  /** Logs from this number on are replayed; 0 in a store that was just created. */
  readonly logNumber: number
  /** One more log to replay; 0 = none (LevelDB has not written another value since 2012). */
  readonly prevLogNumber: number
  /** The last sequence number given out when the last edit was made. */
  readonly lastSequence: number
  readonly tables: readonly TableFile[]
  readonly isTorn: boolean
}

/** The only order that classic-level uses; another would make every table unreadable. */
const COMPARATOR = 'leveldb.BytewiseComparator'

/** A version edit lists files: 60 bytes and two keys each. More than this is not one that LevelDB wrote. Bytes. */
const EDIT_BYTES_MAX = 256 * 1024 * 1024

/** Errors: throws Damage. */
export function readManifest(file: FileWindow): Manifest {
  const tables = new Map<string, TableFile>()
  let latest: Omit<VersionEdit, 'comparator' | 'deleted' | 'added'> = {}
  const scan = scanLog(file, {
    headBytes: EDIT_BYTES_MAX,
    onRecord: ({ offset, bytes, head }) => {
      if (bytes > head.length) throw new Damage('format', 'a version edit is too long', offset)
      const { comparator = COMPARATOR, deleted, added, ...numbers } = decodeVersionEdit(head)
      if (comparator !== COMPARATOR) throw new Damage('format', 'the store is sorted by another comparator', offset)
      for (const { level, number } of deleted) tables.delete(`${level}/${number}`)
      for (const table of added) tables.set(`${table.level}/${table.number}`, table)
      latest = { ...latest, ...numbers }
    },
  })
  const { logNumber, prevLogNumber = 0, nextFileNumber, lastSequence } = latest
  if (logNumber === undefined || nextFileNumber === undefined || lastSequence === undefined) {
    throw new Damage('format', 'the manifest has no log number, next file number or last sequence')
  }
  return { logNumber, prevLogNumber, lastSequence, tables: [...tables.values()], isTorn: scan.tornAt !== undefined }
}
