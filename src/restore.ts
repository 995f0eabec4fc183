/**
 * `restoreCluster`: from a backup to a new cluster, with any number of nodes.
 *
 * The stores are filled before anybody opens them, in a location whose metadata say `restoring`: after an interruption nobody opens it, and
 * what lies there is thrown away by the next restore into it. Then it is an ordinary cluster that was closed in order, and is
 * opened as one.
 */

import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createPool } from '../actors/pool.js'
import { openCluster } from './cluster.js'
import { type Prepared, prepare } from './opening/prepare.js'
import { watchBulk } from './opening/watch-bulk.js'
import type { NodeId } from './protocol/ids.js'
import { partitionsShort } from './protocol/supervision/cut-core.js'
import type { Cluster } from './shared/api.js'
import type { RestoreOptions } from './shared/backup-shapes.js'
import { CoterieError } from './shared/errors.js'
import { type ClusterConfig, type ClusterOptions, invalid, validateOptions } from './shared/options.js'
import { type BackedUpDatabase, type BackupManifest, readManifest } from './storage/backup-manifest.js'
import { nodeFolders } from './storage/layout.js'
import type { RestoredStore } from './storage/restore-stores.js'

/**
 * Makes a cluster of a backup in a new location, and opens it.
 *
 * Shape:  `nodes`, `replication` and everything else as for `openCluster`; by default as many nodes and copies as there were.
 * Errors: BACKUP_INCOMPLETE, BACKUP_DAMAGED, BACKUP_MISMATCH, LOCATION_NOT_EMPTY; those of `openCluster`.
 */
export async function restoreCluster(dir: string, options: RestoreOptions): Promise<Cluster> {
  if (typeof dir !== 'string' || dir === '') throw invalid('dir', dir, 'the path of a folder')
  if (typeof options !== 'object' || options === null) throw invalid('options', options, 'an object with a `location`')
  const { onProgress = () => undefined, without = [], ...given } = options
  if (typeof onProgress !== 'function') throw invalid('onProgress', onProgress, 'a function')
  const asked = validateOptions(given)
  const from = resolve(dir)
  const manifest = await readManifest(from)
  const databases = chosenDatabases(manifest, without)
  const settled = settledOptions(manifest, given, asked)
  const config = validateOptions(settled)
  const prepared = await prepare(config, { restores: true })
  try {
    const stores = await fill(prepared, { from, manifest, databases, onProgress })
    await finish(prepared, manifest, stores)
  } catch (error) {
    for (const { id } of prepared.metadata.nodes)
      await rm(nodeFolders(prepared.config.location, id).folder, { recursive: true, force: true })
    if (error instanceof CoterieError) throw error
    const { location } = prepared.config
    throw new CoterieError(
      'OPEN_FAILED',
      `${from} could not be restored into ${location}`,
      { location },
      { cause: error },
    )
  } finally {
    await prepared.lock.release()
  }
  return openCluster(settled)
}

/** Errors: INVALID_OPTION, BACKUP_DAMAGED if the others are not enough. */
function chosenDatabases(manifest: BackupManifest, without: readonly NodeId[]): readonly BackedUpDatabase[] {
  const { databases, cut, ownersNeeded } = manifest
  const names = databases.map(({ node }) => node)
  if (!Array.isArray(without) || without.some((node) => !names.includes(node)))
    throw invalid('without', without, `an array of ${names.join(', ')}`)
  const chosen = databases.filter(({ node }) => !without.includes(node))
  const short = partitionsShort(cut.table, ownersNeeded, chosen)
  if (short.length === 0) return chosen
  const message = `without ${without.join(', ')} too few copies of ${short.length} partitions are left to be sure of every acknowledged write`
  throw new CoterieError('BACKUP_DAMAGED', message, { without, partitions: short })
}

/** What is fixed comes from the backup; the rest from it where nothing was said. Errors: BACKUP_MISMATCH. */
function settledOptions(manifest: BackupManifest, given: ClusterOptions, asked: ClusterConfig): ClusterOptions {
  for (const option of ['partitions', 'conflict'] as const) {
    if (!asked.said.has(option) || asked[option] === manifest[option]) continue
    const facts = { option, asked: asked[option], was: manifest[option] }
    const message = `\`${option}\` is ${facts.asked}, but the backup is of a cluster with ${facts.was}`
    throw new CoterieError('BACKUP_MISMATCH', message, facts)
  }
  const { partitions, conflict } = manifest
  const nodes = asked.said.has('nodes') ? asked.nodes : manifest.nodes
  const n = asked.said.has('n') ? asked.n : manifest.n === 'all' ? manifest.n : Math.min(manifest.n, nodes)
  return { ...given, partitions, conflict, nodes, replication: { ...given.replication, n } }
}

interface Source {
  readonly from: string
  readonly manifest: BackupManifest
  readonly databases: readonly BackedUpDatabase[]
  readonly onProgress: NonNullable<RestoreOptions['onProgress']>
}

/** Errors: BACKUP_DAMAGED, PoolError. */
async function fill(
  { config, metadata, table }: Prepared,
  { from, manifest, databases, onProgress }: Source,
): Promise<readonly RestoredStore[]> {
  const pool = createPool({ maxThreads: 1, verifyTaskUrl: config.workers.verify })
  // Each byte twice: see `RestoreProgress`.
  const bytesTotal = 2 * databases.reduce((sum, { bytes }) => sum + bytes, 0)
  const watch = watchBulk('restoring', bytesTotal, onProgress)
  try {
    const plan = {
      dir: from,
      databases,
      cutTable: manifest.cut.table,
      location: config.location,
      table,
      nodes: metadata.nodes.map(({ id }) => id),
      writeBufferBytes: config.writeBufferBytes,
    }
    const { stores, problem } = await pool.restoreBackup({ plan, progress: watch.cells })
    if (problem !== undefined) throw damaged(from, manifest, databases, problem)
    return stores
  } finally {
    watch.end()
    await pool.close()
  }
}

/** With what could be done about it. */
function damaged(
  dir: string,
  { cut, ownersNeeded }: BackupManifest,
  databases: readonly BackedUpDatabase[],
  { node, detail }: { node: NodeId; detail: string },
): CoterieError {
  const others = databases.filter((database) => database.node !== node)
  const short = partitionsShort(cut.table, ownersNeeded, others)
  const advice =
    short.length === 0
      ? `the other databases are enough: restore without ${node}`
      : `it is needed: without it too few copies of ${short.length} partitions are left`
  const { folder } = databases.find((database) => database.node === node) ?? { folder: node }
  const facts = { dir, node, detail, othersAreEnough: short.length === 0, partitions: short }
  return new CoterieError('BACKUP_DAMAGED', `${folder} of ${dir} is damaged: ${detail}; ${advice}`, facts)
}

/** From here on it is a cluster. */
async function finish(
  { folder, metadata }: Prepared,
  { cut }: BackupManifest,
  stores: readonly RestoredStore[],
): Promise<void> {
  await folder.writeClock(BigInt(cut.clockNs))
  const nodes = stores.map(({ node, storeId, sequence }) => ({
    id: node,
    status: 'member' as const,
    storeId,
    closed: { storeId, sequence },
  }))
  await folder.writeMetadata({ ...metadata, stage: 'ready', cleanShutdown: true, nodes })
}
