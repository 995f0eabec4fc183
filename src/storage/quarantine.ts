/**
 * Sets a store aside that may not be believed, instead of deleting it: an operator, or a salvage, may want it. The newest
 * three are kept.
 *
 * Called when a node opens, with the store closed. It must never touch a store that somebody has open.
 */

import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { codeOf } from './store-error.js'
import { syncFolder } from './sync-folder.js'

/** Stores kept in one node's quarantine. */
export const QUARANTINE_MAX = 3

/**
 * Moves the folder to `<quarantine>/<ISO time>-<reason>`.
 *
 * Shape:  the new path; undefined if there was no folder.
 * Errors: those of fs.
 */
export async function quarantineStore(options: {
  readonly store: string
  readonly quarantine: string
  /** One of the opening's reasons: letters and dashes. */
  readonly reason: string
  readonly wallMs: number
}): Promise<string | undefined> {
  const { store, quarantine, reason } = options
  await mkdir(quarantine, { recursive: true })
  // Colons are not allowed on Windows.
  const time = new Date(options.wallMs).toISOString().replaceAll(':', '-')
  const to = await freeName(join(quarantine, `${time}-${reason}`))
  try {
    await rename(store, to)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
  syncFolder(quarantine)
  syncFolder(dirname(store))
  const names = await listQuarantine(quarantine)
  for (const name of names.slice(QUARANTINE_MAX)) await rm(join(quarantine, name), { recursive: true, force: true })
  return to
}

/** The names in a quarantine, newest first; none if there is no such folder. Errors: those of fs. */
export async function listQuarantine(quarantine: string): Promise<string[]> {
  try {
    return (await readdir(quarantine)).sort().reverse()
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

/** Two in one millisecond get different names, in order. */
async function freeName(path: string): Promise<string> {
  const taken = new Set(await listQuarantine(dirname(path)))
  const name = path.slice(dirname(path).length + 1)
  if (!taken.has(name)) return path
  for (let count = 2; ; count++) if (!taken.has(`${name}-${count}`)) return `${path}-${count}`
}
