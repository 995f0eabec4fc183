/**
 * From a node's folder to a store that may be used, whatever is found there: a store that may have forgotten something is
 * set aside and a fresh one started in its place.
 *
 * Called by the node's thread with the verdict of the file verification. The caller tells the supervisor the report: a
 * `'amnesiac'` node counts toward no quorum until it has been filled. The fresh store does not remember that it is one that must
 * be filled; the cluster's metadata does, by its store id (`NodeEntry.storeId`), which must be written before the node is
 * a full owner of anything.
 */

import { mkdirSync } from 'node:fs'
import type { NodeId } from '../protocol/ids.js'
import { isDiskFull, newDiskFullError } from './disk-room.js'
import { type NodeFolders, nodeFolders } from './layout.js'
import { type LevelStore, type LevelStoreOptions, type OpenReport, openLevelStore } from './level-store.js'
import type { OpenReason } from './open-verdict.js'
import { markOpening, unmarkOpening } from './opening-marker.js'
import { quarantineStore } from './quarantine.js'
import { StoreError } from './store-error.js'

export interface NodeStoreOptions extends Omit<LevelStoreOptions, 'folder' | 'witnessFile'> {
  readonly location: string
  readonly node: NodeId
}

/** As the store's report; of an amnesiac one, `storeId` and `sequence` are the fresh store's. */
export interface NodeStoreReport extends Omit<OpenReport, 'reason'> {
  readonly reason: OpenReason | 'open-failed'
  readonly quarantinedTo?: string
}

/** Errors: StoreError STORE_LOCKED; STORE_FULL; STORE_OPEN_FAILED if even a fresh store does not open; those of fs. */
export async function openNodeStore(
  options: NodeStoreOptions,
): Promise<{ store: LevelStore; report: NodeStoreReport }> {
  const { folder } = nodeFolders(options.location, options.node)
  try {
    if (options.isFilled?.() === true) throw newDiskFullError()
    mkdirSync(folder, { recursive: true })
    markOpening(folder)
    const opened = await openOrReplace(options)
    unmarkOpening(folder)
    return opened
  } catch (cause) {
    unmarkOpening(folder)
    if (!isDiskFull(cause)) throw cause
    throw new StoreError('STORE_FULL', `no room to open the store of ${options.node}`, { cause })
  }
}

async function openOrReplace(options: NodeStoreOptions): Promise<{ store: LevelStore; report: NodeStoreReport }> {
  const startedMs = performance.now()
  const folders = nodeFolders(options.location, options.node)
  const storeOptions = { ...options, folder: folders.store, witnessFile: folders.witness }
  const opened = options.files === 'damaged' ? 'files-damaged' : await openOrReason(storeOptions)
  if (typeof opened === 'object' && opened.report.verdict !== 'amnesiac') return opened

  const found = typeof opened === 'object' ? opened.report : undefined
  const reason = typeof opened === 'object' ? opened.report.reason : opened
  if (typeof opened === 'object') await opened.store.close()
  // An empty one is not worth keeping: it would push out one that somebody may want.
  const quarantinedTo =
    found?.isEmpty === true ? undefined : await setAside(folders, reason, options.wallMs ?? Date.now)
  const { expectedStoreId: _, ...rest } = storeOptions
  const { store, report } = await openLevelStore({ ...rest, files: 'absent', expected: 'fresh' })
  // Where nobody expected anything, nothing was forgotten.
  const verdict = options.expected === 'fresh' ? 'fresh' : 'amnesiac'
  const witness = found?.witness ?? report.witness
  const openMs = performance.now() - startedMs
  const facts = quarantinedTo === undefined ? {} : { quarantinedTo }
  return { store, report: { ...report, verdict, reason, witness, openMs, ...facts } }
}

function setAside(folders: NodeFolders, reason: string, wallMs: () => number): Promise<string | undefined> {
  const { store, quarantine } = folders
  return quarantineStore({ store, quarantine, reason, wallMs: wallMs() })
}

/** LevelDB refuses to open what it finds too damaged. */
async function openOrReason(
  options: LevelStoreOptions,
): Promise<Awaited<ReturnType<typeof openLevelStore>> | 'open-failed'> {
  try {
    return await openLevelStore(options)
  } catch (error) {
    if (error instanceof StoreError && error.code === 'STORE_OPEN_FAILED' && isDamage(error)) return 'open-failed'
    throw error
  }
}

/** A shortage of means (files, memory, rights) says nothing about the store. */
function isDamage(error: StoreError): boolean {
  return error.facts.code === 'LEVEL_CORRUPTION'
}
