/** `connect(ticket)` in a thread of its own, where it belongs: each call is carried there, its outcome back. */

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { CoterieError, type CoterieErrorCode, type KeyValueStore, type Ticket } from '../../src/index.js'
import type { TestContext } from './cluster.js'

/** What of a store can be called in the other thread. */
export type OtherThreadStore = Pick<KeyValueStore, 'get' | 'put' | 'read' | 'close'>

/** What the thread is asked, one at a time. */
export interface OtherThreadCall {
  readonly method: keyof OtherThreadStore | 'connect'
  readonly args: readonly unknown[]
}

/** What it answers. */
export type OtherThreadReply =
  | { readonly type: 'result'; readonly result: unknown }
  | { readonly type: 'error'; readonly code: CoterieErrorCode | undefined; readonly message: string }

/** A store of another thread, which ends with the test. Errors: rejects with what `connect` rejected with there. */
export async function connectInThread(t: TestContext, ticket: Ticket): Promise<OtherThreadStore> {
  const worker = new Worker(new URL('./other-thread.worker.js', import.meta.url))
  t.teardown(async () => {
    await worker.terminate()
  })
  let last: Promise<unknown> = Promise.resolve()
  const call = async (method: OtherThreadCall['method'], args: readonly unknown[]): Promise<unknown> => {
    worker.postMessage({ method, args } satisfies OtherThreadCall)
    const [reply] = (await once(worker, 'message')) as [OtherThreadReply]
    if (reply.type === 'result') return reply.result
    throw reply.code === undefined ? new Error(reply.message) : new CoterieError(reply.code, reply.message)
  }
  const inTurn = (method: OtherThreadCall['method'], args: readonly unknown[]): Promise<never> => {
    const next = last.then(() => call(method, args))
    last = next.catch(() => 'told by next')
    return next as Promise<never>
  }
  await inTurn('connect', [ticket])
  return {
    get: (...args) => inTurn('get', args),
    put: (...args) => inTurn('put', args),
    read: (...args) => inTurn('read', args),
    close: () => inTurn('close', []),
  }
}
