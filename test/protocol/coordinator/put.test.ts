/** The rules of a put, end to end in virtual time: real nodes, a real gateway, a network that obeys the test. */

import { test } from 'tap'
import type { NodeId } from '../../../src/protocol/ids.js'
import { REPLY, type ReplyStatus } from '../../../src/protocol/messages.js'
import { type Mail, VirtualWorld } from '../virtual-world.js'

/** Three owners of `k`, and two or more others. */
function worldOf(seed: number, options: ConstructorParameters<typeof VirtualWorld>[1] = {}) {
  const world = new VirtualWorld(seed, options)
  const [a, b, c] = world.owners('k') as [NodeId, NodeId, NodeId]
  const [d, e, f] = world.ids.filter((id) => !world.owners('k').includes(id)) as [NodeId, NodeId, NodeId]
  return { world, a, b, c, d, e, f }
}

/** Holds the acks of these. */
function holdAcks(...nodes: readonly NodeId[]) {
  return (mail: Mail) => (mail.message.type === 'replica/write-reply' && nodes.includes(mail.from) ? 'hold' : 'deliver')
}

test('put: answers after w owners accepted, not before', async (t) => {
  const { world, a, b, c } = worldOf(1)
  world.filter = holdAcks(b, c)
  const put = world.put('k', 'v')
  world.run(30)
  t.equal(world.stored(a, 'k'), '=v')
  t.equal(world.end(put), 'runs', 'one ack of two')
  world.release()
  t.equal(world.ended(put), 'written')
  t.equal(world.outcomes.get(put)?.length, 1)
})

test('put: an ack is sent only once the store has accepted', async (t) => {
  const { world } = worldOf(2)
  const early: NodeId[] = []
  world.filter = ({ from, message }) => {
    if (message.type === 'replica/write-reply' && world.stored(from, 'k') !== '=v') early.push(from)
    return 'deliver'
  }
  t.equal(world.ended(world.put('k', 'v')), 'written')
  world.run(10)
  t.same(early, [])
})

test('put: under strict, what a fallback keeps does not count toward w', async (t) => {
  const { world, a, b, c } = worldOf(3)
  world.crash(b)
  world.crash(c)
  world.run(5)
  const put = world.put('k', 'v', { timeoutMs: 200 })
  t.equal(world.ended(put), 'OUTCOME_UNKNOWN')
  world.run(100)
  t.equal(world.stored(a, 'k'), '=v')
  t.ok(world.sentOf('hint/stored').length > 0, 'though fallbacks took hints')
})

test('put: a joint row needs w of the old owners and w of the new', async (t) => {
  const joint = (seed: number) => {
    const made = worldOf(seed)
    made.world.changeRow('k', { pending: [null, null, made.d] })
    made.world.run(10)
    return made
  }
  const old = joint(4)
  old.world.filter = holdAcks(old.b, old.d)
  const first = old.world.put('k', 'v')
  old.world.run(30)
  t.equal(old.world.end(first), 'runs', 'two old owners, one new')
  old.world.release()
  t.equal(old.world.ended(first), 'written')

  const fresh = joint(5)
  fresh.world.filter = holdAcks(fresh.b, fresh.c)
  const second = fresh.world.put('k', 'v')
  fresh.world.run(30)
  t.equal(fresh.world.end(second), 'runs', 'two new owners, one old')
  fresh.world.release()
  t.equal(fresh.world.ended(second), 'written')
})

test('put: fails definitely if no replica was sent it', async (t) => {
  const { world, a, b, c } = worldOf(6)
  for (const id of [a, b, c]) world.crash(id)
  world.run(5)
  t.equal(world.ended(world.put('k', 'v', { timeoutMs: 50 })), 'TIMEOUT')
  t.equal(world.sentOf('replica/write').length, 0)
})

test('put: fails definitely if every replica refused it', async (t) => {
  const { world, d, e, f } = worldOf(7, { nodes: 6 })
  world.changeRow('k', { owners: [d, e, f] })
  world.run(10)
  // All three are guarded and say so within 3 ms; they are asked again after 4 ms more.
  const put = world.put('k', 'v', { timeoutMs: 4 })
  t.equal(world.ended(put), 'TIMEOUT')
  t.equal(world.sentOf('replica/write').length, 3)
  world.run(100)
  for (const id of world.ids) t.equal(world.stored(id, 'k'), 'none')
})

test('put: an earlier life that may have kept it makes the outcome unknown', async (t) => {
  const { world, a, b, c } = worldOf(8, { nodes: 6 })
  world.crash(b)
  world.crash(c)
  world.run(5)
  const put = world.put('k', 'v', { timeoutMs: 300 })
  world.run(0.05)
  t.equal(world.sentOf('replica/write').length, 1)
  world.crash(a)
  world.run(5)
  t.equal(world.end(put), 'runs')
  t.equal(world.ended(put), 'OUTCOME_UNKNOWN')
})

test('put: what an earlier life may have kept stays unknown although the next life refuses', async (t) => {
  // Deadlines while the next life is being asked, and between two of its refusals.
  for (let timeoutMs = 60; timeoutMs < 66; timeoutMs += 0.5) {
    const { world, a, b, c } = worldOf(9)
    world.ended(world.put('k', 'v1'))
    world.run(50)
    world.crash(b)
    world.crash(c)
    world.run(5)
    const before = world.sentOf('replica/write-reply').length
    const put = world.put('k', 'v2', { timeoutMs })
    world.run(0.05)
    world.crash(a)
    world.damage(a, 'k')
    world.spawn(a)
    t.equal(world.ended(put), 'OUTCOME_UNKNOWN')
    const refusals = world.sentOf('replica/write-reply').slice(before)
    t.ok(refusals.length > 0)
    // The last may come too late; that is a refusal, too.
    const isRefused = (status: ReplyStatus) => status === REPLY.unknown || status === REPLY.expired
    t.ok(refusals.every(({ message }) => message.statuses.every(isRefused)))
  }
})

test('put: waits for a restarting owner, and fails at once only for owners that are down', async (t) => {
  const { world, b, c } = worldOf(10)
  world.crash(b)
  world.crash(c)
  world.run(5)
  const put = world.put('k', 'v', { timeoutMs: 5_000 })
  world.run(1_000)
  t.equal(world.end(put), 'runs')
  world.spawn(c)
  t.equal(world.ended(put), 'written')

  const down = worldOf(11)
  down.world.crash(down.b, 'down')
  down.world.crash(down.c, 'down')
  down.world.run(5)
  const refused = down.world.put('k', 'v', { timeoutMs: 5_000 })
  t.equal(down.world.end(refused), 'QUORUM_UNAVAILABLE', 'in the same step')
  t.equal(down.world.sentOf('replica/write').length, 0)
})

test('put: a request that waited fails as soon as its quorum can never come together', async (t) => {
  const { world, b, c } = worldOf(12)
  world.crash(b)
  world.crash(c)
  world.run(5)
  const put = world.put('k', 'v', { timeoutMs: 60_000 })
  world.run(100)
  world.crash(b, 'down')
  world.crash(c, 'down')
  world.run(5)
  t.equal(world.end(put), 'OUTCOME_UNKNOWN', 'one owner has it')
})

test('put and get: a lost row says so', async (t) => {
  const { world, a } = worldOf(13)
  world.changeRow('k', { owners: [a, null, null], lost: true })
  world.run(10)
  t.equal(world.ended(world.put('k', 'v')), 'PARTITION_LOST')
  t.equal(world.ended(world.get('k')), 'PARTITION_LOST')
})

test('put: an owner that missed a write gets a hint and, once back, the write', async (t) => {
  const { world, c, d, e } = worldOf(14)
  world.crash(c)
  world.run(5)
  t.equal(world.ended(world.put('k', 'v')), 'written')
  world.run(2_000)
  t.equal(world.hintsOf(d) + world.hintsOf(e), 1)
  t.equal(world.gateway.lingering, 0)
  world.spawn(c)
  world.run(500)
  t.equal(world.stored(c, 'k'), '=v')
  t.equal(world.hintsOf(d) + world.hintsOf(e), 0)
})

test('put: an owner that is back within the lingering gets the write itself', async (t) => {
  const { world, c } = worldOf(15)
  world.crash(c)
  world.run(5)
  t.equal(world.ended(world.put('k', 'v')), 'written')
  world.spawn(c)
  world.run(50)
  t.equal(world.stored(c, 'k'), '=v')
  t.equal(world.sentOf('hint/store').length, 0)
})

test('put: a hint that nobody takes is told to the supervisor', async (t) => {
  const { world, c } = worldOf(16, { hintBytesMax: 10 })
  world.crash(c)
  world.run(5)
  t.equal(world.ended(world.put('k', 'v')), 'written')
  world.run(2_000)
  const lost = world.told.flatMap(({ message }) => (message.type === 'hint/lost' ? message.targets : []))
  t.same(lost, [c])
})

test('put: past the hint window nobody keeps a hint, and the supervisor is told of who lacks the write', async (t) => {
  const { world, c } = worldOf(27, { hintWindowMs: 100 })
  world.crash(c)
  world.run(150)
  t.equal(world.ended(world.put('k', 'v')), 'written')
  world.run(2_000)
  t.equal(world.sentOf('hint/store').length, 0)
  const lost = world.told.flatMap(({ message }) => (message.type === 'hint/lost' ? message.targets : []))
  t.same([...new Set(lost)], [c])
})

test('put: sloppy, two owners away: w = 2 by hints, which are handed back', async (t) => {
  const { world, b, c, d, e } = worldOf(17)
  world.crash(b)
  world.crash(c)
  world.run(5)
  t.equal(world.ended(world.put('k', 'v', { sloppy: true })), 'written')
  world.run(10)
  t.equal(world.hintsOf(d) + world.hintsOf(e), 2)
  t.equal(world.ended(world.get('k', { sloppy: true })), '=v')
  world.spawn(b)
  world.spawn(c)
  world.run(2_500)
  t.equal(world.stored(b, 'k'), '=v')
  t.equal(world.stored(c, 'k'), '=v')
  t.equal(world.hintsOf(d) + world.hintsOf(e), 0)
})

test('put: sloppy, a keeper that is silent while a hint waits for it is asked again once it answers', async (t) => {
  const { world, a, b, c, d, e } = worldOf(18)
  for (const node of [a, b, c]) world.crash(node)
  world.run(5)
  for (const node of [d, e]) world.freeze(node, 120)
  // Both keepers are sent this one; the next waits for their answers.
  const first = world.put('k', 'one', { sloppy: true })
  world.run(1)
  const second = world.put('k', 'two', { sloppy: true })
  t.equal(world.ended(first), 'written')
  t.equal(world.ended(second), 'written')
})

test('put: sloppy, keepers that are silent while the hints of a batch wait for them are asked again once they answer', async (t) => {
  const { world, a, b, c, d, e } = worldOf(18)
  for (const node of [a, b, c]) world.crash(node)
  world.run(5)
  for (const node of [d, e]) world.freeze(node, 120)
  const first = world.put('k', 'one', { sloppy: true })
  world.run(1)
  const second = world.putMany(['k', '{k}2'], ['two', 'three'], { sloppy: true })
  t.equal(world.ended(first), 'written')
  t.equal(world.ended(second), 'written')
})

test('put: sloppy, keepers that are silent while they have half of a batch get the other half once they answer', async (t) => {
  const { world, a, b, c, d, e } = worldOf(18)
  for (const node of [a, b, c]) world.crash(node)
  world.run(5)
  const keys = Array.from({ length: 6 }, (_, number) => `{k}${number}`)
  const text = 'x'.repeat(400_000)
  // Three of them are sent, and stored; the others wait for the answer.
  for (const node of [d, e]) world.freeze(node, 120)
  const put = world.putMany(
    keys,
    keys.map(() => text),
    { sloppy: true },
  )
  t.equal(world.ended(put), 'written')
  for (const node of [a, b]) world.spawn(node)
  world.run(20_000)
  t.same(
    keys.filter((key) => world.stored(a, key) !== `=${text}`),
    [],
  )
})

test('put: sloppy, keepers that die with a hint are asked again in their next life', async (t) => {
  const { world, a, b, c, d, e } = worldOf(19)
  world.fullDisks.add(a)
  world.fullDisks.add(b)
  for (const node of [d, e]) world.freeze(node, 50)
  const put = world.put('k', 'v', { w: 3, sloppy: true })
  world.run(10)
  for (const node of [d, e]) world.crash(node)
  world.run(10)
  for (const node of [d, e]) world.spawn(node)
  t.equal(world.ended(put), 'written')
  t.equal(world.stored(c, 'k'), '=v')
  t.ok(world.hintsOf(d) > 0 && world.hintsOf(e) > 0)
})

test('put: sloppy, keepers that refused and then died kept nothing: the failure stays definite', async (t) => {
  const { world, a, b, c, d, e } = worldOf(50)
  for (const node of [a, b, c, d, e]) world.fullDisks.add(node)
  // The last owner's refusal is late: the request goes on while the keepers come back.
  world.filter = ({ message, from }) => (message.type === 'replica/write-reply' && from === c ? 40 : 'deliver')
  const put = world.put('k', 'v', { w: 3, sloppy: true })
  world.run(15)
  for (const node of [d, e]) world.crash(node)
  world.run(5)
  for (const node of [d, e]) world.spawn(node)
  t.equal(world.ended(put), 'STORE_FAILED')
  for (const node of [a, b, c]) t.equal(world.stored(node, 'k'), 'none')
  t.equal(world.hintsOf(d) + world.hintsOf(e), 0)
})

test('put: refused by every owner is a definite failure, at once, whatever the order of the answers', async (t) => {
  for (let seed = 20; seed < 26; seed++) {
    const { world, a, b, c } = worldOf(seed)
    for (const node of [a, b, c]) world.fullDisks.add(node)
    const before = world.nowMs
    t.equal(world.ended(world.put('k', 'v')), 'STORE_FAILED')
    t.ok(world.nowMs - before < 50, `${world.nowMs - before} ms`)
    world.run(2_000)
    t.equal(world.hintsOf(a) + world.hintsOf(b) + world.hintsOf(c), 0)
    for (const node of [a, b, c]) t.equal(world.stored(node, 'k'), 'none')
  }
})

test('put: where one owner took it and two refuse, nobody can say that it is nowhere', async (t) => {
  for (let seed = 30; seed < 36; seed++) {
    const { world, a, b, c } = worldOf(seed)
    world.fullDisks.add(b)
    world.fullDisks.add(c)
    const before = world.nowMs
    t.equal(world.ended(world.put('k', 'v')), 'OUTCOME_UNKNOWN')
    t.ok(world.nowMs - before < 50)
    t.equal(world.stored(a, 'k'), '=v')
  }
})

test('put: an owner on a full disk gets a hint, kept by a node that has room, and the write when it has room', async (t) => {
  const { world, c, d, e, f } = worldOf(40, { nodes: 6 })
  // The first keepers that come to mind are full as well.
  for (const node of [c, d, e]) world.fullDisks.add(node)
  t.equal(world.ended(world.put('k', 'v')), 'written')
  world.run(2_500)
  t.equal(world.hintsOf(f), 1)
  world.fullDisks.clear()
  world.run(1_000)
  t.equal(world.stored(c, 'k'), '=v')
  t.equal(world.hintsOf(f), 0)
})

test('put: sloppy, two owners on full disks: fallbacks stand in for them', async (t) => {
  const { world, b, c, d, e } = worldOf(41)
  world.fullDisks.add(b)
  world.fullDisks.add(c)
  t.equal(world.ended(world.put('k', 'v', { sloppy: true })), 'written')
  world.run(10)
  t.equal(world.hintsOf(d) + world.hintsOf(e), 2)
})

test('put: sloppy, refused by every owner and every stand-in, is a definite failure, at once', async (t) => {
  for (let seed = 50; seed < 56; seed++) {
    const { world } = worldOf(seed)
    for (const node of world.ids) world.fullDisks.add(node)
    const before = world.nowMs
    t.equal(world.ended(world.put('k', 'v', { sloppy: true })), 'STORE_FAILED')
    t.ok(world.nowMs - before < 100, `${world.nowMs - before} ms`)
    world.fullDisks.clear()
    world.run(2_000)
    for (const node of world.ids) t.equal(world.stored(node, 'k'), 'none')
  }
})

test('put: an owner that refused takes the write in its next life', async (t) => {
  const { world, b, c } = worldOf(60)
  world.filter = holdAcks(b)
  world.fullDisks.add(c)
  const put = world.put('k', 'v')
  world.run(20)
  t.equal(world.end(put), 'runs')
  world.fullDisks.delete(c)
  world.crash(c)
  world.run(5)
  world.spawn(c)
  t.equal(world.ended(put), 'written')
  t.equal(world.stored(c, 'k'), '=v')
})

test('put: a big batch that an owner misses is hinted key by key, however late keepers answer', async (t) => {
  const world = new VirtualWorld(41)
  const keys = Array.from({ length: 300 }, (_, number) => `{tag}${number}`)
  const [owner = ''] = world.owners(keys[0] as string)
  world.crash(owner)
  const text = 'x'.repeat(150_000)
  t.equal(
    world.ended(
      world.putMany(
        keys,
        keys.map(() => text),
        { timeoutMs: 5_000 },
      ),
    ),
    'written',
  )
  // One keeper falls silent in the middle, and answers later.
  const keeper = world.ids.find((id) => !world.owners(keys[0] as string).includes(id)) ?? ''
  let held = 0
  world.filter = ({ message, from }) =>
    message.type === 'hint/stored' && from === keeper && held++ < 3 ? 200 : 'deliver'
  world.run(40_000)
  t.equal(world.gateway.lingering, 0)
  t.same(
    world.told.filter(({ message }) => message.type === 'hint/lost'),
    [],
  )
  world.filter = () => 'deliver'
  world.spawn(owner)
  world.run(10_000)
  t.same(
    keys.filter((key) => world.stored(owner, key) !== `=${text}`),
    [],
  )
})

test('put: sloppy, begun anew under another row: what a fallback keeps makes the outcome unknown', async (t) => {
  const world = new VirtualWorld(43)
  const [a = '', b = '', c = ''] = world.owners('k')
  for (const owner of [a, b, c]) world.fullDisks.add(owner)
  const put = world.put('k', 'v', { sloppy: true, w: 3, timeoutMs: 3_000 })
  world.run(100)
  t.not(world.ids.filter((node) => world.hintsOf(node) > 0).length, 0, 'hints are kept, fewer than w')
  // Once everybody has fallen silent the row changes: nobody is asked under it before the time is up.
  for (const node of world.ids) world.crash(node)
  world.run(1_500)
  world.changeRow('k', { owners: [b, a, c] })
  t.equal(world.end(put), 'runs')
  t.equal(world.ended(put), 'OUTCOME_UNKNOWN')
})
