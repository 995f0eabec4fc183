/** The rules of a scan's page, end to end in virtual time. */

import { test } from 'tap'
import type { NodeId } from '../../../src/protocol/ids.js'
import { partitionOf } from '../../../src/protocol/ring/slot.js'
import { VirtualWorld } from '../virtual-world.js'

const KEYS = Array.from({ length: 60 }, (_, index) => `k${String(index).padStart(2, '0')}`)

function filled(seed: number): VirtualWorld {
  const world = new VirtualWorld(seed)
  const put = world.putMany(KEYS, KEYS)
  world.ended(put)
  world.run(20)
  return world
}

function keysOf(world: VirtualWorld, id: number): readonly string[] {
  const outcome = world.outcome(id)
  return outcome?.type === 'page' ? outcome.page.keys : []
}

test('scan: one ordered page over all partitions, without tombstones', async (t) => {
  const world = filled(1)
  t.equal(world.ended(world.put('k07', null)), 'written')
  const scan = world.scan()
  t.equal(world.ended(scan), 'page')
  t.same(
    keysOf(world, scan),
    KEYS.filter((key) => key !== 'k07'),
  )
})

test('scan: pages in either direction follow each other without a gap and without a repeat', async (t) => {
  for (const reverse of [false, true]) {
    const world = filled(2)
    const seen: string[] = []
    let next: string | undefined
    for (let page = 0; page < 30; page++) {
      const start =
        next === undefined ? {} : reverse ? { to: next, toExclusive: true } : { from: next, fromExclusive: true }
      const scan = {
        kind: 'scan' as const,
        id: 5_000 + page,
        range: { ...start, reverse },
        limit: 7,
        bytesMax: 1e6,
        r: 2,
      }
      world.submit({ ...scan, deadlineMs: world.nowMs + 1_000 })
      t.equal(world.ended(scan.id), 'page')
      const outcome = world.outcome(scan.id)
      if (outcome?.type !== 'page') break
      seen.push(...outcome.page.keys)
      next = outcome.page.next
      if (next === undefined) break
    }
    t.same(seen, reverse ? KEYS.toReversed() : KEYS)
  }
})

test('scan: a key whose replies differ is read by a get, with its write-back', async (t) => {
  const world = filled(3)
  const owners = world.owners('k11')
  // Every pair of owners has one that differs from the others, or is the only one that has the newest.
  world.plant(owners[0] as NodeId, 'k11', 'newer')
  world.plant(owners[1] as NodeId, 'k11', 'newest')
  const scan = world.scan()
  t.equal(world.ended(scan), 'page')
  const outcome = world.outcome(scan)
  const record = outcome?.type === 'page' ? outcome.page.records[outcome.page.keys.indexOf('k11')] : undefined
  const text = record?.kind === 'lww' && record.value !== null ? new TextDecoder().decode(record.value) : ''
  const holders = owners.filter((owner) => world.stored(owner, 'k11') === `=${text}`)
  t.match(text, /^newe/, 'never the oldest')
  t.ok(holders.length >= 2, `on ${holders.length} owners when it is shown`)
})

test('scan: a damaged record is unknown, not absent', async (t) => {
  const world = filled(4)
  for (const key of ['k20', 'k21', 'k22']) world.damage(world.owners(key)[0] as NodeId, key)
  const scan = world.scan()
  t.equal(world.ended(scan), 'page')
  t.same(keysOf(world, scan), KEYS)
})

test('scan: an owner whose thread ends begins the page anew with another', async (t) => {
  const world = filled(5)
  world.filter = ({ message }) => (message.type === 'replica/scan-reply' ? 20 : 'deliver')
  const scan = world.scan()
  world.run(5)
  const asked = world.sentOf('replica/scan').map(({ to }) => to)
  world.crash(asked[0] as NodeId)
  t.equal(world.ended(scan), 'page')
  t.same(keysOf(world, scan), KEYS)
})

test('scan: slow nodes are gone around, and a page still ends', async (t) => {
  const world = filled(6)
  world.filter = ({ message }) => (message.type === 'replica/scan-reply' ? 120 : 'deliver')
  const scan = world.scan(1_000, 2_000)
  t.equal(world.ended(scan), 'page')
  t.same(keysOf(world, scan), KEYS)
})

test('scan: a changed row begins it anew under the new row', async (t) => {
  const world = filled(7)
  const owners = world.owners('k00')
  const other = world.ids.find((id) => !owners.includes(id)) as NodeId
  world.changeRow('k00', { pending: [null, null, other] }, ['gateway1'])
  world.run(10)
  const scan = world.scan()
  t.equal(world.ended(scan), 'page')
  t.same(keysOf(world, scan), KEYS)
  t.equal(world.gateway.table.epoch, 2)
})

test('scan: too few living owners of one partition fail it at once; a deadline ends it', async (t) => {
  const world = filled(8)
  const [a, b] = world.owners('k00') as [NodeId, NodeId]
  world.crash(a)
  world.crash(b)
  world.run(5)
  t.equal(world.ended(world.scan(10, 200)), 'TIMEOUT')
  world.crash(a, 'down')
  world.crash(b, 'down')
  world.run(5)
  const scan = world.scan()
  t.equal(world.end(scan), 'QUORUM_UNAVAILABLE')
  t.match(world.outcome(scan), { failure: { needed: 2 } })
  t.type(partitionOf('k00', 16), 'number')
})

test('scan: too few living owners of one partition fail it at once, though those of another are restarting', async (t) => {
  const world = filled(9)
  const first = world.gateway.table.rows[0]?.owners ?? []
  const others = world.ids.filter((id) => !first.includes(id))
  world.crash(first[0] as NodeId)
  world.crash(first[1] as NodeId)
  for (const id of others) world.crash(id, 'down')
  world.run(5)
  t.equal(world.end(world.scan()), 'QUORUM_UNAVAILABLE')
})
