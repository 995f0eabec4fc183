/**
 * Who has a location open: a small file beside the lock, so that whoever is refused can be told. It decides nothing: the lock
 * does, and the file is believed only by those whom the lock has just refused.
 *
 * A holder that died has left its file, and the next one writes its own a moment after it has the lock. So a file whose process
 * is gone is read again, a few times.
 *
 * Called by `cluster-lock.ts`.
 */

import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { codeOf } from './store-error.js'

export interface LockHolder {
  readonly pid: number
  /** ISO 8601. */
  readonly since: string
  /** `coterie start`, `server`: the program and, where it has one, its subcommand. What follows may be secret. */
  readonly command: string
}

const READS_MAX = 10
const READ_AGAIN_MS = 20

/** Resolves without it where the disk has no room: the location is locked all the same. */
export async function writeHolder(folder: string): Promise<void> {
  const holder: LockHolder = { pid: process.pid, since: new Date().toISOString(), command: ownCommand() }
  const temporary = join(folder, 'holder.tmp')
  try {
    await writeFile(temporary, `${JSON.stringify(holder)}\n`, { mode: 0o600 })
    await rename(temporary, fileOf(folder))
  } catch (error) {
    if (codeOf(error) === undefined) throw error
    await removeHolder(folder)
  }
}

/** While the lock is still held. */
export async function removeHolder(folder: string): Promise<void> {
  // What cannot be removed names a process that will be gone.
  await rm(fileOf(folder), { force: true }).catch((error: unknown) => {
    if (codeOf(error) === undefined) throw error
  })
}

/** For one whom the lock has refused. `isOwn`: this process holds it. Undefined if the holder has not said. */
export async function readHolder(folder: string, isOwn: boolean): Promise<LockHolder | undefined> {
  for (let reads = 0; reads < READS_MAX; reads++) {
    if (reads > 0) await delay(READ_AGAIN_MS)
    const holder = await readOnce(folder)
    if (holder !== undefined && (isOwn ? holder.pid === process.pid : isAlive(holder.pid))) return holder
  }
  return undefined
}

async function readOnce(folder: string): Promise<LockHolder | undefined> {
  try {
    const { pid, since, command } = JSON.parse(await readFile(fileOf(folder), 'utf8')) as Partial<LockHolder>
    if (!Number.isSafeInteger(pid) || typeof since !== 'string' || typeof command !== 'string') return undefined
    return { pid: pid as number, since, command }
  } catch (error) {
    if (error instanceof SyntaxError || codeOf(error) !== undefined) return undefined
    throw error
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // Somebody else's process.
    return codeOf(error) === 'EPERM'
  }
}

function fileOf(folder: string): string {
  return join(folder, 'holder.json')
}

function ownCommand(): string {
  const [, entry, word] = process.argv
  if (entry === undefined) return 'node'
  const program = basename(entry).replace(/\.[cm]?[jt]s$/, '')
  return word !== undefined && /^[a-z][a-z-]*$/.test(word) ? `${program} ${word}` : program
}
