/** The open loop asks when it is time, whatever became of the requests before, and hides no wait. It judges no speed here. */

import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'tap'
import { percentileMs, runOpenLoop } from '../../../bench/load/open-loop.js'

test('open loop: as many requests as are due, numbered, each once', async (t) => {
  const numbers: number[] = []
  const result = await runOpenLoop({ perSecond: 5_500, durationMs: 100, call: async (number) => numbers.push(number) })
  t.equal(result.sent, 550)
  t.same(
    numbers,
    Array.from({ length: 550 }, (_, number) => number),
  )
  t.equal(result.failed, 0)
  t.equal(result.latencies.totalCount, 550)
})

test('open loop: who is not answered is asked all the same, and the wait of every request counts from when it was due', async (t) => {
  const durationMs = 50
  const waiting: (() => void)[] = []
  const startedAt = performance.now()
  const result = await runOpenLoop({
    perSecond: 2_000,
    durationMs,
    call: (number) => {
      const answer = new Promise<void>((resolve) => waiting.push(resolve))
      // The last request is the only one that anybody answers; with it, all are.
      if (number === 99) for (const resolve of waiting) resolve()
      return answer
    },
  })
  const elapsedMs = performance.now() - startedAt
  t.equal(result.sent, 100)
  t.equal(result.latencies.totalCount, 100)
  // The first of them was due at the beginning, and the last one 49 ms later: in between, the waits fall evenly.
  t.ok(percentileMs(result, 100) >= durationMs - 2, 'the first waited for all of it')
  t.ok(percentileMs(result, 50) >= durationMs / 2 - 2, 'and half of them for half of it')
  t.ok(percentileMs(result, 100) <= elapsedMs)
})

test('open loop: an event loop that is held up is late for what was due meanwhile, and that is in the latencies', async (t) => {
  const heldMs = 30
  const hold = (): void => {
    for (const until = performance.now() + heldMs; performance.now() < until; );
  }
  const call = async (number: number): Promise<void> => {
    if (number === 5) hold()
  }
  const result = await runOpenLoop({ perSecond: 1_000, durationMs: 50, call })
  t.equal(result.sent, 50)
  // Due right after the hold began, and begun when it was over.
  t.ok(percentileMs(result, 100) >= heldMs - 2)
})

test('open loop: failures are counted, the first one is kept, and they have no latency', async (t) => {
  const call = async (number: number): Promise<void> => {
    await turn()
    if (number % 10 === 3) throw new Error(`refused ${number}`)
  }
  const result = await runOpenLoop({ perSecond: 1_000, durationMs: 50, call })
  t.equal(result.failed, 5)
  t.match(result.failure, /refused 3$/)
  t.equal(result.latencies.totalCount, 45)
  t.equal(result.failingMs, 40, 'from the one due at 3 ms to the one at 43')
})
