/** A fill's passes over its sources: what is asked for when, driven by hand on virtual time. */

import { test } from 'tap'
import { TransferSource } from '../../../src/protocol/handoff/transfer-source.js'
import { REPLY } from '../../../src/protocol/messages.js'
import { Driven } from './driven-fill.js'

test('a source that crashed is asked again as soon as it is back, not after a timeout', async (t) => {
  const driven = new Driven()
  driven.order(3, ['node1'])
  t.equal(driven.pulls().length, 1)
  driven.away.add('node1')
  driven.fill.onPeerLost('node1', driven.nowMs)
  for (driven.nowMs = 1; driven.nowMs < 200; driven.nowMs++) driven.advance()
  t.equal(driven.pulls().length, 0, 'nothing is sent to a node that is away')
  t.equal(driven.deadlineMs(), Number.POSITIVE_INFINITY, 'and nobody is woken for it')
  driven.away.delete('node1')
  driven.advance()
  t.equal(driven.pulls().length, 1)
})

test('a second pass waits for the first without waking anybody', async (t) => {
  const driven = new Driven()
  driven.order(3, ['node1'])
  const [first] = driven.pulls()
  if (first === undefined) return t.fail('no pull')
  driven.nowMs = 5
  driven.order(4, ['node1'])
  t.equal(driven.pulls().length, 0, 'one pull is outstanding for each source')
  t.equal(driven.deadlineMs(), 2_000, 'the first may time out, the second can do nothing')
  const local = driven.chunk(first)
  t.equal(driven.deadlineMs(), Number.POSITIVE_INFINITY, 'the store is waited for')
  driven.fill.onStored(local, REPLY.ok, driven.nowMs)
  driven.nowMs += 1
  driven.advance()
  t.same(
    driven.pulls().map(({ message }) => message.partitions),
    [[4]],
    'then it is its turn',
  )
})

test('a chunk that the store refused is asked for again, and what came before is not', async (t) => {
  const driven = new Driven()
  driven.order(3, ['node1'])
  const [first] = driven.pulls()
  if (first === undefined) return t.fail('no pull')
  driven.fill.onStored(driven.chunk(first, 'k'), REPLY.ok, driven.nowMs)
  driven.nowMs = 100
  driven.advance()
  const [second] = driven.pulls()
  if (second === undefined) return t.fail('no second pull')
  t.equal(second.message.after, 'k')
  driven.fill.onStored(driven.chunk(second), REPLY.failed, driven.nowMs)
  driven.nowMs = driven.deadlineMs()
  driven.advance()
  const [again] = driven.pulls()
  t.equal(again?.message.after, 'k')
  t.equal(driven.fill.remaining, 1, 'it is not filled')
})

test('no more sources are read at a time than is allowed; the next begins when one has answered', async (t) => {
  const driven = new Driven({ transfersMax: 2 })
  for (const number of [1, 2, 3]) driven.order(number, [`node${number}`])
  const [first, second] = driven.pulls()
  t.same([first?.to, second?.to], ['node1', 'node2'])
  if (first === undefined) return t.fail('no pull')
  const local = driven.chunk(first)
  t.equal(driven.pulls().length, 0, 'its chunk is being stored')
  driven.fill.onStored(local, REPLY.ok, driven.nowMs)
  driven.nowMs += 1
  driven.advance()
  t.same(
    driven.pulls().map(({ to }) => to),
    ['node3'],
  )
})

test('the rate is that of all sources together, and of whatever else the node moves', async (t) => {
  // A chunk counts 101 bytes: ten in a second.
  const driven = new Driven({ transferBytesPerSecond: 1_010, transfersMax: 3 })
  for (const number of [1, 2, 3]) driven.order(number, [`node${number}`])
  let chunks = 0
  const answer = () => {
    for (const pull of driven.pulls()) {
      chunks++
      driven.fill.onStored(driven.chunk(pull, `k${chunks}`), REPLY.ok, driven.nowMs)
    }
  }
  for (driven.nowMs = 0; driven.nowMs <= 2_000; driven.nowMs++) {
    driven.advance()
    answer()
  }
  t.ok(chunks >= 20 && chunks <= 24, `${chunks} chunks in two seconds`)
  const before = chunks
  driven.budget.charge([{ kind: 'lww', stamp: '0000000000000001.gateway1.0000', value: new Uint8Array(910) }], 2_000)
  for (; driven.nowMs <= 2_900; driven.nowMs++) {
    driven.advance()
    answer()
  }
  t.equal(chunks, before, 'an exchange has moved as much as a second allows')
  t.ok(driven.deadlineMs() > 2_900)
})

test('how far it is: told a few times a second over all sources, and at the end', async (t) => {
  const driven = new Driven()
  const told: unknown[] = []
  const listen = () => {
    for (const output of driven.outputs) {
      if (output.type !== 'told') continue
      const { type: _, ...figures } = output
      told.push(figures)
    }
  }
  driven.fill.onOrders(
    [1, 2, 3].map((partition) => ({ partition, rowEpoch: 1, sources: [partition < 3 ? 'node1' : 'node2'] })),
    1,
    0,
  )
  driven.advance()
  const [first, second] = driven.pulls()
  if (first === undefined || second === undefined) return t.fail('no pull')
  driven.fill.onStored(driven.chunk(first), REPLY.ok, driven.nowMs)
  driven.nowMs = 50
  driven.advance()
  const last = driven.chunk(second)
  listen()
  t.same(told, [{ partitions: 3, partitionsDone: 0, records: 1, bytes: 101 }])
  driven.fill.onStored(last, REPLY.ok, driven.nowMs)
  driven.advance()
  listen()
  t.same(told.at(-1), { partitions: 3, partitionsDone: 3, records: 2, bytes: 202 })
})

test('while a node is called it rests after each chunk that it takes or gives, the longer the longer that took', async (t) => {
  const driven = new Driven()
  driven.order(3, ['node1'])
  const [first] = driven.pulls()
  if (first === undefined) throw new Error('nothing was pulled')
  driven.nowMs = 100
  const local = driven.chunk(first, 'a')
  driven.nowMs = 105
  driven.budget.onCalled(driven.nowMs)
  driven.nowMs = 110
  driven.fill.onStored(local, REPLY.ok, driven.nowMs)
  driven.advance()
  t.equal(driven.pulls().length, 0)
  t.equal(driven.deadlineMs(), 210, 'ten times the 10 ms from the chunk to its being stored')
  driven.budget.onCalled(209)
  driven.nowMs = 210
  driven.advance()
  const [second] = driven.pulls()
  if (second === undefined) throw new Error('nothing was pulled')
  t.ok(second.message.bytesMax < first.message.bytesMax / 8, 'little at a time')

  driven.nowMs = 265
  driven.fill.onStored(driven.chunk(second, 'b'), REPLY.ok, 320)
  driven.nowMs = 320
  driven.advance()
  const [third] = driven.pulls()
  t.equal(third?.message.bytesMax, first.message.bytesMax, 'nobody has called for a while')

  const source = new TransferSource(driven.budget)
  const pull = first.message
  driven.budget.onCalled(350)
  source.onPull('node9', pull, 7, 360)
  t.notOk(source.isBusy(361))
  source.onScanned(7, { keys: [], records: [] }, 365)
  t.ok(source.isBusy(414))
  t.notOk(source.isBusy(415))
  source.onPull('node9', pull, 8, 500)
  driven.budget.onCalled(790)
  source.onScanned(8, { keys: [], records: [] }, 800)
  t.ok(source.isBusy(999))
  t.notOk(source.isBusy(1_000), 'for a fifth of a second at most')
})
