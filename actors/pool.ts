/**
 * The pool of threads for bulk work without state: verifying a store's files before it is opened, and tables while it is;
 * writing, restoring and verifying backups; simulating seeds. The only importer of piscina.
 *
 * Piscina owns the threads: it starts one when there is work and ends it after ten seconds without. The queue is kept here, and
 * Piscina never holds more calls than threads, because a call that waits inside Piscina is forgotten when the thread that it
 * waits for dies. For the same reason the task's file is named per call and not per pool: a file that cannot be loaded then
 * rejects the call, instead of stopping a pool whose calls never settle.
 *
 * Promise: every call settles, once, whatever dies; after close() none is left.
 *
 * Bundlers: Piscina finds its own worker.js beside its own file, so it must stay external (esbuild: `external: ['piscina']`);
 * the task, too, is a file of its own, `coterie/verify.task.js`, and `verifyTaskUrl` tells where it went.
 */

import type { MessagePort } from 'node:worker_threads'
import { Piscina } from 'piscina'
import type { RestoreReport } from '../src/storage/restore-stores.js'
import type { ScrubReport, ScrubSlice } from '../src/storage/scrub-store.js'
import type { VerifyOptions, VerifyReport } from '../src/storage/verify-store.js'
import type { StoresVerified } from '../src/storage/verify-stores.js'
import { threadEnvironment } from './runtime/thread-environment.js'
import type { BackupReport, BackupTask, RestoreTask, VerifyStoresTask } from './tasks/backup.task.js'
import type { Outcome, Tasks } from './tasks/verify.task.js'

export interface PoolOptions {
  /** Where the compiled verify.task.js is. Default: beside this file. */
  readonly verifyTaskUrl?: URL | string | undefined
  /** Threads at the same time; at least 1. */
  readonly maxThreads: number
}

export interface Pool {
  /** Errors: rejects with PoolError. A damaged store is not an error but a report. */
  verifyStore(folder: string, options?: VerifyOptions): Promise<VerifyReport>
  /** Of a store that its node has open. Errors: as `verifyStore`. */
  scrubTables(folder: string, slice: ScrubSlice): Promise<ScrubReport>
  /** Rejects what waits or runs, ends the threads, resolves when they are gone. Idempotent. */
  close(): Promise<void>
}

/** Also for what takes a thread for minutes: such work has a pool of its own, so that no node waits for it to be restarted. */
export interface BulkPool extends Pool {
  /** From a node's thread, over the task's port. Errors: as `verifyStore`. */
  writeBackup(task: BackupTask): Promise<BackupReport>
  /** Into a location that is being made. Errors: as `verifyStore`. */
  restoreBackup(task: RestoreTask): Promise<RestoreReport>
  /** To the last record, of stores that nobody has open. Errors: as `verifyStore`. */
  verifyStores(task: VerifyStoresTask): Promise<StoresVerified>
}

export type PoolErrorCode =
  /** The pool was closed before the call was done. */
  | 'POOL_CLOSED'
  /** CALLS_MAX calls are waiting or running; nothing was started. */
  | 'POOL_FULL'
  /** The thread died, or the task could not be loaded or threw; the cause tells. */
  | 'POOL_TASK_FAILED'
  /** The system lacks something (`systemCode`: EMFILE, EACCES, …): nothing is known about the store. */
  | 'POOL_SYSTEM'

export class PoolError extends Error {
  override readonly name = 'PoolError'
  readonly code: PoolErrorCode
  readonly systemCode: string | undefined

  constructor(code: PoolErrorCode, message: string, options: { cause?: unknown; systemCode?: string } = {}) {
    super(message, { cause: options.cause })
    this.code = code
    this.systemCode = options.systemCode
  }
}

/** Calls that wait or run. A cluster makes one a node, and one for its scrub, so this is out of reach unless somebody loops. */
export const CALLS_MAX = 1024

/** A thread without work ends after this. */
const IDLE_TIMEOUT_MS = 10_000

type Name = keyof Tasks
type Report = Tasks[Name]['report']

interface Call {
  readonly name: Name
  readonly task: Tasks[Name]['task']
  /** Goes over to the thread. */
  readonly ports: readonly MessagePort[]
  readonly settle: (result: Report | PoolError) => void
}

/** Starts nothing until the first call. Errors: throws RangeError for `maxThreads` below 1. */
export function createPool(options: PoolOptions): BulkPool {
  return new TaskPool(options)
}

class TaskPool implements BulkPool {
  readonly #taskUrl: string
  readonly #maxThreads: number
  readonly #waiting: Call[] = []
  readonly #running = new Set<Call>()
  #threads: Piscina<Call['task'], Outcome<Report>> | undefined
  #closing: Promise<void> | undefined

  constructor({ maxThreads, verifyTaskUrl = new URL('./tasks/verify.task.js', import.meta.url) }: PoolOptions) {
    if (!Number.isInteger(maxThreads) || maxThreads < 1) throw new RangeError('maxThreads must be an integer above 0')
    this.#taskUrl = String(verifyTaskUrl)
    this.#maxThreads = maxThreads
  }

  verifyStore(folder: string, options: VerifyOptions = {}): Promise<VerifyReport> {
    return this.#call('verifyStore', { folder, options })
  }

  scrubTables(folder: string, slice: ScrubSlice): Promise<ScrubReport> {
    return this.#call('scrubTables', { folder, slice })
  }

  writeBackup(task: BackupTask): Promise<BackupReport> {
    return this.#call('writeBackup', task, [task.port])
  }

  restoreBackup(task: RestoreTask): Promise<RestoreReport> {
    return this.#call('restoreBackup', task)
  }

  verifyStores(task: VerifyStoresTask): Promise<StoresVerified> {
    return this.#call('verifyStores', task)
  }

  #call<Named extends Name>(
    name: Named,
    task: Tasks[Named]['task'],
    ports: readonly MessagePort[] = [],
  ): Promise<Tasks[Named]['report']> {
    return new Promise((resolve, reject) => {
      const settle = (result: Report | PoolError): void =>
        // The task of this name reports this.
        result instanceof PoolError ? reject(result) : resolve(result as Tasks[Named]['report'])
      if (this.#closing !== undefined) return settle(closedError())
      if (this.#waiting.length + this.#running.size >= CALLS_MAX) {
        return settle(new PoolError('POOL_FULL', `${CALLS_MAX} calls are waiting or running`))
      }
      this.#waiting.push({ name, task, ports, settle })
      this.#startWaiting()
    })
  }

  close(): Promise<void> {
    this.#closing ??= this.#endThreads(closedError())
    for (const call of this.#waiting.splice(0)) call.settle(closedError())
    return this.#closing
  }

  #startWaiting(): void {
    while (this.#closing === undefined && this.#running.size < this.#maxThreads) {
      const call = this.#waiting.shift()
      if (call === undefined) return
      this.#running.add(call)
      void this.#run(call).then((result) => this.#finish(call, result))
    }
  }

  /** Never rejects. */
  async #run({ name, task, ports }: Call): Promise<Report | PoolError> {
    try {
      this.#threads ??= this.#startThreads()
      const outcome = await this.#threads.run(task, { filename: this.#taskUrl, name, transferList: [...ports] })
      if ('report' in outcome) return outcome.report
      const { code, detail } = outcome.failure
      return new PoolError('POOL_SYSTEM', detail, { systemCode: code })
    } catch (cause) {
      return new PoolError('POOL_TASK_FAILED', `${name}${'folder' in task ? ` of ${task.folder}` : ''} failed`, {
        cause,
      })
    }
  }

  /** Settles a running call, unless that happened already, and lets the next one run. */
  #finish(call: Call, result: Report | PoolError): void {
    if (!this.#running.delete(call)) return
    call.settle(result)
    this.#startWaiting()
  }

  #startThreads(): Piscina<Call['task'], Outcome<Report>> {
    const threads = new Piscina<Call['task'], Outcome<Report>>({
      ...threadEnvironment(),
      minThreads: 0,
      maxThreads: this.#maxThreads,
      idleTimeout: IDLE_TIMEOUT_MS,
      atomics: 'disabled', // else an idle thread sits in Atomics.wait and its event loop stands still
      recordTiming: false,
    })
    // A thread that dies outside a call (while it starts, say) takes along calls that Piscina does not settle.
    threads.on('error', (cause: unknown) => {
      if (this.#threads !== threads) return
      void this.#endThreads(new PoolError('POOL_TASK_FAILED', 'a pool thread died', { cause })).then(() =>
        this.#startWaiting(),
      )
    })
    return threads
  }

  /** Settles what runs, ends all threads; the next call starts new ones. */
  async #endThreads(reason: PoolError): Promise<void> {
    const threads = this.#threads
    this.#threads = undefined
    const calls = [...this.#running]
    this.#running.clear()
    for (const call of calls) call.settle(reason)
    await threads?.destroy()
  }
}

/** Tasks of one kind, spread over threads. */
export interface TaskThreads<Task, Result> {
  /** Errors: whatever the task threw, or its thread died of. */
  run(task: Task): Promise<Result>
  close(): Promise<void>
}

/** For work that may be done again: what runs when a thread dies is rejected. `name`: the function that the module exports. */
export function createTaskThreads<Task, Result>(options: {
  readonly taskUrl: URL
  readonly name: string
  readonly maxThreads: number
}): TaskThreads<Task, Result> {
  const { taskUrl, name, maxThreads } = options
  const threads = new Piscina<Task, Result>({
    ...threadEnvironment(),
    filename: taskUrl.href,
    name,
    minThreads: 0,
    maxThreads,
    recordTiming: false,
  })
  return { run: (task) => threads.run(task), close: () => threads.destroy() }
}

function closedError(): PoolError {
  return new PoolError('POOL_CLOSED', 'the pool is closed')
}
