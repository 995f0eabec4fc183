/** The rules of a get, end to end in virtual time. */

import { test } from 'tap'
import { EVERY_OWNER } from '../../../src/protocol/ring/quorum.js'
import { GATEWAY } from '../virtual-world.js'
import { askedWorld, readsTo } from './owners-world.js'

test('get: answers after r owners, and asks no more than r if they answer', async (t) => {
  const { world, x, y, z } = askedWorld(1)
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

test('get: with EVERY_OWNER it answers after all of them, and shows what one alone has', async (t) => {
  const { world, x, y, z } = askedWorld(1)
  world.plant(z, 'k', 'of one')
  const get = world.get('k', { r: EVERY_OWNER })
  t.equal(world.ended(get), '=of one')
  t.same([readsTo(world, x), readsTo(world, y), readsTo(world, z)], [1, 1, 1])
})

/** A read that has found y behind x, and whose write-back has been taken, which it has not heard of. */
function writingBack() {
  const { world, x, y, z } = askedWorld(2)
  for (const id of [y, z]) world.plant(id, 'k', 'old')
  world.plant(x, 'k', 'newer')
  world.filter = ({ message }) => (message.type === 'replica/write-reply' ? 'hold' : 'deliver')
  const get = world.get('k')
  world.run(30)
  return { world, x, y, get }
}

test('get: differing replies are written back before the answer', async (t) => {
  const { world, y, get } = writingBack()
  t.equal(world.stored(y, 'k'), '=newer')
  t.equal(world.end(get), 'runs', 'nobody has said yet that it is kept')
  world.filter = () => 'deliver'
  world.release()
  t.equal(world.ended(get), '=newer')
  t.same(
    world.notices.flatMap((notice) => (notice.type === 'repair' ? [[notice.nodes, notice.blocking]] : [])),
    [[[y], true]],
  )
})

test('get: who took what was the newest under an earlier table is not known to have what is now', async (t) => {
  const { world, x, y, get } = writingBack()
  t.equal(world.stored(y, 'k'), '=newer')
  world.plant(x, 'k', 'newest')
  world.changeRow('k', {})
  world.activate()
  world.run(30)
  t.equal(world.end(get), 'runs')
  world.filter = ({ from, message }) => (message.type === 'replica/write' && from === GATEWAY ? 'hold' : 'deliver')
  world.release()
  world.run(30)
  t.equal(world.stored(y, 'k'), '=newer', 'it has not been sent more yet')
  t.equal(world.end(get), 'runs')
  world.filter = () => 'deliver'
  world.release()
  t.equal(world.ended(get), '=newest')
})

test('get: what was written back has the stamp that it had', async (t) => {
  const { world, x, y } = askedWorld(3)
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
    const { world, x, y, z } = askedWorld(4, { r, w })
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
  const { world, x, y, z } = askedWorld(5)
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
  const { world, x, z } = askedWorld(6)
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
  const { world, x, z } = askedWorld(7)
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
  const { world, x, z } = askedWorld(8)
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
  const { world, x, y, d } = askedWorld(9)
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
  const { world, x, y, d } = askedWorld(10)
  world.changeRow('k', { owners: [x, y, d] }, world.ids)
  world.run(10)
  t.equal(world.node(x).table.epoch, 1)
  t.equal(world.ended(world.put('k', 'v')), 'written')
  t.equal(world.node(x).table.epoch, 2)
  t.ok(world.told.some(({ from, message }) => from === x && message.type === 'table/stored' && message.epoch === 2))
})

test('get: guarded rows are asked again, and answer once activated', async (t) => {
  const { world, d, e, f } = askedWorld(11, { nodes: 6 })
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
  const { world, y, z } = askedWorld(12)
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
  const { world, y, z } = askedWorld(13)
  world.crash(y, 'down')
  world.crash(z, 'down')
  world.run(5)
  t.equal(world.end(world.get('k')), 'QUORUM_UNAVAILABLE')
})

test('get: an owner that is behind is repaired in the background where enough others have the newest', async (t) => {
  // With r = 3 one holder is enough: whatever is read later meets it.
  const { world, x, y, z } = askedWorld(25, { r: 3, w: 1 })
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
  const { world, x, y, z } = askedWorld(26)
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

test('get: an owner that is behind on a full disk does not keep the newest from being read', async (t) => {
  const { world, x, y, z } = askedWorld(30)
  world.plant(y, 'k', 'old')
  for (const id of [x, z]) world.plant(id, 'k', 'new')
  world.fullDisks.add(y)
  const before = world.nowMs
  t.equal(world.ended(world.get('k', { r: 2 })), '=new')
  t.equal(world.ended(world.get('k', { r: 3 })), '=new')
  t.ok(world.nowMs - before < 100, `${world.nowMs - before} ms`)
})

test('get: an owner that had no room is written back to once it is back with some, while another is slow', async (t) => {
  const { world, x, y, z } = askedWorld(33)
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
  const { world, x, y, z } = askedWorld(31)
  world.plant(x, 'k', 'new')
  for (const id of [y, z]) world.fullDisks.add(id)
  const before = world.nowMs
  t.equal(world.ended(world.get('k', { r: 3 })), 'STORE_FAILED')
  t.ok(world.nowMs - before < 100)
  world.fullDisks.clear()
  t.equal(world.ended(world.get('k')), '=new')
})

test('get: few reads go to few nodes; of many, each to the first of its owners, whose cache then need not hold the others', async (t) => {
  const { world } = askedWorld(5)
  const askFor = (keys: readonly string[]): number => {
    world.sent.length = 0
    for (const key of keys) world.get(key, { r: 1 })
    world.run(5)
    const asked = world.sentOf('replica/read').flatMap(({ to, message }) => message.keys.map((key) => ({ to, key })))
    t.equal(asked.length, keys.length)
    t.comment(`${new Set(asked.map(({ to }) => to)).size} nodes`)
    return asked.filter(({ to, key }) => world.owners(key)[0] === to).length / keys.length
  }
  const keys = Array.from({ length: 900 }, (_, index) => `key ${index}`)
  const share = askFor(keys)
  t.ok(share > 0.7, `${share.toFixed(2)} of many`)
  askFor(keys.slice(0, 40))
  const nodes = new Set(world.sentOf('replica/read').map(({ to }) => to))
  t.ok(nodes.size <= 3, `${nodes.size} nodes for few`)
})
