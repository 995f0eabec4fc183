/** Threads that are kept loaded: when the first is, and that there is never more than one. */

import { test } from 'tap'
import type { NodeThread } from '../../../actors/runtime/node-thread.js'
import { SpareThreads } from '../../../actors/runtime/spare-threads.js'

function made(): { spares: SpareThreads; count: () => number } {
  let count = 0
  const spares = new SpareThreads(() => {
    count += 1
    return { threadId: count } as NodeThread
  })
  return { spares, count: () => count }
}

test('spare threads: a cluster that has just been opened loads none', async (t) => {
  const { spares, count } = made()
  spares.onQuiet(1_000)
  spares.onQuiet(1_499)
  t.equal(count(), 0)
  spares.onQuiet(1_500)
  t.equal(count(), 1, 'half a second later it does')
})

test('spare threads: one is kept, and another once it has been taken', async (t) => {
  const { spares, count } = made()
  for (let ms = 0; ms <= 5_000; ms += 50) spares.onQuiet(ms)
  t.equal(count(), 1)
  t.equal(spares.take().threadId, 1)
  spares.onQuiet(5_050)
  t.equal(count(), 2, 'without another wait')
})
