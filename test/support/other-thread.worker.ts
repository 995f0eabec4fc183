/** The thread of `other-thread.ts`: connects, then makes the calls that it is sent. */

import { parentPort } from 'node:worker_threads'
import { CoterieError, connect, type KeyValueStore, type Ticket } from '../../src/index.js'
import type { OtherThreadCall, OtherThreadReply } from './other-thread.js'

if (parentPort === null) throw new Error('other-thread.worker runs in a worker thread')
const port = parentPort
let store: KeyValueStore | undefined

port.on('message', async (call: OtherThreadCall) => {
  port.postMessage(await answer(call))
})

async function answer({ number, method, args }: OtherThreadCall): Promise<OtherThreadReply> {
  try {
    if (method === 'connect') {
      store = await connect(args[0] as Ticket)
      return { number, type: 'result', result: store.id }
    }
    if (store === undefined) throw new Error('not connected')
    const call = store[method] as (...args: readonly unknown[]) => Promise<unknown>
    return { number, type: 'result', result: await call.apply(store, [...args]) }
  } catch (error) {
    return {
      number,
      type: 'error',
      code: error instanceof CoterieError ? error.code : undefined,
      message: String(error),
    }
  }
}
