/**
 * A backup of a cluster that serves: one consistent cut, then one database a node, one after the other, written by a pool thread from
 * the snapshot that the node's thread reads; the manifest last.
 *
 * A node that dies before its snapshot is copied takes the snapshot with it; its database is left out, if the others are enough.
 * Called by `ClusterBackup`.
 */

import { randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { MessageChannel } from 'node:worker_threads'
import type { NodeId } from '../src/protocol/ids.js'
import { type PartitionTable, standbysOf } from '../src/protocol/ring/table.js'
import { type LeftOut, partitionsShort } from '../src/protocol/supervision/cut-core.js'
import {
  BACKUP_FORMAT,
  type BackedUpDatabase,
  type BackupManifest,
  databaseFolderOf,
  writeManifest,
} from '../src/storage/backup-manifest.js'
import { syncFolder } from '../src/storage/sync-folder.js'
import { type Cut, NoCut, releaseCut, takeCut } from './backup-cut.js'
import { ControlError } from './control.js'
import type { BulkPool } from './pool.js'
import { nowMs, type StampClock } from './runtime/clock.js'
import type { NodeThread } from './runtime/node-thread.js'
import type { SupervisorActor } from './supervisor.actor.js'

const STREAM_TIMEOUT_MS = 10_000
const LOOK_MS = 100
const COMING_BACK_MS = 3_000
/** Bytes and records. */
const PROGRESS_CELLS_BYTES = 16

export interface BackupRun {
  readonly dir: string
  readonly supervisor: SupervisorActor
  readonly clock: StampClock
  readonly pool: BulkPool
  /** Full owners of each partition that hold every acknowledged write between them. */
  readonly ownersNeeded: (table: PartitionTable) => number
  readonly freezeTimeoutMs: number
  readonly onProgress: (progress: CopyProgress) => void
}

export interface CopyProgress {
  readonly node: NodeId
  readonly databases: number
  readonly databasesDone: number
  /** Of all databases so far. */
  readonly records: number
  readonly bytes: number
  /** Live keys of all stores of the cut, about as many records as there will be. */
  readonly recordsExpected: number
}

/** Errors: NoCut, PoolError, those of fs; then there is no manifest. */
export async function writeBackup(run: BackupRun): Promise<{ manifest: BackupManifest; frozenMs: number }> {
  await comingBack(run.supervisor)
  const cut = await takeCut({ ...run, token: randomUUID() })
  const databases: BackedUpDatabase[] = []
  const leftOut = [...cut.leftOut]
  try {
    const copies = new Copies(run, cut)
    for (const [node, thread] of cut.threads) {
      const copied = await copies.copy(node, thread)
      if ('lost' in copied) leftOut.push({ node, reason: copied.lost })
      else databases.push(copied.database)
      const stillThere = [...cut.threads.keys()].filter((id) => !leftOut.some((one) => one.node === id))
      checkEnough(run, cut, leftOut, stillThere, databases)
    }
  } finally {
    await releaseCut(cut.threads, cut.token)
  }
  const manifest = manifestOf(run, cut, databases, leftOut)
  syncFolder(run.dir)
  await writeManifest(run.dir, manifest)
  return { manifest, frozenMs: cut.frozenMs }
}

/** Who starts is waited for, not for long: the more copies the better, and a moment after a crash they may be too few. */
async function comingBack(supervisor: SupervisorActor): Promise<void> {
  const endMs = nowMs() + COMING_BACK_MS
  const isComing = ({ phase }: { phase: string }) => phase === 'waiting' || phase === 'opening' || phase === 'booting'
  while (nowMs() < endMs && supervisor.nodes().some(isComing)) await delay(LOOK_MS)
}

/** As soon as it is known that it cannot become whole. Errors: NoCut. */
function checkEnough(
  { ownersNeeded }: BackupRun,
  { table }: Cut,
  leftOut: readonly LeftOut[],
  nodes: readonly NodeId[],
  databases: readonly BackedUpDatabase[],
): void {
  const found = nodes.map((node) => ({
    node,
    partitionsDamaged: databases.find((database) => database.node === node)?.partitionsDamaged ?? [],
  }))
  const short = partitionsShort(table, ownersNeeded(table), found)
  if (short.length === 0) return
  const damaged = found.flatMap(({ node, partitionsDamaged }) =>
    partitionsDamaged.length === 0
      ? []
      : [{ node, reason: `records of ${partitionsDamaged.length} partitions are damaged` }],
  )
  throw new NoCut(short, [...leftOut, ...damaged])
}

class Copies {
  readonly #run: BackupRun
  readonly #cut: Cut
  readonly #recordsExpected: number
  #databasesDone = 0
  #records = 0
  #bytes = 0

  constructor(run: BackupRun, cut: Cut) {
    this.#run = run
    this.#cut = cut
    const keys = [...cut.threads.keys()].map((node) => run.supervisor.factsOf(node)?.gauges.get('keys') ?? 0)
    this.#recordsExpected = keys.reduce((sum, count) => sum + count, 0)
  }

  async copy(node: NodeId, thread: NodeThread): Promise<{ database: BackedUpDatabase } | { lost: string }> {
    const { dir, pool } = this.#run
    const folder = databaseFolderOf(node)
    const { port1, port2 } = new MessageChannel()
    try {
      await thread.control.stream(this.#cut.token, port1, STREAM_TIMEOUT_MS)
    } catch (error) {
      if (!(error instanceof ControlError)) throw error
      port2.close()
      return { lost: error.message }
    }
    const progress = new SharedArrayBuffer(PROGRESS_CELLS_BYTES)
    const partitions = this.#cut.table.rows.length
    this.#tell(node, progress)
    const timer = setInterval(() => this.#tell(node, progress), LOOK_MS)
    const isGone = new SharedArrayBuffer(4)
    void thread.ended.then(() => Atomics.store(new Int32Array(isGone), 0, 1))
    try {
      const report = await pool.writeBackup({ folder: join(dir, folder), port: port2, partitions, progress, isGone })
      if ('lost' in report) {
        await rm(join(dir, folder), { recursive: true, force: true })
        return { lost: report.lost }
      }
      this.#databasesDone++
      this.#records += report.database.records
      this.#bytes += report.database.bytes
      this.#tell(node, undefined)
      return { database: { node, folder, ...report.database } }
    } finally {
      clearInterval(timer)
      // If no thread has taken it.
      port2.close()
    }
  }

  #tell(node: NodeId, cells: SharedArrayBuffer | undefined): void {
    const [bytes = 0, records = 0] = cells === undefined ? [] : new Float64Array(cells)
    this.#run.onProgress({
      node,
      databases: this.#cut.threads.size,
      databasesDone: this.#databasesDone,
      records: this.#records + records,
      bytes: this.#bytes + bytes,
      recordsExpected: this.#recordsExpected,
    })
  }
}

function manifestOf(
  { supervisor, ownersNeeded }: BackupRun,
  { at, clockNs, table }: Cut,
  databases: readonly BackedUpDatabase[],
  leftOut: readonly LeftOut[],
): BackupManifest {
  const { clusterId, partitions, n, conflict, nodes } = supervisor.metadata
  const standbys = standbysOf(table)
  return {
    formatVersion: BACKUP_FORMAT,
    clusterId,
    partitions,
    n,
    conflict,
    nodes: nodes.filter(({ id, status }) => status !== 'removed' && !standbys.includes(id)).length,
    ownersNeeded: ownersNeeded(table),
    cut: { at: at.toISOString(), clockNs: clockNs.toString(), table },
    databases,
    leftOut,
  }
}
