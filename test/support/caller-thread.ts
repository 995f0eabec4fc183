/** A workload in a thread of its own, behind the same interface as one in this thread. */

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Ticket } from '../../src/index.js'
import { History, type HistoryData } from './history.js'
import type { RequestFailure, Workload, WorkloadOptions, WorkloadReport } from './workload.js'

/** What the thread is given. */
export interface CallerTask {
  readonly ticket: Ticket
  readonly workload: WorkloadOptions
}

/** What the thread posts. */
export type CallerReply =
  | { readonly type: 'started' }
  | {
      readonly type: 'report'
      readonly data: HistoryData
      readonly requests: number
      readonly failures: readonly RequestFailure[]
    }

/** Resolves once the thread is connected and its callers are at work. Errors: rejects with what the thread threw, as does `stop`. */
export async function startCallerThread(task: CallerTask): Promise<Workload> {
  const worker = new Worker(new URL('./caller.worker.js', import.meta.url), { workerData: task })
  const exit = once(worker, 'exit')
  // What it throws while nobody waits for a reply is kept for `stop`.
  exit.catch(() => 'told by stop')
  await nextReply(worker, 'started')
  return {
    stop: async () => {
      const reply = nextReply(worker, 'report')
      worker.postMessage('stop')
      const first = await Promise.race([reply, exit])
      if (Array.isArray(first)) throw new Error(`the caller thread exited with ${first[0]} before its report`)
      await exit
      const { data, requests, failures } = first
      return { history: new History(data), requests, failures } satisfies WorkloadReport
    },
  }
}

async function nextReply<Type extends CallerReply['type']>(worker: Worker, type: Type) {
  const [reply] = (await once(worker, 'message')) as [CallerReply]
  if (reply.type !== type) throw new Error(`expected '${type}' from the caller thread, got '${reply.type}'`)
  return reply as Extract<CallerReply, { type: Type }>
}
