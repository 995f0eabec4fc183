/**
 * Full disks: how an error says so, and whether there is room again.
 *
 * Nothing here waits; who asks decides how often (`actors/runtime/room-watch.ts`).
 */

import { mkdir, open, rm, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from './store-error.js'

const CODES = ['ENOSPC', 'EDQUOT']
/** LevelDB knows one code for every IO error; what the system said is in its text alone. POSIX, quotas, Windows. */
const TEXTS = /No space left on device|Disk quota exceeded|not enough space on the disk/i
const CAUSES_MAX = 4

/** What LevelDB would say: of a disk that was filled by `cluster.faults`. */
export function newDiskFullError(): Error {
  const code = 'LEVEL_IO_ERROR'
  return Object.assign(new Error('IO error: injected: No space left on device'), { code })
}

/** Does the error, or one of its causes, say that the disk is full? */
export function isDiskFull(error: unknown): boolean {
  let cause = error
  for (let depth = 0; cause instanceof Error && depth < CAUSES_MAX; depth++) {
    const code = codeOf(cause)
    if (code !== undefined && CODES.includes(code)) return true
    if (code === 'LEVEL_IO_ERROR' && TEXTS.test(cause.message)) return true
    cause = cause.cause
  }
  return false
}

/** What a store needs to be opened again: its log becomes a table, then the write buffer fills twice. */
export function roomNeeded(writeBufferBytes: number): number {
  return 2 * writeBufferBytes + 1_048_576
}

/** Of a small file system; it must not wait for more than it can ever have. */
const SHARE_OF_DISK = 20
const PROBE_NAME = 'room.probe'
/** Shows what `statfs` does not know of: quotas. */
const PROBE_BYTES = 65_536

/**
 * Is there room for so many bytes in the folder's file system (or for a twentieth of it)?
 *
 * Errors: those of fs but a full disk's, which are the answer.
 */
export async function hasRoom(folder: string, bytes: number): Promise<boolean> {
  const path = join(folder, PROBE_NAME)
  try {
    await mkdir(folder, { recursive: true })
    const { bavail, blocks, bsize } = await statfs(folder)
    if (bavail * bsize < Math.min(bytes, (blocks * bsize) / SHARE_OF_DISK)) return false
    const file = await open(path, 'w')
    try {
      await file.write(Buffer.alloc(PROBE_BYTES, 1))
      await file.sync()
    } finally {
      await file.close()
    }
    return true
  } catch (error) {
    if (isDiskFull(error)) return false
    throw error
  } finally {
    await rm(path, { force: true })
  }
}
