/**
 * A damaged record that too few others can say anything of: the supervisor is told, requests say so once the partition is lost, and
 * what a dead node left, or an operator's word, heals it. In virtual time; the test plays the supervisor.
 */

import { test } from 'tap'
import type { HealStuck } from '../../../src/protocol/heal-messages.js'
import type { NodeId } from '../../../src/protocol/ids.js'
import { Heals } from '../../../src/protocol/repair/heals.js'
import { partitionOf } from '../../../src/protocol/ring/slot.js'
import { VirtualWorld } from '../virtual-world.js'

/** `k` is damaged at its owner x, y has it, z is down for good. Asked for once. */
function stuckWorld(seed: number) {
  const world = new VirtualWorld(seed)
  const [x, y, z] = [...world.owners('k')].sort() as [NodeId, NodeId, NodeId]
  for (const key of ['k', '{k}2']) world.ended(world.put(key, 'v'))
  world.run(20)
  // New lives, so that nothing is known of the key but what lies on the disk.
  world.crash(x)
  world.spawn(x)
  world.run(300)
  world.damage(x, 'k')
  world.crash(z, 'down')
  world.run(20)
  world.get('k', { timeoutMs: 50 })
  world.run(100)
  const partition = partitionOf('k', world.config.partitions)
  return { world, x, y, z, partition }
}

/** What the supervisor was told last. */
function lastStuck(world: VirtualWorld): object | undefined {
  return world.told.map(({ from, message }) => ({ from, ...message })).findLast(({ type }) => type === 'heal/stuck')
}

const noticesOf = (world: VirtualWorld, type: string): number =>
  world.notices.filter((effect) => effect.type === 'notice' && effect.notice.type === type).length

test('a record that cannot be healed is told to the supervisor, once, and the rest of the partition is served', async (t) => {
  const { world, x, partition } = stuckWorld(1)
  t.match(lastStuck(world), { from: x, partitions: [partition], hopeless: [] })
  t.equal(world.stored(x, 'k'), 'damaged')
  t.equal(world.ended(world.get('k', { timeoutMs: 200 })), 'TIMEOUT', 'it may be healed yet')
  t.equal(world.ended(world.get('{k}2')), '=v')
  for (const type of ['record/damaged', 'record/stuck']) t.equal(noticesOf(world, type), 1, type)
  t.equal(world.told.filter(({ message }) => message.type === 'heal/stuck').length, 1)
})

test('in a lost partition strict requests to the record fail at once, and those to others go on', async (t) => {
  const { world } = stuckWorld(2)
  world.changeRow('k', { lost: true })
  world.run(20)
  const before = world.nowMs
  t.equal(world.ended(world.get('k', { timeoutMs: 60_000 })), 'PARTITION_LOST')
  // Later than what the replica may have held, for all that anybody knows: it was made before the last life began.
  const stale = { kind: 'put' as const, id: 9_999, keys: ['k'], values: [new Uint8Array([1])], w: 2, sloppy: false }
  world.submit({ ...stale, deadlineMs: world.nowMs + 60_000 }, 1n)
  t.equal(world.ended(9_999), 'OUTCOME_UNKNOWN', 'the other owner took it')
  t.ok(world.nowMs - before < 20, `${world.nowMs - before} ms`)
  t.equal(world.ended(world.get('{k}2')), '=v')
  t.equal(world.ended(world.put('{k}2', 'w')), 'written')
})

test('what is newer than all that the replica has ever held replaces the record', async (t) => {
  const { world, x } = stuckWorld(3)
  world.changeRow('k', { lost: true })
  world.run(20)
  t.equal(world.ended(world.put('k', 'newer')), 'written')
  world.run(20)
  t.equal(world.stored(x, 'k'), '=newer')
  t.match(lastStuck(world), { from: x, partitions: [] })
  t.equal(world.ended(world.get('k')), '=newer')
})

test('once an operator has accepted the loss, what the others know counts: a version, or that there is none', async (t) => {
  for (const [seed, known] of [
    [4, '=v'],
    [5, 'none'],
  ] as const) {
    const { world, x, y, partition } = stuckWorld(seed)
    if (known === 'none') world.disks.get(y)?.records.delete('k')
    world.order(x, { type: 'heal/start', partition, salvaged: [], accepted: true })
    world.run(50)
    t.match(lastStuck(world), { from: x, partitions: [] })
    t.equal(world.ended(world.get('k')), known === 'none' ? '=deleted' : known)
    t.equal(noticesOf(world, 'record/healed'), 1)
  }
})

test('accepted with the record damaged on the other owner too: there is none', async (t) => {
  const { world, x, y, partition } = stuckWorld(6)
  world.damage(y, 'k')
  for (const node of [x, y]) world.order(node, { type: 'heal/start', partition, salvaged: [], accepted: true })
  world.get('k', { r: 1, timeoutMs: 50 })
  world.run(3_000)
  for (const node of [x, y]) world.order(node, { type: 'heal/start', partition, salvaged: [], accepted: true })
  world.run(3_000)
  t.equal(world.stored(x, 'k'), '=deleted')
  t.equal(world.stored(y, 'k'), '=deleted')
})

test('the store of a dead owner heals it: the newest of what it and the living know', async (t) => {
  const { world, x, z, partition } = stuckWorld(7)
  world.plant(z, 'k', 'on z alone')
  world.salvage(z)
  world.run(5)
  world.order(x, { type: 'heal/start', partition, salvaged: [z], accepted: false })
  world.run(50)
  t.equal(world.stored(x, 'k'), '=on z alone')
  t.match(lastStuck(world), { from: x, partitions: [] })
  t.equal(noticesOf(world, 'record/healed'), 1)
})

test('where it is damaged in the dead owner’s store too, that is hopeless', async (t) => {
  const { world, x, z, partition } = stuckWorld(8)
  world.damage(z, 'k')
  world.salvage(z)
  world.run(5)
  world.order(x, { type: 'heal/start', partition, salvaged: [z], accepted: false })
  world.run(50)
  t.match(lastStuck(world), { from: x, partitions: [partition], hopeless: [partition] })
  t.equal(world.stored(x, 'k'), 'damaged')
})

test('a dead owner’s store whose thread ends before it has answered is no answer; the next thread’s is', async (t) => {
  const { world, x, z, partition } = stuckWorld(9)
  world.order(x, { type: 'heal/start', partition, salvaged: [z], accepted: false })
  world.run(2_500)
  t.match(lastStuck(world), { from: x, partitions: [partition], hopeless: [] })
  world.salvage(z)
  world.run(5)
  world.order(x, { type: 'heal/start', partition, salvaged: [z], accepted: false })
  world.run(2_500)
  t.equal(world.stored(x, 'k'), '=v')
})

test('a record that is stuck is tried again when a node is back, or the table has changed', async (t) => {
  const { world, x, z } = stuckWorld(10)
  world.changeRow('k', { owners: world.row('k').owners.map((owner) => (owner === z ? null : owner)) })
  world.run(50)
  t.equal(world.stored(x, 'k'), 'damaged')
  const [d] = world.ids.filter((id) => !world.owners('k').includes(id) && id !== z) as [NodeId]
  world.plant(d, 'k', 'v')
  world.changeRow('k', { owners: world.row('k').owners.map((owner) => owner ?? d) })
  world.activate()
  world.run(100)
  t.not(world.stored(x, 'k'), 'damaged')
  t.match(lastStuck(world), { from: x, partitions: [] })
})

test('a rebuilt supervisor asks, and is told again', async (t) => {
  const { world, x, partition } = stuckWorld(11)
  const before = world.told.length
  world.order(x, { type: 'table/request', epoch: 0 })
  world.run(10)
  const told = world.told.slice(before).flatMap(({ message }) => (message.type === 'heal/stuck' ? [message] : []))
  t.match(told, [{ partitions: [partition] }])
})

test('what a page says that was read before something newer was written makes nobody stuck', async (t) => {
  let damaged = true
  const learned: string[] = []
  const told: HealStuck[] = []
  const heals = new Heals({
    changes: () => 0,
    partitionOf: () => 0,
    isFullOwner: () => true,
    isDamaged: () => damaged,
    learn: (key) => learned.push(key),
    replace: () => t.fail('nobody knew it'),
    openSalvage: () => t.fail('nobody ordered it'),
    notice: () => undefined,
    tell: (message) => told.push(message),
  })
  const failed = { type: 'failed', failure: { code: 'PARTITION_LOST' } } as const
  heals.heal('k')
  heals.onLearned('k', failed)
  t.match(told, [{ partitions: [0] }])
  damaged = false
  heals.onWriting(['k'])
  t.match(told.slice(1), [{ partitions: [] }])
  heals.heal('k')
  t.same(learned, ['k'], 'nobody is asked for what is there')

  damaged = true
  heals.heal('other')
  damaged = false
  heals.onWriting(['other'])
  heals.onLearned('other', failed)
  t.same(learned, ['k', 'other'])
  t.equal(told.length, 2, 'it is there by now')
})
