/** The benchmark's own arithmetic: a figure that counts wrong is worse than none. */

import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'tap'
import { measureInterleaved, runCalls, summarize } from '../../bench/harness.js'

test('bench: every call is counted, however many are in flight', async (t) => {
  let made = 0
  const counted = await runCalls(performance.now() + 50, 64, async () => {
    await turn()
    made += 3
    return 3
  })
  t.ok(made > 64)
  t.equal(counted, made)
})

test('bench: calls in flight are never more than asked for', async (t) => {
  let inFlight = 0
  let most = 0
  await runCalls(performance.now() + 20, 8, async () => {
    inFlight += 1
    most = Math.max(most, inFlight)
    await turn()
    inFlight -= 1
    return 1
  })
  t.equal(most, 8)
})

test('bench: rounds are interleaved, the first is not counted, the order alternates', async (t) => {
  const order: string[] = []
  const measurement = (name: string) => async () => {
    order.push(name)
    return 1
  }
  const measurements = new Map(['a', 'b'].map((name) => [name, measurement(name)] as const))
  const rates = await measureInterleaved(measurements, { rounds: 2, roundMs: 1, warmUpRounds: 1 })
  t.equal(order.join(''), 'abbaab')
  t.same([...rates.keys()], ['a', 'b'])
  t.equal(rates.get('a')?.rounds.length, 2)
})

test('bench: median of odd and even numbers of rounds', (t) => {
  t.match(summarize([3, 1, 2]), { median: 2, min: 1, max: 3 })
  t.match(summarize([4, 1, 3, 2]), { median: 2.5, min: 1, max: 4 })
  t.end()
})
