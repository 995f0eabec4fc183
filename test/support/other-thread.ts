/** `connect(ticket)` in a thread of its own, where it belongs: each call is carried there, its outcome back. */

import { Worker } from 'node:worker_threads'
import { CoterieError, type CoterieErrorCode, type KeyValueStore, type Ticket } from '../../src/index.js'
import type { TestContext } from './cluster.js'

/** What of a store can be called in the other thread. */
export type OtherThreadStore = Pick<KeyValueStore, 'id' | 'get' | 'put' | 'read' | 'close'>

/** What the thread is asked; the answer repeats the number. */
export interface OtherThreadCall {
  readonly number: number
  readonly method: Exclude<keyof OtherThreadStore, 'id'> | 'connect'
  readonly args: readonly unknown[]
}

/** What it answers. */
export type OtherThreadReply = { readonly number: number } & (
  | { readonly type: 'result'; readonly result: unknown }
  | { readonly type: 'error'; readonly code: CoterieErrorCode | undefined; readonly message: string }
)

/** A store of another thread, which ends with the test. Errors: rejects with what `connect` rejected with there. */
export async function connectInThread(t: TestContext, ticket: Ticket): Promise<OtherThreadStore> {
  const worker = new Worker(new URL('./other-thread.worker.js', import.meta.url))
  t.teardown(async () => {
    await worker.terminate()
  })
  const asked = new Map<number, (reply: OtherThreadReply) => void>()
  worker.on('message', (reply: OtherThreadReply) => {
    asked.get(reply.number)?.(reply)
    asked.delete(reply.number)
  })
  let calls = 0
  const call = async (method: OtherThreadCall['method'], args: readonly unknown[]): Promise<never> => {
    const number = ++calls
    const answered = new Promise<OtherThreadReply>((resolve) => asked.set(number, resolve))
    worker.postMessage({ number, method, args } satisfies OtherThreadCall)
    const reply = await answered
    if (reply.type === 'result') return reply.result as never
    throw reply.code === undefined ? new Error(reply.message) : new CoterieError(reply.code, reply.message)
  }
  const id: string = await call('connect', [ticket])
  return {
    id,
    get: (...args) => call('get', args),
    put: (...args) => call('put', args),
    read: (...args) => call('read', args),
    close: () => call('close', []),
  }
}
