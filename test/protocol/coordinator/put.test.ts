/** The rules of a put, end to end in virtual time: real nodes, a real gateway, a network that obeys the test. */

import { test } from 'tap'
import type { NodeId } from '../../../src/protocol/ids.js'
import { REPLY, type ReplyStatus } from '../../../src/protocol/messages.js'
import type { Mail } from '../virtual-life.js'
import { ownersWorld } from './owners-world.js'

/** Holds the acks of these. */
function holdAcks(...nodes: readonly NodeId[]) {
  return (mail: Mail) => (mail.message.type === 'replica/write-reply' && nodes.includes(mail.from) ? 'hold' : 'deliver')
}

test('put: answers after w owners accepted, not before', async (t) => {
  const { world, a, b, c } = ownersWorld(1)
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
  const { world } = ownersWorld(2)
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
  const { world, a, b, c } = ownersWorld(3)
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
    const made = ownersWorld(seed)
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
  const { world, a, b, c } = ownersWorld(6)
  for (const id of [a, b, c]) world.crash(id)
  world.run(5)
  t.equal(world.ended(world.put('k', 'v', { timeoutMs: 50 })), 'TIMEOUT')
  t.equal(world.sentOf('replica/write').length, 0)
})

test('put: fails definitely if every replica refused it', async (t) => {
  const { world, d, e, f } = ownersWorld(7, { nodes: 6 })
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
  const { world, a, b, c } = ownersWorld(8, { nodes: 6 })
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
    const { world, a, b, c } = ownersWorld(9)
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
  const { world, b, c } = ownersWorld(10)
  world.crash(b)
  world.crash(c)
  world.run(5)
  const put = world.put('k', 'v', { timeoutMs: 5_000 })
  world.run(1_000)
  t.equal(world.end(put), 'runs')
  world.spawn(c)
  t.equal(world.ended(put), 'written')

  const down = ownersWorld(11)
  down.world.crash(down.b, 'down')
  down.world.crash(down.c, 'down')
  down.world.run(5)
  const refused = down.world.put('k', 'v', { timeoutMs: 5_000 })
  t.equal(down.world.end(refused), 'QUORUM_UNAVAILABLE', 'in the same step')
  t.equal(down.world.sentOf('replica/write').length, 0)
})

test('put: a request that waited fails as soon as its quorum can never come together', async (t) => {
  const { world, b, c } = ownersWorld(12)
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
  const { world, a } = ownersWorld(13)
  world.changeRow('k', { owners: [a, null, null], lost: true })
  world.run(10)
  t.equal(world.ended(world.put('k', 'v')), 'PARTITION_LOST')
  t.equal(world.ended(world.get('k')), 'PARTITION_LOST')
})

test('put: refused by every owner is a definite failure, at once, whatever the order of the answers', async (t) => {
  for (let seed = 20; seed < 26; seed++) {
    const { world, a, b, c } = ownersWorld(seed)
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
    const { world, a, b, c } = ownersWorld(seed)
    world.fullDisks.add(b)
    world.fullDisks.add(c)
    const before = world.nowMs
    t.equal(world.ended(world.put('k', 'v')), 'OUTCOME_UNKNOWN')
    t.ok(world.nowMs - before < 50)
    t.equal(world.stored(a, 'k'), '=v')
  }
})

test('put: an owner that refused takes the write in its next life', async (t) => {
  const { world, b, c } = ownersWorld(60)
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
