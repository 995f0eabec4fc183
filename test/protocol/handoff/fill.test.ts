/** A fill's passes over its sources: what is asked for when, driven by hand on virtual time. */

import { test } from 'tap'
import { Fill, type FillOutput } from '../../../src/protocol/handoff/fill.js'
import { TransferSource } from '../../../src/protocol/handoff/transfer-source.js'
import { REPLY } from '../../../src/protocol/messages.js'
import { TransferBudget } from '../../../src/protocol/transfer-budget.js'
import type { TransferPull } from '../../../src/protocol/transfer-messages.js'

class Driven {
  nowMs = 0
  readonly budget: TransferBudget
  readonly away = new Set<string>()
  readonly outputs: FillOutput[] = []
  readonly trees = { lapses: 0, trusted: true, isTrusted: () => this.trees.trusted, low: () => 7, high: () => 9 }
  #token = 1
  readonly fill: Fill

  constructor({ transferBytesPerSecond = 1e9, transfersMax = 2 } = {}) {
    this.budget = new TransferBudget({ transferBytesPerSecond, transfersMax })
    const take = () => this.#token++
    this.fill = new Fill({ budget: this.budget, takeLocal: take, takeMessageId: take, trees: this.trees })
  }

  mayAsk = (node: string): boolean => !this.away.has(node)

  advance(): void {
    this.fill.advance(this.mayAsk, this.nowMs)
    this.outputs.push(...this.fill.takeOutput())
  }

  order(partition: number, sources: readonly string[]): void {
    this.fill.onOrders([{ partition, rowEpoch: 1, sources }], 1, this.nowMs)
    this.advance()
  }

  /** Of one source that a copy is compared with. */
  orderCopies(partitions: readonly number[]): void {
    const orders = partitions.map((partition) => ({ partition, rowEpoch: 1, sources: ['a'], hasCopy: true }))
    this.fill.onOrders(orders, 1, this.nowMs)
    this.advance()
  }

  /** The source says whose roots are equal; the token of the seal. */
  equal(pull: { readonly to: string; readonly message: TransferPull }, equal: readonly number[]): number {
    const chunk = { type: 'transfer/chunk', replyTo: pull.message.id, status: REPLY.ok, keys: [], records: [] } as const
    this.fill.onChunk(pull.to, { ...chunk, equal }, this.nowMs)
    this.advance()
    const seal = this.outputs.findLast((output) => output.type === 'seal')
    return seal?.type === 'seal' ? seal.token : 0
  }

  filled(): readonly number[] {
    return this.outputs.flatMap((output) =>
      output.type === 'send' && output.message.type === 'transfer/done' ? output.message.partitions : [],
    )
  }

  /** Pulls since the last call. */
  pulls(): { readonly to: string; readonly message: TransferPull }[] {
    const pulls = this.outputs.flatMap((output) =>
      output.type === 'send' && output.message.type === 'transfer/pull'
        ? [{ to: output.to, message: output.message }]
        : [],
    )
    this.outputs.length = 0
    return pulls
  }

  deadlineMs(): number {
    return this.fill.nextDeadlineMs(this.mayAsk)
  }

  /** A chunk with one record; the number of the local write. */
  chunk(pull: { readonly to: string; readonly message: TransferPull }, next?: string): number {
    const value = Uint8Array.of(1)
    const stamp = '0000000000000001.gateway1.0000'
    const chunk = { type: 'transfer/chunk', replyTo: pull.message.id, status: REPLY.ok, keys: ['k'] } as const
    const records = [{ kind: 'lww', stamp, value }] as const
    this.fill.onChunk(pull.to, { ...chunk, records, ...(next === undefined ? {} : { next }) }, this.nowMs)
    this.advance()
    const stored = this.outputs.findLast((output) => output.type === 'store')
    return stored?.type === 'store' ? stored.local : 0
  }
}

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
  driven.order(1, ['node1', 'node2', 'node3'])
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
  driven.order(1, ['node1', 'node2', 'node3'])
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
  t.equal(driven.deadlineMs(), 150, 'four times the 10 ms from the chunk to its being stored')
  driven.nowMs = 150
  driven.advance()
  const [second] = driven.pulls()
  if (second === undefined) throw new Error('nothing was pulled')

  driven.nowMs = 205
  driven.fill.onStored(driven.chunk(second, 'b'), REPLY.ok, 260)
  driven.nowMs = 260
  driven.advance()
  t.equal(driven.pulls().length, 1, 'nobody has called for a while')

  const source = new TransferSource(driven.budget)
  const pull = first.message
  driven.budget.onCalled(290)
  source.onPull('node9', pull, 7, 300)
  t.notOk(source.isBusy(301))
  source.onScanned(7, { keys: [], records: [] }, 305)
  t.ok(source.isBusy(324))
  t.notOk(source.isBusy(325))
})

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
