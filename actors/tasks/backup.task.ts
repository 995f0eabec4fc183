/**
 * Pool tasks over whole stores: writes one database of a backup, fills the stores of a restored cluster, verifies stores at rest.
 * Called through `actors/pool.ts` only, by way of `verify.task.ts`, which is the file that the pool knows.
 */

import { once } from 'node:events'
import type { MessagePort } from 'node:worker_threads'
import { writeBackupDatabase } from '../../src/storage/backup-database.js'
import type { BackedUpDatabase } from '../../src/storage/backup-manifest.js'
import { type RestorePlan, type RestoreReport, restoreStores } from '../../src/storage/restore-stores.js'
import { type StoresToVerify, type StoresVerified, verifyStores } from '../../src/storage/verify-stores.js'
import type { FromSource, ToSource } from '../runtime/cut-protocol.js'

/** How far a task is: two numbers in shared memory, bytes and records, for whoever wants to look. */
export type ProgressCells = SharedArrayBuffer

export interface BackupTask {
  readonly folder: string
  /** To the thread of the node. */
  readonly port: MessagePort
  readonly partitions: number
  readonly progress: ProgressCells
  /** An Int32: not 0 once the node's thread is gone. A port whose other end goes while it is on its way never says so. */
  readonly isGone: SharedArrayBuffer
}

/** `lost`: the node is gone, or could not read its store. */
export type BackupReport = { readonly database: Omit<BackedUpDatabase, 'node' | 'folder'> } | { readonly lost: string }

export interface RestoreTask {
  readonly plan: RestorePlan
  readonly progress: ProgressCells
}

export interface VerifyStoresTask {
  readonly work: StoresToVerify
  readonly progress: ProgressCells
}

/** How often it is looked whether the node is gone. */
const LOOK_MS = 50

class SourceLost extends Error {}

export async function writeDatabase({ folder, port, partitions, progress, isGone }: BackupTask): Promise<BackupReport> {
  const cells = new Progress(progress)
  try {
    const onProgress = ({ records, bytes }: { records: number; bytes: number }) => {
      cells.records = records
      cells.bytes = bytes
    }
    return { database: await writeBackupDatabase(folder, chunksOf(port, isGone), { partitions, onProgress }) }
  } catch (error) {
    if (!(error instanceof SourceLost)) throw error
    return { lost: error.message }
  } finally {
    port.close()
  }
}

export function restore({ plan, progress }: RestoreTask): Promise<RestoreReport> {
  return restoreStores(plan, new Progress(progress))
}

export function verify({ work, progress }: VerifyStoresTask): Promise<StoresVerified> {
  return verifyStores(work, new Progress(progress))
}

async function* chunksOf(port: MessagePort, isGone: SharedArrayBuffer): AsyncGenerator<Uint8Array> {
  const gone = new Int32Array(isGone)
  let look: NodeJS.Timeout | undefined
  const closed = new Promise<FromSource>((resolve) => {
    const isOver = () => resolve({ type: 'failed', detail: 'its thread is gone' })
    port.once('close', isOver)
    look = setInterval(() => Atomics.load(gone, 0) !== 0 && isOver(), LOOK_MS)
  })
  try {
    for (;;) {
      const arrived = once(port, 'message').then(([message]) => message as FromSource)
      port.postMessage('next' satisfies ToSource)
      const message = await Promise.race([arrived, closed])
      if (message.type === 'end') return
      if (message.type === 'failed') throw new SourceLost(message.detail)
      yield message.bytes
    }
  } finally {
    clearInterval(look)
  }
}

class Progress {
  readonly #cells: Float64Array

  constructor(shared: ProgressCells) {
    this.#cells = new Float64Array(shared)
  }

  get bytes(): number {
    return this.#cells[0] ?? 0
  }

  set bytes(bytes: number) {
    this.#cells[0] = bytes
  }

  get records(): number {
    return this.#cells[1] ?? 0
  }

  set records(records: number) {
    this.#cells[1] = records
  }
}
