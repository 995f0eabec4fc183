/** SHA-256 of LevelDB's files: taken of a backup's databases when they are written, compared when they are read. Synchronous: for pool threads. */

import { createHash } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { liveFilesIn } from './leveldb-files/live-files.js'
import { codeOf } from './store-error.js'
import { syncFolder } from './sync-folder.js'

export interface FileSum {
  readonly name: string
  readonly bytes: number
  /** Hexadecimal. */
  readonly sha256: string
}

const READ_BYTES = 1 << 20

/** Sums of all files that LevelDB will read, and all of them on the disk. Errors: Damage, those of fs. */
export function sumAndSyncFiles(folder: string): FileSum[] {
  const sums = liveFilesIn(folder).map((name) => sumOf(join(folder, name), name, 'r+'))
  syncFolder(folder)
  return sums
}

/** What is not as it was, for people; undefined if everything is. What else lies there is not read by anybody. Errors: those of fs but ENOENT. */
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
  return undefined
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
