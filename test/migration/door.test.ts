/** Writes that wait at a door while a cluster moves. */

import { test } from 'tap'
import type { Client } from '../../src/client.js'
import { type Calls, Door } from '../../src/migration/door.js'
import { outcomeOf } from '../support/cluster.js'

test('door: a write that was held has what is left of its time, not all of it again', async (t) => {
  const given: unknown[] = []
  const calls = {
    put: async (_key: unknown, _value: unknown, options: unknown) => void given.push(options),
    delete: async (_key: unknown, options: unknown) => void given.push(options),
    batch: async (_operations: unknown, options: unknown) => void given.push(options),
  } as unknown as Calls
  const door = new Door({} as Client, calls, { writeTimeoutMs: 5_000, requestsInFlightMax: 10, bytesInFlightMax: 100 })
  door.hold()
  const held = [
    door.put('a', 'b'),
    door.delete('a', { timeoutMs: 1_000, w: 1 }),
    door.batch([{ type: 'put', key: 'a', value: 'b' }], { timeoutMs: 1.5 }),
  ]
  const late = outcomeOf(door.put('late', 'x', { timeoutMs: 5 }))
  t.equal(await late, 'TIMEOUT')
  door.letGo()
  await Promise.all(held)
  const [put, deleted, batch] = given as { timeoutMs: number; w?: number }[]
  t.ok((put?.timeoutMs ?? 0) > 0 && (put?.timeoutMs ?? 5_000) < 5_000)
  t.ok((deleted?.timeoutMs ?? 1_000) < 1_000)
  t.equal(deleted?.w, 1, 'the rest as it was')
  t.same(batch, { timeoutMs: 1.5 }, 'refused by whoever checks it')
})

test('door: writes that wait are bounded in number and in bytes, and what is let go is not counted any more', async (t) => {
  const calls = { put: async () => undefined, batch: async () => undefined } as unknown as Calls
  const door = new Door({} as Client, calls, { writeTimeoutMs: 5_000, requestsInFlightMax: 3, bytesInFlightMax: 100 })
  const value = 'x'.repeat(60)
  for (let round = 0; round < 2; round++) {
    door.hold()
    const held = [door.put('a', value), door.batch([{ type: 'put', key: 'b', value }])]
    t.equal(await outcomeOf(door.put('c', 'x')), 'OVERLOADED', 'for its bytes')
    t.equal(await outcomeOf(door.put('late', 'x', { timeoutMs: 1 })), 'OVERLOADED')
    door.letGo()
    await Promise.all(held)
  }
  door.hold()
  const late = [1, 2, 3].map(() => outcomeOf(door.put('a', 'x'.repeat(30), { timeoutMs: 1 })))
  t.equal(await outcomeOf(door.put('d', 'x')), 'OVERLOADED', 'for their number')
  t.same(await Promise.all(late), Array(3).fill('TIMEOUT'))
  const after = [door.put('a', value), door.put('b', value)].map(outcomeOf)
  door.letGo()
  t.same(await Promise.all(after), ['ok', 'ok'])
})
