/** A fill that compares: who has a copy, or has got one from the first of several sources. */

import { test } from 'tap'
import { TransferSource } from '../../../src/protocol/handoff/transfer-source.js'
import { REPLY } from '../../../src/protocol/messages.js'
import { Driven, later } from './driven-fill.js'

test('a copy: whose tree is the same is filled without a read, once everything that it counts has been stored', async (t) => {
  const driven = new Driven()
  driven.orderCopies([3, 4])
  const [pull] = driven.pulls()
  if (pull === undefined) throw new Error('nothing was asked')
  t.same(pull.message.partitions, [3, 4])
  t.same(pull.message.roots, { lows: [7, 7], highs: [9, 9] })
  const seal = driven.equal(pull, [3])
  t.same(driven.filled(), [], 'what is on its way may still be refused')
  driven.fill.onSealed(seal, true, driven.nowMs)
  driven.advance()
  t.same(driven.filled(), [3])
  t.same(driven.pulls(), [], 'a pause')
  driven.nowMs = driven.deadlineMs()
  driven.advance()
  const [again] = driven.pulls()
  t.same(again?.message.partitions, [4], 'looked at again')
  if (again === undefined) return
  driven.fill.onSealed(driven.equal(again, [4]), true, driven.nowMs)
  driven.advance()
  t.same(driven.filled(), [4])
  t.equal(driven.fill.remaining, 0)
})

test('a copy: what was stored is not what a tree had counted, so nothing is filled; after some looks ranges are compared', async (t) => {
  const driven = new Driven()
  driven.orderCopies([3])
  const scans = () => driven.outputs.filter(({ type }) => type === 'scan').length
  for (let looks = 0; looks < 100 && scans() === 0; looks++) {
    const [pull] = driven.pulls()
    if (pull === undefined) throw new Error('nothing was asked')
    const seal = driven.equal(pull, looks === 2 ? [] : [3])
    if (looks === 0) driven.trees.lapses += 1
    driven.fill.onSealed(seal, looks === 0, driven.nowMs)
    driven.advance()
    t.same(driven.filled(), [])
    driven.outputs.length = 0
    driven.nowMs = driven.deadlineMs()
    driven.advance()
  }
  t.equal(scans(), 1)
  t.equal(driven.fill.remaining, 1)
})

test('a copy: where no tree can be trusted ranges are compared at once', async (t) => {
  const driven = new Driven()
  driven.trees.trusted = false
  driven.orderCopies([3])
  t.same(
    driven.outputs.map(({ type }) => type),
    ['scan'],
  )
})

test('of several sources one gives a copy; once that is here the others are compared with it', async (t) => {
  const driven = new Driven()
  // Partition 4 is copied from `a`, and 5 from `b`.
  driven.fill.onOrders(
    [4, 5].map((partition) => ({ partition, rowEpoch: 1, sources: ['a', 'b'] })),
    1,
    0,
  )
  driven.advance()
  const [fromA, fromB] = driven.pulls()
  if (fromA === undefined || fromB === undefined) return t.fail('two pulls')
  t.match(
    [fromA, fromB],
    [
      { to: 'a', message: { partitions: [4], roots: undefined } },
      { to: 'b', message: { partitions: [5], roots: undefined } },
    ],
  )
  driven.fill.onStored(driven.chunk(fromA), REPLY.ok, driven.nowMs)
  later(driven)
  t.same(driven.filled(), [], 'b has not been compared with')
  t.same(driven.pulls(), [], 'and is busy')
  driven.fill.onStored(driven.chunk(fromB), REPLY.ok, driven.nowMs)
  later(driven)
  const looks = driven.pulls()
  t.match(looks, [
    { to: 'a', message: { partitions: [5], roots: { lows: [7] } } },
    { to: 'b', message: { partitions: [4], roots: { lows: [7] } } },
  ])
  for (const look of looks) {
    driven.fill.onSealed(driven.equal(look, look.message.partitions), true, driven.nowMs)
    driven.advance()
  }
  t.same(driven.filled(), [5, 4])
  t.equal(driven.fill.remaining, 0)
})

test('of several sources: what need not wait for a copy is compared before the rest of its pass', async (t) => {
  const driven = new Driven({ transfersMax: 3 })
  // 6 is copied from `a` and 7 from `b`; `c` is compared with both.
  driven.fill.onOrders(
    [
      { partition: 6, rowEpoch: 1, sources: ['a', 'c'] },
      { partition: 7, rowEpoch: 1, sources: ['c', 'b'] },
    ],
    1,
    0,
  )
  driven.advance()
  const [fromA, fromB] = driven.pulls()
  if (fromA === undefined || fromB === undefined) return t.fail('two pulls')
  driven.fill.onStored(driven.chunk(fromA), REPLY.ok, driven.nowMs)
  later(driven)
  t.match(driven.pulls(), [{ to: 'c', message: { partitions: [6], roots: { lows: [7] } } }])
  t.equal(driven.deadlineMs(), 2_000, 'nobody is woken for the rest')
  driven.fill.onStored(driven.chunk(fromB), REPLY.ok, driven.nowMs)
  later(driven)
  t.same(driven.pulls(), [], 'one question to each source')
})

test('of several sources: where the one that gave the copy is replaced, another one gives it', async (t) => {
  const driven = new Driven()
  driven.order(4, ['a', 'b'])
  const [fromA] = driven.pulls()
  t.equal(fromA?.to, 'a')
  driven.order(4, ['b', 'c'])
  const [fromC, ...others] = driven.pulls()
  if (fromC === undefined) return t.fail('a pull')
  t.match(fromC, { to: 'c', message: { partitions: [4], roots: undefined } })
  t.same(others, [], 'b waits')
  driven.fill.onStored(driven.chunk(fromC), REPLY.ok, driven.nowMs)
  later(driven)
  const [look] = driven.pulls()
  t.match(look, { to: 'b', message: { partitions: [4], roots: { lows: [7] } } })
  if (look === undefined) return
  driven.fill.onSealed(driven.equal(look, [4]), true, driven.nowMs)
  driven.advance()
  t.same(driven.filled(), [4])
})

test('a copy: where the source has no tree that it trusts ranges are compared, without a second look', async (t) => {
  const driven = new Driven()
  driven.orderCopies([3])
  const [pull] = driven.pulls()
  if (pull === undefined) return t.fail('a pull')
  const blind = { lapses: 0, isTrusted: () => false, low: () => 7, high: () => 9 }
  const { message } = new TransferSource(driven.budget).compareRoots('b', pull.message, blind)
  t.match(message, { equal: [], isBlind: true })
  driven.fill.onChunk(pull.to, message, driven.nowMs)
  driven.advance()
  t.same(
    driven.outputs.map(({ type }) => type),
    ['scan'],
  )
})
