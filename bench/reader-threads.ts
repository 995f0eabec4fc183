/** Threads that read through `connect`, for the benchmarks: told how long, they answer how many. */

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Ticket } from '../src/index.js'

/** What a reader thread is given. */
export interface ReaderTask {
  readonly ticket: Ticket
  readonly records: number
  readonly seed: number
}

/** What it answers to a number of milliseconds. */
export interface ReaderReply {
  readonly operations: number
}

/** Connected threads. */
export interface Readers {
  /** Reads until then (`performance.now` of this thread). */
  run(until: number): Promise<ReaderReply[]>
  close(): Promise<void>
}

/** Resolves once every thread is connected. */
export async function startReaders(ticket: Ticket, records: number, threads: number): Promise<Readers> {
  const workers = Array.from({ length: threads }, (_, seed) => {
    const workerData: ReaderTask = { ticket, records, seed }
    return new Worker(new URL('./reader.worker.js', import.meta.url), { workerData })
  })
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  return {
    run: (until) =>
      Promise.all(
        workers.map(async (worker) => {
          const reply = once(worker, 'message') as Promise<[ReaderReply]>
          worker.postMessage(until - performance.now())
          return (await reply)[0]
        }),
      ),
    close: async () => {
      const exits = workers.map((worker) => once(worker, 'exit'))
      for (const worker of workers) worker.postMessage('close')
      await Promise.all(exits)
    },
  }
}
