/**
 * `verifyFolder`: a backup, or the folder of a closed cluster, end to end: every file, every block, every record, and what they must be
 * to each other. Changes nothing in a backup; of a cluster's folder it takes the lock, as an opener does.
 */

import { existsSync, readdirSync, statSync } from 'node:fs'
import { realpath } from 'node:fs/promises'
import { join } from 'node:path'
import { createPool } from '../actors/pool.js'
import { watchBulk } from './opening/watch-bulk.js'
import { partitionsShort } from './protocol/supervision/cut-core.js'
import type { BulkProgress, Verification } from './shared/backup-shapes.js'
import { checkNames, invalid, type WorkerPaths } from './shared/options.js'
import { type BackupManifest, readManifest } from './storage/backup-manifest.js'
import { ClusterFolder, type ClusterState, type NodeEntry } from './storage/cluster-folder.js'
import { lockLocation } from './storage/cluster-lock.js'
import { clusterFolderOf, nodeFolders } from './storage/layout.js'
import type { StoresToVerify, StoresVerified, StoreToVerify } from './storage/verify-stores.js'

/**
 * Verifies a backup, or the folder of a closed cluster: every file, every block, every record. Changes nothing in a store.
 *
 * Shape:  what is wrong is in what it resolves with (`problems`), not an error.
 * Errors: INVALID_OPTION; of a backup BACKUP_INCOMPLETE, BACKUP_DAMAGED (its manifest), BACKUP_MISMATCH; of a cluster LOCATION_LOCKED,
 *         LOCATION_DAMAGED, LOCATION_MISMATCH. Any other damage is in what it resolves with.
 */
export async function verifyFolder(
  dir: string,
  options: { onProgress?: (progress: BulkProgress) => void; workers?: WorkerPaths } = {},
): Promise<Verification> {
  if (typeof dir !== 'string' || dir === '') throw invalid('dir', dir, 'the path of a folder')
  checkNames(options, ['onProgress', 'workers'])
  const onProgress = options.onProgress ?? (() => undefined)
  if (typeof onProgress !== 'function') throw invalid('onProgress', onProgress, 'a function')
  // Nothing may be made in a folder that is neither.
  const isCluster = existsSync(join(clusterFolderOf(dir), 'metadata.json'))
  const how = { onProgress, workers: options.workers }
  return isCluster ? verifyCluster(await realpath(dir), how) : verifyBackup(dir, how)
}

interface How {
  readonly onProgress: (progress: BulkProgress) => void
  readonly workers: WorkerPaths | undefined
}

async function verifyBackup(dir: string, how: How): Promise<Verification> {
  const manifest = await readManifest(dir)
  const { databases, partitions, cut, ownersNeeded } = manifest
  const stores = databases.map(({ node, folder, files, ...contents }) => ({
    node,
    folder: join(dir, folder),
    written: { contents, files },
  }))
  const { stores: parts } = await verify({ stores, partitions, table: undefined }, how)
  const good = databases.filter(({ node }) => parts.find((part) => part.node === node)?.problems.length === 0)
  const short = partitionsShort(cut.table, ownersNeeded, good)
  const problems = short.length === 0 ? [] : [`too few whole copies of ${short.length} partitions are left`]
  return resultOf('backup', dir, { parts, problems, notes: notesOf(manifest) })
}

function notesOf({ cut, leftOut }: BackupManifest): string[] {
  return [`the cut was at ${cut.at}`, ...leftOut.map(({ node, reason }) => `${node} was left out: ${reason}`)]
}

async function verifyCluster(location: string, how: How): Promise<Verification> {
  const lock = await lockLocation(location)
  try {
    const { state } = await ClusterFolder.open(location)
    const { problems, notes } = verifyState(state)
    const metadata = state.metadata?.value
    if (metadata?.stage === 'restoring') {
      const unfinished = 'a restore into it did not come to its end: restore into it again, or delete it'
      return resultOf('cluster', location, { parts: [], problems: [unfinished], notes })
    }
    if (metadata === undefined || metadata.stage === 'creating')
      return resultOf('cluster', location, { parts: [], problems, notes: [...notes, 'it was never opened to its end'] })
    const { table } = state
    const rows = typeof table === 'object' && table.source === 'newest' ? table.value : undefined
    const stores = metadata.nodes.flatMap((entry) => storeOf(location, entry, notes))
    const verified = await verify({ stores, partitions: metadata.partitions, table: rows }, how)
    const hints = verified.stores.reduce((sum, part) => sum + part.hints, 0)
    if (verified.keysDiffering > 0) {
      const example = JSON.stringify(verified.exampleKey)
      const text = `replicas of ${verified.keysDiffering} keys differ, of ${example} for one`
      // Else somebody is owed something still.
      if (metadata.cleanShutdown && hints === 0) problems.push(text)
      else notes.push(`${text}; they are compared when it is opened`)
    }
    if (hints > 0) notes.push(`${hints} hints wait for nodes that were away`)
    return resultOf('cluster', location, { parts: verified.stores, problems, notes })
  } finally {
    await lock.release()
  }
}

function verifyState({ metadata, table, clockCeilingNs }: ClusterState): { problems: string[]; notes: string[] } {
  const problems: string[] = []
  const notes: string[] = []
  for (const [file, found] of Object.entries({ metadata, table, clock: clockCeilingNs })) {
    if (found === 'damaged') problems.push(`cluster/${file}.json is damaged, and so is its spare`)
    else if (found?.source === 'previous') problems.push(`cluster/${file}.json is damaged; its spare is good`)
    else if (found === undefined) problems.push(`cluster/${file}.json is missing`)
  }
  if (metadata?.value.cleanShutdown === false) notes.push('it was not closed in order, or somebody was owed something')
  return { problems, notes }
}

function storeOf(location: string, { id, status, storeId, closed }: NodeEntry, notes: string[]): StoreToVerify[] {
  if (status === 'removed' || (status === 'joining' && storeId === undefined)) return []
  if (status === 'down') {
    notes.push(`${id} is down for good; its store is not verified`)
    return []
  }
  const { store, witness } = nodeFolders(location, id)
  const sequence = closed?.storeId === storeId ? closed?.sequence : undefined
  return [{ node: id, folder: store, expected: { witness, storeId, sequence } }]
}

/** Errors: PoolError. */
async function verify(work: StoresToVerify, { onProgress, workers }: How): Promise<StoresVerified> {
  const pool = createPool({ maxThreads: 1, verifyTaskUrl: workers?.verify })
  const watch = watchBulk('verifying', bytesOf(work), onProgress)
  try {
    return await pool.verifyStores({ work, progress: watch.cells })
  } finally {
    watch.end()
    await pool.close()
  }
}

/** Of a backup it is known; of stores their files tell more or less. */
function bytesOf({ stores }: StoresToVerify): number {
  return stores.reduce((sum, { folder, written }) => sum + (written?.contents.bytes ?? folderBytes(folder)), 0)
}

function folderBytes(folder: string): number {
  if (!existsSync(folder)) return 0
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)
}

function resultOf(
  kind: Verification['kind'],
  dir: string,
  { parts, problems, notes }: Pick<Verification, 'parts' | 'problems' | 'notes'>,
): Verification {
  const ok = problems.length === 0 && parts.every((part) => part.problems.length === 0)
  return { kind, dir, ok, parts, problems, notes }
}
