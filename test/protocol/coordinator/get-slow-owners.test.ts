/** A get whose owners are slow, silent or just back: who is asked first, who is gone around, what is hedged. */

import { test } from 'tap'
import { SUPERVISOR } from '../../../src/protocol/ids.js'
import { askedWorld, readsTo } from './owners-world.js'

test('get: a silent owner is gone around, and still waited for where nobody else is left', async (t) => {
  const { world, x, z } = askedWorld(14, { hedgeBudgetPercent: 0 })
  world.freeze(x, 300)
  const get = world.get('k')
  world.run(45)
  t.equal(readsTo(world, z), 0)
  world.run(10)
  t.equal(world.ended(get), 'none')
  t.equal(readsTo(world, z), 1)
  world.crash(z)
  const late = world.get('k')
  t.equal(world.ended(late), 'none')
})

test('get: a hedge only within the budget', async (t) => {
  const without = askedWorld(15)
  without.world.freeze(without.x, 40)
  without.world.get('k')
  without.world.run(40)
  t.equal(readsTo(without.world, without.z), 0, 'nothing has been saved up yet')

  const { world, x, y, z } = askedWorld(16)
  const reads = () => readsTo(world, x) + readsTo(world, y) + readsTo(world, z)
  for (let i = 0; i < 100; i++) world.ended(world.get('k'))
  // 200 reads at 5 % allow ten hedged reads; a message is hedged as a whole or not at all.
  t.equal(reads(), 200)
  for (let round = 0; round < 60; round++) {
    world.freeze([x, y, z][round % 3] ?? x, 40)
    world.ended(world.get('k'))
    world.run(45)
  }
  const more = reads() - 320
  t.ok(more >= 5, 'it hedges')
  // 5 % of 320, and what slow ones are probed in 2.7 s.
  t.ok(more <= 16 + 11, `${more} reads more than were asked for`)
})

test('get: reads that came before or after a hedge do not wait behind the one that was hedged', async (t) => {
  const { world, x, z } = askedWorld(20, { hedgeBudgetPercent: 50 })
  for (let i = 0; i < 4; i++) world.ended(world.get('k'))
  const sinceMs = world.nowMs
  world.freeze(x, 500)
  const hedged = world.get('k')
  world.run(5)
  // x has not answered the first, so that this one waits for its turn there.
  const behind = world.get('k')
  t.equal(world.ended(hedged), 'none')
  const keys = world.sentOf('replica/read').flatMap(({ to, message }) => (to === z ? message.keys : []))
  t.same(keys, ['k', 'k'], 'both are asked of the third owner')
  t.equal(world.ended(behind), 'none')
  t.equal(world.ended(world.get('k')), 'none')
  const { avoidAfterMs } = world.config
  t.ok(world.nowMs - sinceMs < avoidAfterMs, `${world.nowMs - sinceMs} ms: sooner than x is taken for silent`)
})

test('get: a write that waits for a slow disk is no reason to hedge the reads, which are answered', async (t) => {
  const { world, x, y, z } = askedWorld(21)
  for (let i = 0; i < 200; i++) world.ended(world.get('k'))
  world.filter = ({ from, message }) => (from === x && message.type === 'replica/write-reply' ? 'hold' : 'deliver')
  t.equal(world.ended(world.put('k', 'v')), 'written')
  const [x0, y0] = [readsTo(world, x), readsTo(world, y)]
  const sinceMs = world.nowMs
  while (world.nowMs - sinceMs < 40) t.equal(world.ended(world.get('k')), '=v')
  t.equal(readsTo(world, z), 0, 'x answers reads as soon as ever')
  t.equal(readsTo(world, x) - x0, readsTo(world, y) - y0)
})

test('a slow disk is found out by its writes while the node answers reads, whatever hedges could be paid', async (t) => {
  const { world, x } = askedWorld(24, { hedgeBudgetPercent: 50 })
  for (let i = 0; i < 200; i++) world.ended(world.get('k'))
  world.filter = ({ from, message }) => (from === x && message.type === 'replica/write-reply' ? 'hold' : 'deliver')
  // There is always a read on its way.
  let put = 0
  world.onReply = (id) => {
    if (id !== put) world.get('k')
  }
  world.get('k')
  put = world.put('k', 'v', { w: 3, sloppy: true })
  const sinceMs = world.nowMs
  while (world.outcome(put) === undefined && world.nowMs - sinceMs < 500) world.run(0.25)
  const tookMs = world.nowMs - sinceMs
  t.ok(tookMs < 2 * world.config.avoidAfterMs, `a stand-in for x after ${tookMs} ms`)
  t.equal(world.end(put), 'written')
})

test('get: owners that did not answer are written back to as well, so that nobody waits for a slow disk', async (t) => {
  const { world, x, y, z } = askedWorld(22)
  world.plant(x, 'k', 'old')
  for (const id of [y, z]) world.plant(id, 'k', 'new')
  // x takes the repair, and its disk takes for ever.
  world.filter = ({ from, message }) => (from === x && message.type === 'replica/write-reply' ? 'hold' : 'deliver')
  const get = world.get('k')
  world.run(20)
  t.same([readsTo(world, x), readsTo(world, y), readsTo(world, z)], [1, 1, 0])
  t.equal(world.end(get), '=new', 'y had it, and so has z')
})

test('get: a replica whose writes take much longer is read from last while it may be behind', async (t) => {
  const { world, x, y, z } = askedWorld(23, { hedgeBudgetPercent: 0 })
  const reads = () => [x, y, z].map((node) => readsTo(world, node))
  for (let i = 0; i < 10; i++) world.ended(world.put('k', `v${i}`))
  world.filter = ({ from, message }) => (from === x && message.type === 'replica/write-reply' ? 40 : 'deliver')
  for (let i = 0; i < 6; i++) {
    world.ended(world.put('k', `w${i}`))
    world.run(45)
  }
  const [x0, y0, z0] = reads() as [number, number, number]
  for (let i = 0; i < 10; i++) world.ended(world.get('k'))
  t.same(reads(), [x0, y0 + 10, z0 + 10])
  world.run(2_500)
  for (let i = 0; i < 10; i++) world.ended(world.get('k'))
  t.same(reads(), [x0 + 10, y0 + 20, z0 + 10], 'nothing has been written since: it has all there is')
})

test('get: a replica whose answers take much longer is read from last, probed, and read from again once it is quick', async (t) => {
  const { world, x, y, z } = askedWorld(19, { hedgeBudgetPercent: 0 })
  const reads = () => [x, y, z].map((node) => readsTo(world, node))
  for (let i = 0; i < 10; i++) world.ended(world.get('k'))
  t.same(reads(), [10, 10, 0])
  world.freeze(x, 40)
  world.ended(world.get('k'))
  world.ended(world.get('k'))
  t.same(reads(), [12, 12, 0], 'late once: nobody is to blame')
  for (let i = 0; i < 3; i++) {
    world.freeze(x, 40)
    world.ended(world.get('k'))
  }
  const [x0, y0, z0] = reads() as [number, number, number]
  for (let i = 0; i < 20; i++) world.ended(world.get('k'))
  t.same(reads(), [x0, y0 + 20, z0 + 20], 'the others are enough')
  world.run(300)
  for (let i = 0; i < 20; i++) world.ended(world.get('k'))
  t.same(reads(), [x0 + 1, y0 + 40, z0 + 40], 'asked once, beside the two')
  for (let i = 0; i < 8; i++) {
    world.run(300)
    world.ended(world.get('k'))
  }
  const [before] = reads()
  for (let i = 0; i < 20; i++) world.ended(world.get('k'))
  t.equal(readsTo(world, x), (before ?? 0) + 20, 'it is quick again')
})

test('get: a replica that has just restarted is read from last for a while, but is read from where it is needed', async (t) => {
  const { world, x, y, z } = askedWorld(17)
  t.equal(world.ended(world.put('k', 'v')), 'written')
  world.run(300)
  world.crash(x)
  world.run(5)
  world.spawn(x)
  world.run(20)
  const before = readsTo(world, x)
  for (let round = 0; round < 5; round++) t.equal(world.ended(world.get('k')), '=v')
  t.equal(readsTo(world, x), before, 'the two others are warm')
  t.equal(world.ended(world.get('k', { r: 3 })), '=v')
  t.equal(readsTo(world, x), before + 1, 'three are needed')
  t.ok(readsTo(world, y) >= 6 && readsTo(world, z) >= 6)
  world.run(300)
  t.equal(world.ended(world.get('k')), '=v')
  t.equal(readsTo(world, x), before + 2, 'its slow start is over, and it comes first again')
})

test('get: a deadline that has passed is named no more, so that nobody is taken for late and silence is still seen', async (t) => {
  const { world, x } = askedWorld(18)
  for (let round = 0; round < 10; round++) t.equal(world.ended(world.get('k')), 'none')
  // Longer than the deadline of those that have ended.
  world.run(1_500)
  t.ok(world.gateway.nextDeadlineMs() > world.nowMs)
  for (let round = 0; round < 3; round++) {
    world.freeze(x, 400)
    const beganMs = world.nowMs
    t.equal(world.ended(world.get('k')), 'none')
    t.ok(world.nowMs - beganMs < 100, `${world.nowMs - beganMs} ms`)
    world.run(1_500)
  }
})

test('get: mail that is handled first after the process stood still hides nothing: nobody is taken for silent', async (t) => {
  const { world, z, d } = askedWorld(34, { hedgeBudgetPercent: 0 })
  world.filter = ({ message }) => (message.type === 'replica/read-reply' ? 'hold' : 'deliver')
  const get = world.get('k')
  world.run(5)
  world.nowMs += 500
  world.stepGateway({
    type: 'message',
    from: SUPERVISOR,
    message: { type: 'peer/changed', node: d, incarnation: 1, status: 'up' },
  })
  world.run(5)
  t.equal(readsTo(world, z), 0, 'nobody is gone around')
  world.filter = () => 'deliver'
  world.release()
  t.equal(world.ended(get), 'none')
})
