/** A thread that has connected, and calls until it is told that it is over. */

import { parentPort, workerData } from 'node:worker_threads'
import { connect, type Ticket } from '../../src/index.js'
import { call } from './callers.js'

export interface CallingThread {
  readonly ticket: Ticket
  readonly callers: readonly string[]
}

export type FromCalling =
  | { readonly type: 'done'; readonly caller: string; readonly number: number }
  | { readonly type: 'failed'; readonly outcome: string }
  | { readonly type: 'over' }

const { ticket, callers } = workerData as CallingThread
const say = (message: FromCalling): void => parentPort?.postMessage(message)
const store = await connect(ticket)
let isOver = false
parentPort?.once('message', () => {
  isOver = true
})
await Promise.all(
  callers.map((caller) =>
    call(store, {
      caller,
      isOver: () => isOver,
      onDone: (who, number) => say({ type: 'done', caller: who, number }),
      onFailed: (outcome) => say({ type: 'failed', outcome }),
    }),
  ),
)
await store.close()
say({ type: 'over' })
