/**
 * One record of a MANIFEST: a version edit, which says what changed in the set of live files.
 *
 * Source: leveldb doc/impl.md; leveldb 1.20, db/version_edit.cc.
 */
import { Cursor } from './cursor.js'
import { Damage } from './damage.js'

export interface TableFile {
  readonly level: number
  readonly number: number
  readonly bytes: number
}

export interface VersionEdit {
  comparator?: string
  logNumber?: number
  prevLogNumber?: number
  nextFileNumber?: number
  lastSequence?: number
  readonly deleted: Omit<TableFile, 'bytes'>[]
  readonly added: TableFile[]
}

const TAG_COMPARATOR = 1
const TAG_LOG_NUMBER = 2
const TAG_NEXT_FILE_NUMBER = 3
const TAG_LAST_SEQUENCE = 4
const TAG_COMPACT_POINTER = 5
const TAG_DELETED_FILE = 6
const TAG_NEW_FILE = 7
const TAG_PREV_LOG_NUMBER = 9

const LEVELS = 7

/** Errors: throws Damage('format'). */
export function decodeVersionEdit(bytes: Uint8Array): VersionEdit {
  const edit: VersionEdit = { deleted: [], added: [] }
  const cursor = new Cursor(bytes)
  while (!cursor.atEnd) decodeField(cursor, edit)
  return edit
}

function decodeField(cursor: Cursor, edit: VersionEdit): void {
  const tag = cursor.varint()
  switch (tag) {
    case TAG_COMPARATOR:
      edit.comparator = Buffer.from(cursor.lengthPrefixed()).toString('latin1')
      break
    case TAG_LOG_NUMBER:
      edit.logNumber = cursor.varint()
      break
    case TAG_PREV_LOG_NUMBER:
      edit.prevLogNumber = cursor.varint()
      break
    case TAG_NEXT_FILE_NUMBER:
      edit.nextFileNumber = cursor.varint()
      break
    case TAG_LAST_SEQUENCE:
      edit.lastSequence = cursor.varint()
      break
    case TAG_COMPACT_POINTER:
      decodeLevel(cursor)
      cursor.lengthPrefixed()
      break
    case TAG_DELETED_FILE:
      edit.deleted.push({ level: decodeLevel(cursor), number: cursor.varint() })
      break
    case TAG_NEW_FILE:
      edit.added.push({ level: decodeLevel(cursor), number: cursor.varint(), bytes: cursor.varint() })
      cursor.lengthPrefixed() // smallest key
      cursor.lengthPrefixed() // largest key
      break
    default:
      throw new Damage('format', `version edit has tag ${tag}`)
  }
}

function decodeLevel(cursor: Cursor): number {
  const level = cursor.varint()
  if (level >= LEVELS) throw new Damage('format', `version edit names level ${level}`)
  return level
}
