/**
 * A node's thread that can be told to die as real programs do, in ways that `cluster.faults` has not: named as
 * `workers.node`, it is the actor itself, and beside it a listener for `die`.
 */

import { BroadcastChannel, threadId } from 'node:worker_threads'
import '../../actors/node.actor.js'

export type Death = 'exit' | 'throw' | 'reject' | 'heap'

interface Order {
  readonly threadId: number
  readonly death: Death
}

const channel = new BroadcastChannel('coterie-test-deaths')
channel.unref()
channel.onmessage = (event) => {
  const order = (event as { readonly data: Order }).data
  if (order.threadId === threadId) die(order.death)
}

function die(death: Death): void {
  switch (death) {
    case 'exit':
      return process.exit(7)
    case 'throw':
      setImmediate(() => {
        throw new Error('thrown on purpose')
      })
      return
    case 'reject':
      void Promise.reject(new Error('rejected on purpose'))
      return
    case 'heap': {
      // Arrays of numbers, in pieces: a Map that grows aborts the whole process (FACTS).
      const kept: number[][] = []
      for (;;) kept.push(Array.from({ length: 10_000 }, (_, index) => index + 0.5))
    }
  }
}
