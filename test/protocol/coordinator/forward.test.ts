/** Requests that a node coordinates for a gateway: `coordination: 'server'`, and every write under `siblings`. */

import { test } from 'tap'
import type { NodeId } from '../../../src/protocol/ids.js'
import { dvvContextOf } from '../../../src/protocol/versions/dvv.js'
import { stampTimePart } from '../../../src/protocol/versions/stamp.js'
import { GATEWAY, VirtualWorld } from '../virtual-world.js'

/** Nodes that were sent a request to coordinate, in order; pings are not requests. */
function coordinators(world: VirtualWorld): NodeId[] {
  return world.sentOf('coordinate/requests').flatMap(({ to, message }) => (message.requests.length > 0 ? [to] : []))
}

function contextOf(world: VirtualWorld, get: number) {
  const outcome = world.outcome(get)
  const record = outcome?.type === 'value' ? outcome.record : undefined
  return record?.kind === 'siblings' ? dvvContextOf(record.set) : {}
}

test('forward: a node coordinates gets and puts; the gateway talks to no replica', async (t) => {
  const world = new VirtualWorld(1, { coordination: 'server' })
  t.equal(world.ended(world.put('k', 'v')), 'written')
  t.equal(world.ended(world.get('k')), '=v')
  const types = new Set(world.sent.filter(({ from }) => from === GATEWAY).map(({ message }) => message.type))
  t.same([...types], ['coordinate/requests'])
})

test('forward: if the coordinator dies, the next one is asked with the same stamp', async (t) => {
  const world = new VirtualWorld(2, { coordination: 'server' })
  const put = world.put('k', 'v')
  world.run(1.5)
  t.equal(world.end(put), 'runs')
  world.crash(coordinators(world)[0] as NodeId)
  t.equal(world.ended(put), 'written')
  t.equal(coordinators(world).length, 2)
  const stamps = world
    .sentOf('replica/write')
    .flatMap(({ message }) => message.records.map((record) => (record.kind === 'lww' ? record.stamp : '')))
  t.equal(new Set(stamps).size, 1)
  t.equal(world.outcomes.get(put)?.length, 1)
})

test('forward: an answer that is lost is waited for as long after coordinators died as ever', async (t) => {
  const world = new VirtualWorld(31, { coordination: 'server' })
  world.filter = ({ message }) => (message.type === 'coordinate/replies' ? 'drop' : 'deliver')
  const get = world.get('k', { timeoutMs: 5_000 })
  for (let deaths = 0; deaths < 2; deaths++) {
    world.run(3)
    const node = coordinators(world).at(-1) as NodeId
    world.crash(node)
    world.spawn(node)
  }
  world.run(20)
  t.equal(coordinators(world).length, 3)
  world.filter = () => 'deliver'
  t.equal(world.end(get), 'runs')
  const before = world.nowMs
  t.equal(world.ended(get), 'none')
  t.ok(world.nowMs - before < 800, `${world.nowMs - before} ms more`)
})

test('forward: a silent coordinator is gone around, and its late answer ends nothing twice', async (t) => {
  const world = new VirtualWorld(3, { coordination: 'server' })
  const put = world.put('k', 'v')
  world.freeze(coordinators(world)[0] as NodeId, 400)
  t.equal(world.ended(put), 'written')
  world.run(1_000)
  t.equal(coordinators(world).length, 2)
  t.equal(world.outcomes.get(put)?.length, 1)
})

test('forward: a coordinator that took requests and says nothing is asked whether it is there', async (t) => {
  const world = new VirtualWorld(4, { coordination: 'server' })
  for (const id of world.owners('k').slice(1)) world.crash(id)
  world.run(5)
  world.put('k', 'v', { timeoutMs: 500 })
  world.run(200)
  const pings = world.sentOf('coordinate/requests').filter(({ message }) => message.requests.length === 0)
  t.ok(pings.length >= 2, `${pings.length} pings`)
})

test("forward: a second coordinator's definite failure says nothing of what the first may have written", async (t) => {
  const world = new VirtualWorld(5, { coordination: 'server' })
  const put = world.put('k', 'v', { timeoutMs: 3_000 })
  world.run(1.2)
  const [first] = coordinators(world) as [NodeId]
  const owners = world.owners('k').filter((id) => id !== first)
  for (const id of owners.slice(0, 2)) world.crash(id, 'down')
  world.crash(first)
  t.equal(world.ended(put), 'OUTCOME_UNKNOWN')
})

test('siblings: an update is given a dot by an owner', async (t) => {
  const world = new VirtualWorld(6, { conflict: 'siblings' })
  t.equal(world.ended(world.put('k', 'v')), 'written')
  const [coordinator] = coordinators(world) as [NodeId]
  t.ok(world.owners('k').includes(coordinator))
  const get = world.get('k')
  t.equal(world.ended(get), '=v')
  t.same(contextOf(world, get), { [`${coordinator}.${world.disks.get(coordinator)?.storeId}`]: 1 })
})

test("siblings: the owner's own store has the dot before anybody else does", async (t) => {
  const world = new VirtualWorld(7, { conflict: 'siblings' })
  const before: boolean[] = []
  world.filter = ({ from, message }) => {
    if (message.type === 'replica/write') before.push(world.stored(from, 'k') === '=v')
    return 'deliver'
  }
  t.equal(world.ended(world.put('k', 'v')), 'written')
  t.ok(before.length >= 2)
  t.notOk(before.includes(false))
})

test('siblings: concurrent updates both stay, a context supersedes what was read and nothing else', async (t) => {
  const world = new VirtualWorld(8, { conflict: 'siblings' })
  const first = world.put('k', 'a')
  const second = world.put('k', 'b')
  t.same([world.ended(first), world.ended(second)], ['written', 'written'])
  const get = world.get('k')
  t.equal(world.ended(get), '=a|b')
  t.equal(world.ended(world.put('k', 'c')), 'written', 'not read, so concurrent')
  t.equal(world.ended(world.put('k', 'd', { context: contextOf(world, get) })), 'written')
  t.equal(world.ended(world.get('k')), '=c|d')
})

test('siblings: concurrent updates by two owners both stay', async (t) => {
  const world = new VirtualWorld(9, { conflict: 'siblings' })
  t.equal(world.ended(world.put('k', 'a')), 'written')
  world.crash(coordinators(world)[0] as NodeId)
  world.run(5)
  t.equal(world.ended(world.put('k', 'b')), 'written')
  t.equal(new Set(coordinators(world)).size, 2)
  const get = world.get('k')
  t.equal(world.ended(get), '=a|b')
  t.equal(Object.keys(contextOf(world, get)).length, 2)
})

test('siblings: one more than the limit is refused, and nothing of it is kept', async (t) => {
  const world = new VirtualWorld(10, { conflict: 'siblings' })
  for (let i = 0; i < 100; i++) t.equal(world.ended(world.put('k', `v${i}`)), 'written')
  t.equal(world.ended(world.put('k', 'one more')), 'SIBLINGS_LIMIT')
  world.run(20)
  for (const id of world.owners('k')) t.notMatch(world.stored(id, 'k'), /one more/)
  const get = world.get('k')
  t.notMatch(world.ended(get), /one more/)
  t.equal(world.ended(world.put('k', 'all', { context: contextOf(world, get) })), 'written', 'a context makes room')
})

test('siblings: an update that was sent is never sent again', async (t) => {
  const world = new VirtualWorld(11, { conflict: 'siblings' })
  const put = world.put('k', 'v')
  world.run(0.05)
  world.crash(coordinators(world)[0] as NodeId)
  t.equal(world.ended(put), 'OUTCOME_UNKNOWN')
  t.equal(coordinators(world).length, 1)

  const silent = new VirtualWorld(12, { conflict: 'siblings' })
  const waiting = silent.put('k', 'v', { timeoutMs: 500 })
  silent.freeze(coordinators(silent)[0] as NodeId, 400)
  t.equal(silent.ended(waiting), 'written', 'a silent owner may still answer')
  t.equal(coordinators(silent).length, 1)
})

test('siblings: a node that is no full owner any more does nothing and says so', async (t) => {
  const world = new VirtualWorld(13, { conflict: 'siblings' })
  const [a, b, c] = world.owners('k') as [NodeId, NodeId, NodeId]
  const other = world.ids.find((id) => !world.owners('k').includes(id)) as NodeId
  world.changeRow('k', { owners: [other, b, c] }, [GATEWAY])
  world.activate()
  world.run(10)
  t.equal(world.ended(world.put('k', 'v')), 'written')
  world.run(20)
  t.equal(coordinators(world)[0], a)
  t.equal(world.stored(a, 'k'), 'none')
  t.equal(world.ended(world.get('k')), '=v')
})

test('forward: an owner whose record was damaged gives no dot twice', async (t) => {
  const world = new VirtualWorld(31, { conflict: 'siblings' })
  const [owner = ''] = world.owners('k')
  // The first update is in its owner's store, and on its way.
  world.filter = (mail) => (mail.message.type === 'replica/write' && mail.from === owner ? 'hold' : 'deliver')
  const first = world.put('k', 'first', { timeoutMs: 5_000 })
  world.run(10)
  t.equal(world.stored(owner, 'k'), '=first')
  world.filter = () => 'deliver'
  world.damage(owner, 'k')
  t.equal(world.ended(world.get('k', { r: 3, timeoutMs: 5_000 })), '=')
  t.equal(world.stored(owner, 'k'), '=', 'healed from those that have nothing')
  world.release()
  t.equal(world.ended(first), 'written')
  t.equal(world.ended(world.put('k', 'second')), 'written')
  t.equal(world.ended(world.get('k', { r: 3 })), '=first|second')
})

test('forward: an owner whose partition moved away and came back gives no dot twice', async (t) => {
  const world = new VirtualWorld(37, { conflict: 'siblings' })
  const owners = world.owners('k')
  const [owner = '', ...others] = owners
  const stranger = world.ids.find((id) => !owners.includes(id)) ?? ''
  t.equal(world.ended(world.put('k', 'first')), 'written')
  world.run(100)
  world.changeRow('k', { owners: [stranger, ...others] })
  world.run(2_000)
  t.equal(world.stored(owner, 'k'), 'none', 'dropped')
  world.changeRow('k', { owners })
  world.run(10)
  world.activate()
  world.run(100)
  const before = world.sentOf('replica/write').length
  t.equal(world.ended(world.put('k', 'second')), 'written')
  t.ok(
    world
      .sentOf('replica/write')
      .slice(before)
      .every(({ from }) => from === owner),
  )
  t.equal(world.ended(world.get('k', { r: 3 })), '=first|second')
})

test('forward: an owner that forgot a delete gives no dot twice', async (t) => {
  const GRACE_MS = 2_500
  const world = new VirtualWorld(38, { conflict: 'siblings', tombstoneGraceMs: GRACE_MS })
  const [owner = ''] = world.owners('k')
  t.equal(world.ended(world.put('k', 'first')), 'written')
  const read = world.get('k')
  world.ended(read)
  const context = contextOf(world, read)
  t.equal(world.ended(world.put('k', null, { context })), 'written')
  for (let time = 0; time < 2; time++) {
    world.run(GRACE_MS + 100)
    const before = stampTimePart(world.clockNs() - BigInt(GRACE_MS) * 1_000_000n)
    for (const id of world.ids) world.order(id, { type: 'reap/start', nodes: world.ids, before })
  }
  world.run(500)
  t.equal(world.stored(owner, 'k'), 'none', 'forgotten')
  t.equal(world.ended(world.put('k', 'second')), 'written')
  t.equal(world.ended(world.put('k', 'third', { context })), 'written')
  t.equal(world.ended(world.get('k', { r: 3 })), '=second|third')
})

test('forward: a coordinator that is slow to take requests is passed over, probed, and asked again once it is quick', async (t) => {
  const world = new VirtualWorld(32, { coordination: 'server' })
  const asked = (from: number) => new Set(coordinators(world).slice(from))
  for (let i = 0; i < 5; i++) world.ended(world.get('k'))
  const [slow = ''] = asked(0)
  t.equal(asked(0).size, 1, 'an idle cluster has one coordinator')
  world.filter = ({ from, to }) => (from === slow && to === GATEWAY ? 40 : 'deliver')
  for (let i = 0; i < 4; i++) {
    world.ended(world.get('k'))
    world.run(100)
  }
  const before = coordinators(world).length
  for (let i = 0; i < 10; i++) world.ended(world.get('k'))
  t.notOk(asked(before).has(slow))
  world.filter = () => 'deliver'
  for (let i = 0; i < 12; i++) {
    world.run(300)
    world.ended(world.get('k'))
  }
  t.same([...asked(coordinators(world).length - 1)], [slow])
})

test('siblings: an update goes to an owner that is not slow, and to a slow one where there is no other', async (t) => {
  const world = new VirtualWorld(33, { conflict: 'siblings' })
  const [slow = '', ...others] = world.owners('k')
  for (let i = 0; i < 3; i++) world.ended(world.put('other', `${i}`))
  world.filter = ({ from, to }) => (from === slow && to === GATEWAY ? 40 : 'deliver')
  for (let i = 0; i < 5; i++) {
    world.ended(world.get('k', { r: 3 }))
    world.run(100)
  }
  t.equal(world.ended(world.put('k', 'v')), 'written')
  t.equal(coordinators(world).at(-1), others[0])
  for (const id of others) world.crash(id)
  world.run(5)
  const put = world.put('k', 'w', { timeoutMs: 3_000 })
  world.run(100)
  t.equal(coordinators(world).at(-1), slow)
  for (const id of others) world.spawn(id)
  t.equal(world.ended(put), 'written')
})

test('forward: nothing waits behind a coordinator that has not taken what it was sent', async (t) => {
  const world = new VirtualWorld(34, { coordination: 'server' })
  world.ended(world.get('k'))
  const [hung = ''] = coordinators(world)
  world.freeze(hung, 500)
  world.get('k')
  world.run(20)
  t.same(coordinators(world), [hung, hung])
  world.get('k')
  t.not(coordinators(world)[2] ?? hung, hung, 'another was sent it at once')
})
