/** SHA-256 of LevelDB's files: taken of a backup's databases when they are written, compared when they are read. Synchronous: for pool threads. */

import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { codeOf } from './store-error.js'
import { syncFolder } from './sync-folder.js'

export interface FileSum {
  readonly name: string
  readonly bytes: number
  /** Hexadecimal. */
  readonly sha256: string
}

/** What LevelDB needs to open a store. Its LOG and LOCK say nothing. */
const DATA_FILE = /^(CURRENT|MANIFEST-\d+|\d+\.(log|ldb|sst))$/
const READ_BYTES = 1 << 20

/** Errors: those of fs. */
export function dataFilesIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => DATA_FILE.test(name))
    .sort()
}

/** Sums of all data files, and all of them on the disk. Errors: those of fs. */
export function sumAndSyncFiles(folder: string): FileSum[] {
  const sums = dataFilesIn(folder).map((name) => sumOf(join(folder, name), name, 'r+'))
  syncFolder(folder)
  return sums
}

/** What is not as it was, for people; undefined if everything is. Errors: those of fs but ENOENT. */
export function fileThatDiffers(folder: string, files: readonly FileSum[]): string | undefined {
  for (const { name, bytes, sha256 } of files) {
    let found: FileSum
    try {
      found = sumOf(join(folder, name), name, 'r')
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
      return `${name} is missing`
    }
    if (found.bytes !== bytes) return `${name} has ${found.bytes} bytes, not ${bytes}`
    if (found.sha256 !== sha256) return `${name} has another SHA-256 than when it was written`
  }
  const known = new Set(files.map(({ name }) => name))
  const stranger = dataFilesIn(folder).find((name) => !known.has(name))
  return stranger === undefined ? undefined : `${stranger} was not written by the backup`
}

/** `r+`: it is on the disk afterwards. */
function sumOf(path: string, name: string, flags: 'r' | 'r+'): FileSum {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(READ_BYTES)
  let bytes = 0
  const fd = openSync(path, flags)
  try {
    for (let read = readSync(fd, buffer); read > 0; read = readSync(fd, buffer)) {
      hash.update(buffer.subarray(0, read))
      bytes += read
    }
    if (flags === 'r+') fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  return { name, bytes, sha256: hash.digest('hex') }
}
