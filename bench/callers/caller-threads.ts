/** Caller threads for the benchmarks: a Piscina pool whose workers are connected by the cluster's ticket. */

import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import type { Ticket } from '../../src/index.js'
import type { Measurement } from '../harness.js'
import type { Quorum } from '../subjects/coterie.js'
import type { CallName } from '../workloads.js'

/** What a thread is told. */
export interface CallerTask {
  readonly ticket: Ticket
  readonly call: CallName
  readonly quorum: Quorum
  readonly records: number
  readonly durationMs: number
}

/** Threads that call. */
export interface CallerThreads {
  measurement(call: CallName, quorum: Quorum): Measurement
  close(): Promise<void>
}

/** As many threads as asked for, none ever idle in `Atomics.wait`: a connection lives on its event loop. */
export function startCallers(ticket: Ticket, records: number, threads: number): CallerThreads {
  const pool = new Piscina<CallerTask, number>({
    filename: fileURLToPath(new URL('./caller.worker.js', import.meta.url)),
    name: 'drive',
    minThreads: threads,
    maxThreads: threads,
    idleTimeout: Number.POSITIVE_INFINITY,
    atomics: 'disabled',
  })
  return {
    measurement: (call, quorum) => async (until) => {
      const durationMs = until - performance.now()
      const task = { ticket, call, quorum, records, durationMs }
      const counts = await Promise.all(Array.from({ length: threads }, () => pool.run(task)))
      return counts.reduce((sum, count) => sum + count, 0)
    },
    close: () => pool.close(),
  }
}
