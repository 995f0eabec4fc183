/** The bound of a hint keeper, and when it wants to be woken. */

import { test } from 'tap'
import { HintKeeper, type HintOutput, type Owners } from '../../../src/protocol/handoff/hint-keeper.js'
import type { HintStore } from '../../../src/protocol/messages.js'
import { REPLY } from '../../../src/protocol/messages.js'
import type { Hint } from '../../../src/protocol/store-contract.js'
import { newTable } from '../../../src/protocol/supervision/reassignment.js'
import type { LwwRecord } from '../../../src/protocol/versions/record.js'

const table = newTable(
  Array.from({ length: 16 }, () => ['node1', 'node2', 'node3']),
  3,
)

const record = (bytes: number): LwwRecord => ({
  kind: 'lww',
  stamp: '0000000000000001.gateway1.0000',
  value: new Uint8Array(bytes),
})

const hint = (id: number, bytes = 1_000): Hint => ({
  id,
  target: 'node2',
  partition: 3,
  key: `key${id}`,
  record: record(bytes),
})

const store = (id: number, count = 1): HintStore => ({
  type: 'hint/store',
  id,
  epoch: 1,
  targets: Array.from({ length: count }, () => 'node2'),
  partitions: Array.from({ length: count }, () => 3),
  keys: Array.from({ length: count }, (_, index) => `key${id}-${index}`),
  records: Array.from({ length: count }, () => record(1_000)),
})

const keeperOf = (hints: readonly Hint[], bytesMax: number): HintKeeper => {
  let token = 1
  return new HintKeeper({ hints, bytesMax, takeToken: () => token++ })
}

/** Their coordinator is there. */
const keeperWith = (hints: readonly Hint[], bytesMax: number): HintKeeper => {
  const keeper = keeperOf([], bytesMax)
  for (const { id, target, partition, key, record } of hints) {
    const columns = { targets: [target], partitions: [partition], keys: [key], records: [record] }
    keeper.onStore('gateway1', { type: 'hint/store', id, epoch: 1, ...columns })
  }
  for (const output of keeper.takeOutput()) if (output.type === 'write') keeper.onWritten(output.token)
  keeper.takeOutput()
  return keeper
}

const ownersOf = (canTake: (node: string) => boolean, isDown: (node: string) => boolean = () => false): Owners => ({
  peer: (node) => ({ healthy: canTake(node), status: isDown(node) ? 'down' : 'up' }),
})

const ALL = ownersOf(() => true)
const NONE = ownersOf(() => false)

const handoffsOf = (keeper: HintKeeper): (HintOutput & { type: 'handoff' })[] =>
  keeper.takeOutput().filter((output) => output.type === 'handoff')

const statusesOf = (outputs: readonly HintOutput[]): number[] =>
  outputs.flatMap((output) => (output.type === 'reply' ? output.message.statuses : []))

test('hints that are still being stored count towards the bound', async (t) => {
  const keeper = keeperOf([], 5_000)
  const outputs: HintOutput[] = []
  for (let id = 1; id <= 20; id++) {
    keeper.onStore(`gateway${id}`, store(id))
    outputs.push(...keeper.takeOutput())
  }
  t.equal(statusesOf(outputs).filter((status) => status === REPLY.full).length, 16, 'refused at once')
  for (const output of outputs) if (output.type === 'write') keeper.onWritten(output.token)
  t.same(statusesOf(keeper.takeOutput()), [REPLY.ok, REPLY.ok, REPLY.ok, REPLY.ok])
  t.ok(keeper.bytes <= 5_000, `${keeper.bytes} bytes`)
})

test('what the store refused counts no more', async (t) => {
  const keeper = keeperOf([], 5_000)
  keeper.onStore('gateway1', store(1, 4))
  const [output] = keeper.takeOutput()
  if (output?.type !== 'write') return t.fail('nothing is written')
  keeper.onFailed(output.token, 'nothing')
  t.same(statusesOf(keeper.takeOutput()), [REPLY.refused, REPLY.refused, REPLY.refused, REPLY.refused])
  keeper.onStore('gateway1', store(2, 4))
  t.equal(keeper.takeOutput()[0]?.type, 'write')
})

test('a smaller bound than the hints that were kept before refuses new ones and breaks nothing', async (t) => {
  const keeper = keeperOf([hint(1), hint(2), hint(3)], 2_000)
  t.equal(keeper.count, 3)
  t.ok(keeper.bytes > 2_000)
  t.ok(keeper.bytes <= keeper.bytesBound)
  keeper.onStore('gateway1', store(1))
  t.same(statusesOf(keeper.takeOutput()), [REPLY.full])
})

test('a handoff that failed is tried again after a pause, and nobody is woken for a target that is away', async (t) => {
  const keeper = keeperWith([hint(1)], 5_000)
  keeper.replay(table, ALL, 1, 0)
  const [output] = keeper.takeOutput()
  if (output?.type !== 'handoff') return t.fail('nothing is handed over')
  keeper.onHandedOver(output.handoff, false, 0)
  const pauseEndsMs = keeper.nextDeadlineMs()
  t.ok(pauseEndsMs > 0 && pauseEndsMs < 1_000)
  keeper.replay(table, NONE, 2, pauseEndsMs)
  t.same(keeper.takeOutput(), [])
  t.equal(keeper.nextDeadlineMs(), Number.POSITIVE_INFINITY)
  keeper.replay(table, ALL, 3, pauseEndsMs + 10_000)
  t.equal(keeper.takeOutput()[0]?.type, 'handoff', 'once it is back')
})

test('the hints of a target that is away are looked through once a change, and once for a new hint', async (t) => {
  const keeper = keeperWith([hint(1), hint(2)], 50_000)
  let asked = 0
  const isAway = () => {
    asked += 1
    return false
  }
  for (let step = 0; step < 10; step++) keeper.replay(table, ownersOf(isAway), 1, step)
  t.equal(asked, 2, 'once for each hint, not at every step')
  keeper.replay(table, ownersOf(isAway), 2, 10)
  t.equal(asked, 4, 'a peer or the table has changed')
  keeper.onStore('gateway1', store(1))
  const [output] = keeper.takeOutput()
  if (output?.type !== 'write') return t.fail('nothing is written')
  keeper.onWritten(output.token)
  keeper.replay(table, ownersOf(isAway), 2, 11)
  t.equal(asked, 7, 'a new hint may be for a partition that others own by now')
})

test('what is still to be dropped from the store counts, and what could not be dropped counts until it is opened anew', async (t) => {
  const keeper = keeperWith([hint(1), hint(2)], 2_500)
  keeper.replay(table, ALL, 1, 0)
  for (const { handoff } of handoffsOf(keeper)) keeper.onHandedOver(handoff, true, 0)
  const drop = keeper.takeOutput().find((output) => output.type === 'write')
  if (drop === undefined) return t.fail('nothing is dropped')
  t.equal(keeper.count, 0)
  keeper.onStore('gateway1', store(9))
  t.same(statusesOf(keeper.takeOutput()), [REPLY.full], 'the store has both of them still')
  keeper.onFailed(drop.token, 'nothing')
  keeper.onStore('gateway1', store(10))
  t.same(statusesOf(keeper.takeOutput()), [REPLY.full])
})

test('room is there again once the store has dropped what was handed over', async (t) => {
  const keeper = keeperWith([hint(1), hint(2)], 2_500)
  keeper.replay(table, ALL, 1, 0)
  for (const { handoff } of handoffsOf(keeper)) keeper.onHandedOver(handoff, true, 0)
  for (const output of keeper.takeOutput()) if (output.type === 'write') keeper.onWritten(output.token)
  t.equal(keeper.bytes, 0)
})

test('a hint whose gateway vanished goes to every owner, to each as it comes', async (t) => {
  const keeper = keeperWith([hint(1)], 5_000)
  keeper.onCoordinatorLost('gateway1')
  keeper.replay(
    table,
    ownersOf((node) => node !== 'node3'),
    1,
    0,
  )
  const first = handoffsOf(keeper)
  t.same(
    first.map(({ node }) => node),
    ['node1', 'node2'],
  )
  for (const { handoff } of first) keeper.onHandedOver(handoff, true, 0)
  t.equal(keeper.count, 1, 'kept for the third')
  keeper.replay(table, NONE, 2, 1)
  t.same(handoffsOf(keeper), [])
  keeper.replay(table, ALL, 3, 2)
  const last = handoffsOf(keeper)
  t.same(
    last.map(({ node }) => node),
    ['node3'],
  )
  for (const { handoff } of last) keeper.onHandedOver(handoff, true, 2)
  t.equal(keeper.count, 0)
})

test('an orphan does not wait for an owner that is down for good, but for the one that it was kept for', async (t) => {
  const isDown = (name: string) => (node: string) => node === name
  for (const [down, left] of [
    ['node1', 0],
    ['node2', 1],
  ] as const) {
    const keeper = keeperOf([hint(1)], 5_000)
    keeper.replay(
      table,
      ownersOf((node) => node !== down, isDown(down)),
      1,
      0,
    )
    for (const { handoff } of handoffsOf(keeper)) keeper.onHandedOver(handoff, true, 0)
    t.equal(keeper.count, left, `${down} is down`)
  }
})

test('what a gateway had sent before it vanished may come after the news; a node that is back is a coordinator again', async (t) => {
  for (const [isBack, nodes] of [
    [false, ['node1', 'node2', 'node3']],
    [true, ['node2']],
  ] as const) {
    const keeper = keeperOf([], 5_000)
    keeper.onCoordinatorLost('node4')
    if (isBack) keeper.onCoordinatorBack('node4')
    keeper.onStore('node4', store(1))
    for (const output of keeper.takeOutput()) if (output.type === 'write') keeper.onWritten(output.token)
    keeper.replay(table, ALL, 1, 0)
    t.same(
      handoffsOf(keeper).map(({ node }) => node),
      nodes,
    )
  }
})

test('an orphan is dropped when the last owner that lacked it is down for good', async (t) => {
  const keeper = keeperOf([hint(1)], 5_000)
  keeper.replay(
    table,
    ownersOf((node) => node !== 'node3'),
    1,
    0,
  )
  for (const { handoff } of handoffsOf(keeper)) keeper.onHandedOver(handoff, true, 0)
  t.equal(keeper.count, 1, 'kept for node3')
  keeper.replay(
    table,
    ownersOf(
      (node) => node !== 'node3',
      (node) => node === 'node3',
    ),
    2,
    1,
  )
  t.equal(keeper.count, 0)
})

test('an owner that refuses does not keep the hints of another from leaving', async (t) => {
  const keeper = keeperOf(
    Array.from({ length: 250 }, (_, index) => hint(index + 1, 10)),
    500_000,
  )
  const reached = new Set<string>()
  for (let round = 0; round < 20; round++) {
    keeper.replay(table, ALL, round, round * 1_000)
    for (const { handoff, node, hint: handed } of handoffsOf(keeper)) {
      if (node === 'node2') reached.add(handed.key)
      keeper.onHandedOver(handoff, node !== 'node1', round * 1_000)
    }
  }
  t.equal(reached.size, 250)
  t.equal(keeper.count, 250, 'kept for node1')
})

test('a gateway that vanishes while its hint is on its way: into the store, or to its target', async (t) => {
  const others = (keeper: HintKeeper) => {
    keeper.replay(table, ALL, 2, 1)
    return handoffsOf(keeper).map(({ node }) => node)
  }
  const storing = keeperOf([], 5_000)
  storing.onStore('node4', store(1))
  storing.onCoordinatorLost('node4')
  storing.onCoordinatorBack('node4')
  for (const output of storing.takeOutput()) if (output.type === 'write') storing.onWritten(output.token)
  t.same(others(storing), ['node1', 'node2', 'node3'])

  const leaving = keeperWith([hint(1)], 5_000)
  leaving.replay(table, ALL, 1, 0)
  const [handed] = handoffsOf(leaving)
  leaving.onCoordinatorLost('gateway1')
  leaving.onHandedOver(handed?.handoff ?? 0, true, 0)
  t.same(others(leaving), ['node1', 'node3'], 'the target has it')
})

test('an orphan goes once more to a node that has died since it accepted it', async (t) => {
  const keeper = keeperOf([hint(1)], 5_000)
  keeper.replay(
    table,
    ownersOf((node) => node !== 'node3'),
    1,
    0,
  )
  for (const { handoff } of handoffsOf(keeper)) keeper.onHandedOver(handoff, true, 0)
  keeper.onCoordinatorLost('node1')
  keeper.replay(table, ALL, 2, 1)
  t.same(
    handoffsOf(keeper).map(({ node }) => node),
    ['node1', 'node3'],
  )
})

test('an orphan stays while one that accepted it dies before the others have answered', async (t) => {
  const keeper = keeperOf([hint(1)], 5_000)
  keeper.replay(table, ALL, 1, 0)
  const [toFirst, ...toOthers] = handoffsOf(keeper)
  keeper.onHandedOver(toFirst?.handoff ?? 0, true, 0)
  keeper.onCoordinatorLost('node1')
  for (const { handoff } of toOthers) keeper.onHandedOver(handoff, true, 0)
  t.equal(keeper.count, 1)
  keeper.replay(table, ALL, 2, 1)
  t.same(
    handoffsOf(keeper).map(({ node }) => node),
    ['node1'],
  )
})

test('a hint for an owner that was replaced does not wait for one that is down for good', async (t) => {
  const replaced = newTable(
    Array.from({ length: 16 }, () => ['node1', 'node4', 'node3']),
    3,
  )
  const keeper = keeperWith([hint(1)], 5_000)
  const isDown = (node: string) => node === 'node2' || node === 'node3'
  keeper.replay(
    replaced,
    ownersOf((node) => !isDown(node), isDown),
    1,
    0,
  )
  for (const { handoff } of handoffsOf(keeper)) keeper.onHandedOver(handoff, true, 0)
  t.equal(keeper.count, 0)
})

test('who leaves gives to all others what it keeps for an owner that is down for good and has no successor', async (t) => {
  const keeper = keeperWith([hint(1)], 5_000)
  const isDown = (node: string) => node === 'node2'
  const owners = ownersOf((node) => !isDown(node), isDown)
  keeper.replay(table, owners, 1, 0)
  t.same(handoffsOf(keeper), [], 'it may come back')
  keeper.retire()
  keeper.replay(table, owners, 1, 0)
  const handoffs = handoffsOf(keeper)
  t.same(
    handoffs.map(({ node }) => node),
    ['node1', 'node3'],
  )
  for (const { handoff } of handoffs) keeper.onHandedOver(handoff, true, 0)
  t.equal(keeper.count, 0)
})
