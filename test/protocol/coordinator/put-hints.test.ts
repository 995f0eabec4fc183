/** A put whose owners are away, or have no room: hints, and who stands in for them under `sloppy`. */

import { test } from 'tap'
import type { Mail } from '../virtual-life.js'
import { VirtualWorld } from '../virtual-world.js'
import { ownersWorld } from './owners-world.js'

test('put: an owner that missed a write gets a hint and, once back, the write', async (t) => {
  const { world, c, d, e } = ownersWorld(14)
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
  const { world, c } = ownersWorld(15)
  world.crash(c)
  world.run(5)
  t.equal(world.ended(world.put('k', 'v')), 'written')
  world.spawn(c)
  world.run(50)
  t.equal(world.stored(c, 'k'), '=v')
  t.equal(world.sentOf('hint/store').length, 0)
})

test('put: a hint that nobody takes is told to the supervisor', async (t) => {
  const { world, c } = ownersWorld(16, { hintBytesMax: 10 })
  world.crash(c)
  world.run(5)
  t.equal(world.ended(world.put('k', 'v')), 'written')
  world.run(2_000)
  const lost = world.told.flatMap(({ message }) => (message.type === 'hint/lost' ? message.targets : []))
  t.same(lost, [c])
})

test('put: past the hint window nobody keeps a hint, and the supervisor is told of who lacks the write', async (t) => {
  const { world, c } = ownersWorld(27, { hintWindowMs: 100 })
  world.crash(c)
  world.run(150)
  t.equal(world.ended(world.put('k', 'v')), 'written')
  world.run(2_000)
  t.equal(world.sentOf('hint/store').length, 0)
  const lost = world.told.flatMap(({ message }) => (message.type === 'hint/lost' ? message.targets : []))
  t.same([...new Set(lost)], [c])
})

test('put: sloppy, two owners away: w = 2 by hints, which are handed back', async (t) => {
  const { world, b, c, d, e } = ownersWorld(17)
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

test('put: sloppy, a hint for an owner that has the write itself meanwhile counts no more', async (t) => {
  const { world, b, c, d, e } = ownersWorld(46)
  world.crash(c)
  world.run(5)
  world.filter = ({ message, to }) => (message.type === 'replica/write' && to === b ? 'hold' : 'deliver')
  const put = world.put('k', 'v', { sloppy: true, w: 3, timeoutMs: 5_000 })
  world.run(10)
  t.equal(world.hintsOf(d) + world.hintsOf(e), 1)
  world.spawn(c)
  world.run(30)
  t.equal(world.stored(c, 'k'), '=v')
  t.equal(world.end(put), 'runs', 'two have it')
  world.filter = () => 'deliver'
  world.release()
  t.equal(world.ended(put), 'written')
  t.equal(world.stored(b, 'k'), '=v')
})

test('put: sloppy, two hints for one owner count as one: the first keeper was silent, and answers after the second', async (t) => {
  const { world, b, c } = ownersWorld(46, { nodes: 6 })
  world.crash(c)
  world.run(5)
  // Nothing reaches b, nor anybody who would keep it for b.
  const isForB = ({ message, to }: Mail): boolean =>
    (message.type === 'replica/write' && to === b) || (message.type === 'hint/store' && message.targets.includes(b))
  let first: string | undefined
  world.filter = (mail) => {
    if (isForB(mail)) return 'drop'
    if (mail.message.type === 'hint/store') first ??= mail.to
    return first !== undefined && mail.from === first ? 'hold' : 'deliver'
  }
  const hints = (): number => world.ids.reduce((sum, id) => sum + (id === c ? 0 : world.hintsOf(id)), 0)
  const put = world.put('k', 'v', { sloppy: true, w: 3, timeoutMs: 20_000 })
  for (let step = 0; step < 400 && hints() < 2; step++) world.run(5)
  t.equal(hints(), 2)
  world.run(5)
  world.filter = (mail) => (isForB(mail) ? 'drop' : 'deliver')
  world.release()
  world.run(1)
  t.equal(world.end(put), 'runs', 'one owner has it, and for one it is kept')
  world.filter = () => 'deliver'
  t.equal(world.ended(put), 'written')
})

test('put: sloppy, an owner and the one that is being filled in its place count as one', async (t) => {
  const { world, b, c, d } = ownersWorld(47)
  world.changeRow('k', { pending: [d, null, null] })
  world.run(50)
  // Nothing reaches the other two owners, nor anybody who would keep it for them.
  const isForOthers = ({ message, to }: Mail): boolean =>
    (message.type === 'replica/write' && (to === b || to === c)) || message.type === 'hint/store'
  world.filter = (mail) => (isForOthers(mail) ? 'drop' : 'deliver')
  const put = world.put('k', 'v', { sloppy: true, w: 2, timeoutMs: 20_000 })
  world.run(20)
  t.equal(world.stored(d, 'k'), '=v')
  t.equal(world.end(put), 'runs', 'one of the two will stay')
  world.filter = () => 'deliver'
  t.equal(world.ended(put), 'written')
})

test('put: sloppy, a keeper that is silent while a hint waits for it is asked again once it answers', async (t) => {
  const { world, a, b, c, d, e } = ownersWorld(18)
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
  const { world, a, b, c, d, e } = ownersWorld(18)
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
  const { world, a, b, c, d, e } = ownersWorld(18)
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
  const { world, a, b, c, d, e } = ownersWorld(19)
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
  const { world, a, b, c, d, e } = ownersWorld(50)
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

test('put: an owner on a full disk gets a hint, kept by a node that has room, and the write when it has room', async (t) => {
  const { world, c, d, e, f } = ownersWorld(40, { nodes: 6 })
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
  const { world, b, c, d, e } = ownersWorld(41)
  world.fullDisks.add(b)
  world.fullDisks.add(c)
  t.equal(world.ended(world.put('k', 'v', { sloppy: true })), 'written')
  world.run(10)
  t.equal(world.hintsOf(d) + world.hintsOf(e), 2)
})

test('put: sloppy, refused by every owner and every stand-in, is a definite failure, at once', async (t) => {
  for (let seed = 50; seed < 56; seed++) {
    const { world } = ownersWorld(seed)
    for (const node of world.ids) world.fullDisks.add(node)
    const before = world.nowMs
    t.equal(world.ended(world.put('k', 'v', { sloppy: true })), 'STORE_FAILED')
    t.ok(world.nowMs - before < 100, `${world.nowMs - before} ms`)
    world.fullDisks.clear()
    world.run(2_000)
    for (const node of world.ids) t.equal(world.stored(node, 'k'), 'none')
  }
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

test('put: a hint for which there is no room on the way to its keeper goes to another once that one is gone', async (t) => {
  const { world, c, d, e } = ownersWorld(45)
  const queues = { ...world.config.queues, linkQueueMax: 1 }
  const narrow = ownersWorld(45, { queues }).world
  narrow.crash(c)
  narrow.run(5)
  // Of three hints one is on its way to the keeper for good, one waits for that, and for the third there is no room.
  narrow.filter = ({ message }) => (message.type === 'hint/stored' ? 'drop' : 'deliver')
  for (const text of ['v1', 'v2', 'v3']) t.equal(narrow.ended(narrow.put('k', text)), 'written')
  const isAsked = ({ message }: { message: { type: string } }): boolean => message.type === 'hint/store'
  narrow.run(1_400)
  for (let step = 0; step < 200 && !narrow.sent.some(isAsked); step++) narrow.run(1)
  const keeper = narrow.sent.find(isAsked)?.to ?? ''
  narrow.run(10)
  narrow.crash(keeper, 'down')
  narrow.filter = () => 'deliver'
  narrow.run(2_000)
  t.equal(narrow.hintsOf(keeper === d ? e : d), 3)
  t.equal(narrow.gateway.lingering, 0)
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
