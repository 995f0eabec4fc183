/** Where requests enter: what is refused, what a batch is, how each request ends once. */

import { test } from 'tap'
import { Gateway } from '../../src/protocol/gateway.js'
import type { NodeId } from '../../src/protocol/ids.js'
import { partitionOf } from '../../src/protocol/ring/slot.js'
import { GATEWAY, VirtualWorld } from './virtual-world.js'

test('gateway: more requests than the bound are refused with OVERLOADED, and taken again after', async (t) => {
  const world = new VirtualWorld(1, { requestsInFlightMax: 2 })
  const gets = [world.get('a'), world.get('b'), world.get('c')]
  t.same(
    gets.map((id) => world.end(id)),
    ['runs', 'runs', 'OVERLOADED'],
  )
  world.run(20)
  t.equal(world.ended(world.get('c')), 'none')
})

test('gateway: more bytes than the bound are refused with OVERLOADED, writes that linger included', async (t) => {
  const world = new VirtualWorld(2, { bytesInFlightMax: 10_000 })
  const [, , c] = world.owners('k')
  world.crash(c as NodeId)
  world.run(5)
  t.equal(world.ended(world.put('k', 'x'.repeat(20_000))), 'written')
  t.equal(world.end(world.get('a')), 'OVERLOADED')
  world.run(2_500)
  t.equal(world.ended(world.get('a')), 'none')
})

test('gateway: without a clock puts are refused with CLOCK_UNAVAILABLE, gets are not', async (t) => {
  const world = new VirtualWorld(3)
  const deadlineMs = world.nowMs + 1_000
  const put = { kind: 'put' as const, id: 9_001, keys: ['k'], values: [null], w: 2, sloppy: false, deadlineMs }
  const get = { kind: 'get' as const, id: 9_002, key: 'k', r: 2, sloppy: false, deadlineMs }
  world.stepGateway({ type: 'client/requests', requests: [put, get], stampTimeNs: undefined })
  t.equal(world.end(9_001), 'CLOCK_UNAVAILABLE')
  t.equal(world.ended(9_002), 'none')
})

test('gateway: close ends what runs, tells an unknown outcome as unknown, and refuses the rest', async (t) => {
  const world = new VirtualWorld(4)
  const get = world.get('k')
  const put = world.put('k', 'v')
  world.stepGateway({ type: 'close' })
  const after = world.get('k')
  t.same(
    [get, put, after].map((id) => world.end(id)),
    ['CLOSED', 'OUTCOME_UNKNOWN', 'CLOSED'],
  )
  world.run(100)
  for (const id of [get, put, after]) t.equal(world.outcomes.get(id)?.length, 1)
})

test('gateway: of a thread that ends its link tells first, and its reads go elsewhere', async (t) => {
  const world = new VirtualWorld(6)
  t.equal(world.ended(world.put('k', 'v', { w: 3 })), 'written')
  const get = world.get('k', { r: 1 })
  const [asked] = world.sentOf('replica/read').map(({ to }) => to)
  world.filter = ({ from }) => (from === asked ? 'drop' : 'deliver')
  world.stepGateway({ type: 'link/closed', node: asked as NodeId, incarnation: 1 })
  const toldMs = world.nowMs
  t.equal(world.ended(get), '=v')
  t.ok(world.nowMs - toldMs < world.config.avoidAfterMs, 'before anybody is silent')
})

test('gateway: a link that closes late says nothing about a later life, or against what is certain', async (t) => {
  const world = new VirtualWorld(7)
  const [a, b, c] = world.owners('k') as [NodeId, NodeId, NodeId]
  world.crash(a)
  world.run(5)
  world.spawn(a)
  world.run(20)
  world.stepGateway({ type: 'link/closed', node: a, incarnation: 1 })
  for (const node of [b, c]) world.crash(node, 'down')
  world.run(5)
  t.equal(world.ended(world.get('k', { r: 1 })), 'none', 'its second life answers')
  for (const node of [b, c]) world.stepGateway({ type: 'link/closed', node, incarnation: 1 })
  t.equal(world.end(world.put('k', 'v', { timeoutMs: 5_000 })), 'QUORUM_UNAVAILABLE', 'nobody waits for who is down')
  // Of a thread that has read what they left.
  for (const node of [b, c]) world.stepGateway({ type: 'link/closed', node, incarnation: 2 })
  t.equal(world.end(world.put('k', 'v', { timeoutMs: 5_000 })), 'QUORUM_UNAVAILABLE', 'nor for who was never announced')
})

test('gateway: an empty batch is written', async (t) => {
  const world = new VirtualWorld(5)
  t.equal(world.end(world.putMany([], [])), 'written')
})

test('gateway: a batch has one stamp, and of duplicate keys the last wins', async (t) => {
  const world = new VirtualWorld(6)
  const keys = ['a', 'b', 'c', 'd', 'a', '{x}1', '{x}2', '{x}1']
  t.ok(new Set(keys.map((key) => partitionOf(key, 16))).size > 2)
  t.equal(world.ended(world.putMany(keys, ['1', '2', '3', '4', '5', '6', '7', '8'])), 'written')
  const records = world.sentOf('replica/write').flatMap(({ message }) => message.records)
  t.equal(new Set(records.map((record) => (record.kind === 'lww' ? record.stamp : ''))).size, 1)
  t.equal(world.ended(world.get('a')), '=5')
  t.equal(world.ended(world.get('{x}1')), '=8')
  t.equal(world.ended(world.get('{x}2')), '=7')
})

test('gateway: puts of one turn have different stamps, the later the higher', async (t) => {
  const world = new VirtualWorld(7)
  const deadlineMs = world.nowMs + 1_000
  const requests = ['1', '2', '3'].map((text, index) => {
    const values = [new TextEncoder().encode(text)]
    return { kind: 'put' as const, id: 9_001 + index, keys: ['k'], values, w: 3, sloppy: false, deadlineMs }
  })
  world.stepGateway({ type: 'client/requests', requests, stampTimeNs: world.clockNs() })
  t.same(
    [9_001, 9_002, 9_003].map((id) => world.ended(id)),
    ['written', 'written', 'written'],
  )
  t.equal(world.ended(world.get('k')), '=3')
})

/** Two keys whose owners are not the same two down nodes. */
function mixed(world: VirtualWorld): { readonly good: string; readonly bad: string; readonly away: readonly NodeId[] } {
  const bad = 'k'
  const away = world.owners(bad).slice(0, 2)
  for (let i = 0; i < 1_000; i++) {
    const good = `g${i}`
    if (world.owners(good).filter((id) => !away.includes(id)).length >= 2) return { good, bad, away }
  }
  throw new Error('no such key')
}

test('gateway: a batch of which a part was written and a part failed ends as OUTCOME_UNKNOWN', async (t) => {
  const world = new VirtualWorld(8)
  const { good, bad, away } = mixed(world)
  for (const id of away) world.crash(id, 'down')
  world.run(5)
  t.equal(world.ended(world.put(bad, 'v')), 'QUORUM_UNAVAILABLE')
  const batch = world.putMany([good, bad], ['v', 'v'])
  t.equal(world.ended(batch), 'OUTCOME_UNKNOWN')
  t.match(world.outcome(batch), { failure: { detail: /written in 1 of 2 partitions/ } })
  t.equal(world.ended(world.get(good)), '=v')
})

test('gateway: a batch of which nothing can have been written ends with the definite failure', async (t) => {
  const world = new VirtualWorld(9)
  const { bad, away } = mixed(world)
  for (const id of away) world.crash(id, 'down')
  world.run(5)
  t.equal(world.end(world.putMany([bad, `{${bad}}2`], ['v', 'v'])), 'QUORUM_UNAVAILABLE')
})

test('gateway: takes a newer table, tells it, and gives it to who asks', async (t) => {
  const world = new VirtualWorld(10)
  world.changeRow('k', {}, world.ids)
  world.run(5)
  t.equal(world.gateway.table.epoch, 2)
  t.match(world.notices.at(-1), { type: 'table', table: { epoch: 2 } })
  const [effect] = world.gateway.step(
    { type: 'message', from: 'node1', message: { type: 'table/request', epoch: 1 } },
    world.nowMs,
  )
  t.match(effect, { type: 'send', to: 'node1', message: { type: 'table/announce', table: { epoch: 2 } } })
  world.stepGateway({
    type: 'message',
    from: 'node1',
    message: { type: 'table/announce', table: { ...world.table, epoch: 1 } },
  })
  t.equal(world.gateway.table.epoch, 2, 'epochs only grow')
  t.equal(world.gateway.id, GATEWAY)
})

test('gateway: 200,000 puts while a node stands still: no more than one message of a kind is on its way to it', async (t) => {
  const world = new VirtualWorld(40, { requestsInFlightMax: 1_000 })
  const hung = 'node1'
  world.freeze(hung, 1e6)
  const from = world.sent.length
  const values = [new Uint8Array(1)]
  let refused = 0
  let most = 0
  world.onReply = (_, outcome) => {
    if (outcome.type === 'failed' && outcome.failure.code === 'OVERLOADED') refused += 1
  }
  for (let id = 1; id <= 200_000; ) {
    const requests = Array.from({ length: 2_000 }, () => {
      const put = { kind: 'put' as const, id, keys: [`k${id % 500}`], values, w: 2, sloppy: false }
      id += 1
      return { ...put, deadlineMs: world.nowMs + 1_000 }
    })
    world.stepGateway({ type: 'client/requests', requests, stampTimeNs: world.clockNs() })
    most = Math.max(most, world.gateway.running)
    world.run(1)
  }
  const ids = new Map<string, Set<number>>()
  for (const { from: sender, to, message } of world.sent.slice(from)) {
    if (to !== hung || !('id' in message) || message.type === 'link/ping') continue
    const kind = `${message.type} from ${sender}`
    ids.set(kind, (ids.get(kind) ?? new Set()).add(message.id))
  }
  t.same(
    [...ids.values()].map(({ size }) => size),
    new Array(ids.size).fill(1),
    [...ids.keys()].join(', '),
  )
  t.ok(ids.size > 0)
  t.ok(most <= 1_000, `${most} in flight at most`)
  t.ok(refused > 100_000, `${refused} were refused at once`)
})

test('gateway: the stamp of a put that is mirrored is told before its end, and of no other', async (t) => {
  const world = new VirtualWorld(11)
  const gateway = new Gateway('gateway9', world.config, world.table)
  const put = {
    kind: 'put' as const,
    keys: ['k'],
    values: [null],
    w: 2,
    sloppy: false,
    deadlineMs: world.nowMs + 1_000,
  }
  const requests = [
    { ...put, id: 1 },
    { ...put, id: 2, mirrored: true },
    { ...put, id: 3, keys: [], values: [], mirrored: true },
  ]
  const effects = gateway.step({ type: 'client/requests', requests, stampTimeNs: 255n }, world.nowMs)
  const stamped = effects.filter(({ type }) => type === 'stamped')
  t.same(stamped, [
    { type: 'stamped', id: 2, stamp: '00000000000000ff.gateway9.0001' },
    { type: 'stamped', id: 3, stamp: '00000000000000ff.gateway9.0002' },
  ])
  const placeOf = (wanted: string, id: number) =>
    effects.findIndex((one) => one.type === wanted && 'id' in one && one.id === id)
  for (const id of [2, 3]) t.ok(placeOf('stamped', id) < placeOf('reply', id))
})
