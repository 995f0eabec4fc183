/** The rules of a get, end to end in virtual time. */

import { test } from 'tap'
import { type NodeId, SUPERVISOR } from '../../../src/protocol/ids.js'
import { GATEWAY, VirtualWorld } from '../virtual-world.js'

/** The owners of `k` in the order in which an idle gateway asks them, and the others. */
function worldOf(seed: number, options: ConstructorParameters<typeof VirtualWorld>[1] = {}) {
  const world = new VirtualWorld(seed, options)
  const [x, y, z] = [...world.owners('k')].sort() as [NodeId, NodeId, NodeId]
  const [d, e, f] = world.ids.filter((id) => !world.owners('k').includes(id)) as [NodeId, NodeId, NodeId]
  return { world, x, y, z, d, e, f }
}

function readsTo(world: VirtualWorld, node: NodeId): number {
  return world.sentOf('replica/read').filter(({ from, to }) => from === GATEWAY && to === node).length
}

test('get: answers after r owners, and asks no more than r if they answer', async (t) => {
  const { world, x, y, z } = worldOf(1)
  t.equal(world.ended(world.put('k', 'v')), 'written')
  world.run(10)
  world.filter = ({ from, message }) => (message.type === 'replica/read-reply' && from === y ? 'hold' : 'deliver')
  const get = world.get('k')
  world.run(30)
  t.equal(world.end(get), 'runs', 'one reply of two')
  world.release()
  t.equal(world.ended(get), '=v')
  t.same([readsTo(world, x), readsTo(world, y), readsTo(world, z)], [1, 1, 0])
})

test('get: differing replies are written back before the answer', async (t) => {
  const { world, x, y, z } = worldOf(2)
  for (const id of [y, z]) world.plant(id, 'k', 'old')
  world.plant(x, 'k', 'new')
  world.filter = ({ message }) => (message.type === 'replica/write-reply' ? 'hold' : 'deliver')
  const get = world.get('k')
  world.run(30)
  t.equal(world.stored(y, 'k'), '=new')
  t.equal(world.end(get), 'runs', 'nobody has said yet that it is kept')
  world.filter = () => 'deliver'
  world.release()
  t.equal(world.ended(get), '=new')
  t.same(
    world.notices.flatMap((notice) => (notice.type === 'repair' ? [[notice.nodes, notice.blocking]] : [])),
    [[[y], true]],
  )
})

test('get: what was written back has the stamp that it had', async (t) => {
  const { world, x, y } = worldOf(3)
  world.plant(x, 'k', 'new')
  t.equal(world.ended(world.get('k')), '=new')
  t.same(world.disks.get(y)?.records.get('k'), world.disks.get(x)?.records.get('k'))
})

test('get: the newest version is on max(w, n − r + 1) owners before the answer', async (t) => {
  for (const [r, w, needed] of [
    [2, 3, 3],
    [2, 1, 2],
    [3, 1, 1],
    [3, 2, 2],
  ] as const) {
    const { world, x, y, z } = worldOf(4, { r, w })
    world.plant(x, 'k', 'old')
    world.plant(y, 'k', 'new')
    // Each ack that the gateway has had is one owner more; the one that had it at first counts too.
    let holders = 1
    world.filter = ({ to, message }) => {
      if (to === GATEWAY && message.type === 'replica/write-reply') holders += 1
      return 'deliver'
    }
    const get = world.get('k')
    while (world.outcome(get) === undefined) world.run(0.05)
    t.equal(world.end(get), '=new')
    t.ok(holders >= needed, `r=${r} w=${w}: ${holders} of ${needed}`)
    const onDisk = [x, y, z].filter((id) => world.stored(id, 'k') === '=new').length
    t.ok(onDisk >= needed, `r=${r} w=${w}: on ${onDisk} disks of ${needed}`)
  }
})

test('get: a write-back goes on with another owner if the one behind is gone', async (t) => {
  const { world, x, y, z } = worldOf(5)
  world.plant(x, 'k', 'new')
  world.filter = ({ to, message }) => (message.type !== 'replica/write' ? 'deliver' : to === y ? 'drop' : 'hold')
  const get = world.get('k')
  world.run(20)
  t.equal(world.end(get), 'runs')
  world.crash(y)
  world.release()
  t.equal(world.ended(get), '=new')
  t.equal(world.stored(z, 'k'), '=new')
})

test('get: a damaged record never counts, and is healed', async (t) => {
  const { world, x, z } = worldOf(6)
  t.equal(world.ended(world.put('k', 'v')), 'written')
  world.run(20)
  world.damage(x, 'k')
  t.equal(world.stored(x, 'k'), 'damaged')
  t.equal(world.ended(world.get('k')), '=v')
  t.equal(readsTo(world, z), 1, 'another owner was asked in its place')
  world.run(50)
  t.equal(world.stored(x, 'k'), '=v')
})

test('get: a damaged record is healed from n − w + 1 others, not from fewer', async (t) => {
  const { world, x, z } = worldOf(7)
  t.equal(world.ended(world.put('k', 'v')), 'written')
  world.run(20)
  world.damage(x, 'k')
  world.crash(z)
  t.equal(world.ended(world.get('k', { timeoutMs: 3_000 })), 'TIMEOUT', 'one readable owner of two')
  t.equal(world.stored(x, 'k'), 'damaged')
  world.spawn(z)
  world.run(100)
  t.equal(world.ended(world.get('k')), '=v')
  world.run(100)
  t.equal(world.stored(x, 'k'), '=v')
})

test('put: a write that may be older does not replace a damaged record before it is healed', async (t) => {
  const { world, x, z } = worldOf(8)
  t.equal(world.ended(world.put('k', 'v1')), 'written')
  world.run(20)
  const stampTimeNs = world.clockNs()
  // A new life, so that nothing is known of the key but what lies on the disk.
  world.crash(x)
  world.spawn(x)
  world.run(20)
  world.damage(x, 'k')
  world.crash(z)
  // Stamped before this life of the replica began: what it held then may be newer.
  const late = { kind: 'put' as const, keys: ['k'], values: [new TextEncoder().encode('v2')], w: 2, sloppy: false }
  const put = world.submit({ ...late, id: 9_999, deadlineMs: world.nowMs + 3_000 }, stampTimeNs)
  world.run(50)
  t.match(world.stored(x, 'k'), /damaged/)
  t.equal(world.end(put), 'runs')
  world.spawn(z)
  t.equal(world.ended(put), 'written')
  world.run(100)
  t.equal(world.stored(x, 'k'), '=v2')
})

test('stale row epoch: the table is sent, and the request goes on with the same stamp', async (t) => {
  const { world, x, y, d } = worldOf(9)
  world.changeRow('k', { owners: [x, y, d] }, [GATEWAY])
  world.run(10)
  t.equal(world.gateway.table.epoch, 1)
  t.equal(world.ended(world.put('k', 'v')), 'written')
  t.equal(world.gateway.table.epoch, 2)
  const writes = world.sentOf('replica/write').filter(({ from }) => from === GATEWAY)
  t.same([...new Set(writes.flatMap(({ message }) => message.rowEpochs))].sort(), [1, 2])
  const stamps = writes.flatMap(({ message }) => message.records.map((r) => (r.kind === 'lww' ? r.stamp : '')))
  t.equal(new Set(stamps).size, 1)
  t.equal(world.ended(world.get('k')), '=v')
})

test('a request by a newer row waits in the replica until the table is stored there', async (t) => {
  const { world, x, y, d } = worldOf(10)
  world.changeRow('k', { owners: [x, y, d] }, world.ids)
  world.run(10)
  t.equal(world.node(x).table.epoch, 1)
  t.equal(world.ended(world.put('k', 'v')), 'written')
  t.equal(world.node(x).table.epoch, 2)
  t.ok(world.told.some(({ from, message }) => from === x && message.type === 'table/stored' && message.epoch === 2))
})

test('get: guarded rows are asked again, and answer once activated', async (t) => {
  const { world, d, e, f } = worldOf(11, { nodes: 6 })
  world.changeRow('k', { owners: [d, e, f] })
  world.run(10)
  const get = world.get('k')
  world.run(40)
  t.equal(world.end(get), 'runs')
  t.ok(readsTo(world, d) > 1, 'asked again')
  world.activate()
  t.equal(world.ended(get), 'none')
})

test('get: its deadline ends it with TIMEOUT and says who is missing', async (t) => {
  const { world, y, z } = worldOf(12)
  world.crash(y)
  world.crash(z)
  world.run(5)
  const startMs = world.nowMs
  const get = world.get('k', { timeoutMs: 100 })
  t.equal(world.ended(get), 'TIMEOUT')
  t.ok(Math.abs(world.nowMs - startMs - 100) < 2)
  t.match(world.outcome(get), { failure: { needed: 2, got: 1 } })
})

test('get: fails at once if r owners can never answer', async (t) => {
  const { world, y, z } = worldOf(13)
  world.crash(y, 'down')
  world.crash(z, 'down')
  world.run(5)
  t.equal(world.end(world.get('k')), 'QUORUM_UNAVAILABLE')
})

test('get: a silent owner is gone around, and still waited for where nobody else is left', async (t) => {
  const { world, x, z } = worldOf(14, { hedgeBudgetPercent: 0 })
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
  const without = worldOf(15)
  without.world.freeze(without.x, 40)
  without.world.get('k')
  without.world.run(40)
  t.equal(readsTo(without.world, without.z), 0, 'nothing has been saved up yet')

  const { world, x, y, z } = worldOf(16)
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
  const { world, x, z } = worldOf(20, { hedgeBudgetPercent: 50 })
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
  const { world, x, y, z } = worldOf(21)
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
  const { world, x } = worldOf(24, { hedgeBudgetPercent: 50 })
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
  const { world, x, y, z } = worldOf(22)
  world.plant(x, 'k', 'old')
  for (const id of [y, z]) world.plant(id, 'k', 'new')
  // x takes the repair, and its disk takes for ever.
  world.filter = ({ from, message }) => (from === x && message.type === 'replica/write-reply' ? 'hold' : 'deliver')
  const get = world.get('k')
  world.run(20)
  t.same([readsTo(world, x), readsTo(world, y), readsTo(world, z)], [1, 1, 0])
  t.equal(world.end(get), '=new', 'y had it, and so has z')
})

test('get: an owner that is behind is repaired in the background where enough others have the newest', async (t) => {
  // With r = 3 one holder is enough: whatever is read later meets it.
  const { world, x, y, z } = worldOf(25, { r: 3, w: 1 })
  for (const id of [x, y, z]) world.plant(id, 'k', `of ${id}`)
  world.filter = ({ message }) => (message.type === 'replica/write-reply' ? 'hold' : 'deliver')
  t.equal(world.ended(world.get('k')), `=of ${z}`, 'nobody waits for the repairs')
  t.same(
    world.notices.flatMap((notice) => (notice.type === 'repair' ? [[notice.nodes, notice.blocking]] : [])),
    [[[x, y], false]],
  )
  world.run(5)
  for (const id of [x, y]) t.equal(world.stored(id, 'k'), `=of ${z}`)
})

test('get: who is behind is repaired although it had other writes to answer when the read ended', async (t) => {
  const { world, x, y, z } = worldOf(26)
  world.plant(x, 'k', 'old')
  for (const id of [y, z]) world.plant(id, 'k', 'new')
  world.filter = ({ from, message }) => (from === x && message.type === 'replica/write-reply' ? 'hold' : 'deliver')
  const busy = Array.from({ length: 200 }, (_, n) => `b${n}`).find((key) => world.owners(key).includes(x)) ?? ''
  world.put(busy, 'v')
  t.equal(world.ended(world.get('k')), '=new')
  t.equal(world.stored(x, 'k'), '=old', 'its repair waits for its turn')
  world.filter = () => 'deliver'
  world.release()
  world.run(20)
  t.equal(world.stored(x, 'k'), '=new')
})

test('get: a replica whose writes take much longer is read from last while it may be behind', async (t) => {
  const { world, x, y, z } = worldOf(23, { hedgeBudgetPercent: 0 })
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
  const { world, x, y, z } = worldOf(19, { hedgeBudgetPercent: 0 })
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
  const { world, x, y, z } = worldOf(17)
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
  const { world, x } = worldOf(18)
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
  const { world, z, d } = worldOf(34, { hedgeBudgetPercent: 0 })
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

test('get: an owner that is behind on a full disk does not keep the newest from being read', async (t) => {
  const { world, x, y, z } = worldOf(30)
  world.plant(y, 'k', 'old')
  for (const id of [x, z]) world.plant(id, 'k', 'new')
  world.fullDisks.add(y)
  const before = world.nowMs
  t.equal(world.ended(world.get('k', { r: 2 })), '=new')
  t.equal(world.ended(world.get('k', { r: 3 })), '=new')
  t.ok(world.nowMs - before < 100, `${world.nowMs - before} ms`)
})

test('get: an owner that had no room is written back to once it is back with some, while another is slow', async (t) => {
  const { world, x, y, z } = worldOf(33)
  world.plant(x, 'k', 'new')
  world.fullDisks.add(y)
  world.filter = ({ from, message }) => (from === z && message.type === 'replica/write-reply' ? 'hold' : 'deliver')
  const get = world.get('k', { timeoutMs: 3_000 })
  world.run(20)
  t.equal(world.end(get), 'runs')
  world.fullDisks.delete(y)
  world.crash(y)
  world.spawn(y)
  t.equal(world.ended(get), '=new')
  t.equal(world.stored(y, 'k'), '=new')
})

test('get: a newest version that nobody else has room for is not shown, and that is told at once', async (t) => {
  const { world, x, y, z } = worldOf(31)
  world.plant(x, 'k', 'new')
  for (const id of [y, z]) world.fullDisks.add(id)
  const before = world.nowMs
  t.equal(world.ended(world.get('k', { r: 3 })), 'STORE_FAILED')
  t.ok(world.nowMs - before < 100)
  world.fullDisks.clear()
  t.equal(world.ended(world.get('k')), '=new')
})
