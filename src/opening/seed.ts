/**
 * Stores of new nodes, made of a backup of this very cluster: a node that joins with one is sent only what has changed since.
 *
 * They are filled in a folder of their own and moved to their places when they are whole; what an interrupted seed left is thrown
 * away by the next opening. A seed is never believed: the node compares what it holds with n − w + 1 owners before it counts, as
 * one does that was a standby. All its stamps and dots were given by this cluster before, so that nothing in it wins over what
 * came later.
 *
 * Called by `ClusterShape`, and by the next opening.
 */

import { randomUUID } from 'node:crypto'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { type BulkPool, createPool } from '../../actors/pool.js'
import type { NodeSeeds } from '../../actors/runtime/member-changes.js'
import type { NodeId } from '../protocol/ids.js'
import type { PartitionTable } from '../protocol/ring/table.js'
import { CoterieError } from '../shared/errors.js'
import type { WorkerPaths } from '../shared/options.js'
import { type BackupManifest, FREEZE_TIMEOUT_MS_MAX, readManifest } from '../storage/backup-manifest.js'
import { nodeFolders } from '../storage/layout.js'
import { syncFolder } from '../storage/sync-folder.js'

/** Bytes and records, as numbers of eight bytes; nobody looks at them. */
const PROGRESS_BYTES = 16
const FREEZE_NS_MAX = BigInt(FREEZE_TIMEOUT_MS_MAX) * 1_000_000n
const SEED_FOLDER = /^seed-[0-9a-f-]{36}$/

/** What a backup is held against. */
export interface SeedTarget {
  readonly clusterId: string
  readonly partitions: number
  /** The cluster's clock. */
  readonly clockNs: bigint
  /** Tombstones that every copy held by then may have been reaped. */
  readonly reapedNs: bigint
}

/**
 * May stores be made of it? Only of this cluster's own: stamps of another say nothing here. Not of a time by which it may lack
 * tombstones that nobody has any more: a key that was deleted since would come back with the seed.
 * Errors: BACKUP_MISMATCH.
 */
export function checkSeed(
  dir: string,
  manifest: Pick<BackupManifest, 'clusterId' | 'partitions' | 'cut'>,
  target: SeedTarget,
): void {
  const refuse = (why: string) => new CoterieError('BACKUP_MISMATCH', `${dir} cannot seed a node: ${why}`, { dir })
  const { clusterId, partitions, cut } = manifest
  if (clusterId !== target.clusterId || partitions !== target.partitions) throw refuse('it is of another cluster')
  const cutNs = BigInt(cut.clockNs)
  if (cutNs > target.clockNs) throw refuse('it is of a later time than this cluster')
  // The clock was read when the snapshots had been taken.
  if (cutNs - FREEZE_NS_MAX < target.reapedNs)
    throw refuse('tombstones have been reaped since it was made; make a new backup')
}

export class Seeds {
  readonly #location: string
  readonly #writeBufferBytes: number
  readonly #workers: WorkerPaths
  readonly #pools = new Set<BulkPool>()

  constructor(options: { location: string; writeBufferBytes: number; workers: WorkerPaths }) {
    this.#location = options.location
    this.#writeBufferBytes = options.writeBufferBytes
    this.#workers = options.workers
  }

  /**
   * Makes the stores of these nodes and gives them to `use`, which has them moved to their places once it has noted whose they are: a
   * store that nobody knows of might be taken for a new node's much later.
   * Errors: BACKUP_INCOMPLETE, BACKUP_DAMAGED, BACKUP_MISMATCH; PoolError, those of fs and of `use`.
   */
  async make(
    given: string,
    nodes: readonly NodeId[],
    target: () => SeedTarget,
    use: (seeds: NodeSeeds) => Promise<void>,
  ): Promise<void> {
    const dir = resolve(given)
    const manifest = await readManifest(dir)
    checkSeed(dir, manifest, target())
    const folder = join(this.#location, `seed-${randomUUID()}`)
    const pool = createPool({ maxThreads: 1, verifyTaskUrl: this.#workers.verify })
    this.#pools.add(pool)
    try {
      await mkdir(folder)
      const plan = {
        dir,
        databases: manifest.databases,
        cutTable: manifest.cut.table,
        location: folder,
        table: everythingOf(nodes, manifest.partitions),
        nodes,
        writeBufferBytes: this.#writeBufferBytes,
      }
      const { stores, problem } = await pool.restoreBackup({ plan, progress: new SharedArrayBuffer(PROGRESS_BYTES) })
      if (problem !== undefined) {
        const message = `the database of ${problem.node} in ${dir} is damaged: ${problem.detail}`
        throw new CoterieError('BACKUP_DAMAGED', message, { dir, ...problem })
      }
      // That took a while, and tombstones were reaped meanwhile.
      checkSeed(dir, manifest, target())
      await use({ stores, place: () => this.#place(folder, nodes) })
    } finally {
      this.#pools.delete(pool)
      await pool.close()
      await rm(folder, { recursive: true, force: true })
    }
  }

  async #place(folder: string, nodes: readonly NodeId[]): Promise<void> {
    for (const node of nodes) await rename(nodeFolders(folder, node).folder, nodeFolders(this.#location, node).folder)
    syncFolder(this.#location)
  }

  /** What is being made ends as a failure. */
  async stop(): Promise<void> {
    await Promise.all([...this.#pools].map((pool) => pool.close()))
  }
}

/** What an interrupted seed left. */
export async function clearSeeds(location: string): Promise<void> {
  for (const name of await readdir(location))
    if (SEED_FOLDER.test(name)) await rm(join(location, name), { recursive: true, force: true })
}

/** They are to hold everything, as standbys do. */
function everythingOf(nodes: readonly NodeId[], partitions: number): PartitionTable {
  const row = { epoch: 1, owners: [], pending: [], standbys: nodes, lost: false }
  return { epoch: 1, n: 0, rows: Array.from({ length: partitions }, () => row) }
}
