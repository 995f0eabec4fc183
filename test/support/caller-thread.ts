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
  | { readonly type: 'started'; readonly id: string }
  | {
      readonly type: 'report'
      readonly data: HistoryData
      readonly requests: number
      readonly failures: readonly RequestFailure[]
    }

/** Resolves once the thread is connected and its callers are at work; `id` is its gateway's. Errors: rejects with what the thread threw, as does `stop`. */
export async function startCallerThread(task: CallerTask): Promise<Workload & { readonly id: string }> {
  const worker = new Worker(new URL('./caller.worker.js', import.meta.url), { workerData: task })
  const exit = once(worker, 'exit')
  // What it throws while nobody waits for a reply is kept for `stop`.
  exit.catch(() => 'told by stop')
  const { id } = await nextReply(worker, exit, 'started')
  return {
    id,
    stop: async () => {
      const reply = nextReply(worker, exit, 'report')
      worker.postMessage('stop')
      const { data, requests, failures } = await reply
      await exit
      return { history: new History(data), requests, failures } satisfies WorkloadReport
    },
  }
}

async function nextReply<Type extends CallerReply['type']>(worker: Worker, exit: Promise<unknown[]>, type: Type) {
  const ended = exit.then(([code]): never => {
    throw new Error(`the caller thread exited with ${code} and did not say '${type}'`)
  })
  const [reply] = (await Promise.race([once(worker, 'message'), ended])) as [CallerReply]
  if (reply.type !== type) throw new Error(`expected '${type}' from the caller thread, got '${reply.type}'`)
  return reply as Extract<CallerReply, { type: Type }>
}
