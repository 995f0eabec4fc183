/** When the supervisor lets tombstones be looked at: never while a store might be anywhere but in the hands of a node that is asked. */

import { test } from 'tap'
import { stampTimePart } from '../../../src/protocol/versions/stamp.js'
import { Supervised } from './supervised.js'

const GRACE_MS = 2_000
const BEFORE = stampTimePart(1n)

function notesOf(cluster: Supervised): number {
  return cluster.effects.filter(({ type }) => type === 'note-reaping').length
}

test('reaping: noted first, then ordered of everybody, a quarter of the grace apart', async (t) => {
  const cluster = new Supervised({ nodes: 4, tombstoneGraceMs: GRACE_MS }).start()
  cluster.runFor(100)
  t.equal(notesOf(cluster), 1)
  t.same(cluster.sent('reap/start'), [], 'not before it is on the disk')
  cluster.runFor(5_000)
  t.equal(notesOf(cluster), 1, 'one at a time')
  cluster.step({ type: 'reaping/noted', before: BEFORE })
  t.same(
    cluster.sent('reap/start').map(({ to, message }) => [to, message.nodes, message.before]),
    cluster.ids.map((id) => [id, cluster.ids, BEFORE]),
  )
  cluster.runFor(GRACE_MS / 4 - 100)
  t.equal(notesOf(cluster), 1)
  cluster.runFor(200)
  t.equal(notesOf(cluster), 2)
})

test('reaping: not while somebody is not there, is down for good or moves; never without a grace', async (t) => {
  const down = new Supervised({ nodes: 5, tombstoneGraceMs: GRACE_MS }).start()
  down.giveUp('node5')
  down.runFor(5_000)
  t.equal(notesOf(down), 0, 'its store may be read again')
  down.leave('node5')
  down.runFor(5_000)
  t.equal(notesOf(down), 1, 'it has left')

  const dies = new Supervised({ nodes: 4, tombstoneGraceMs: GRACE_MS }).start()
  dies.runFor(100)
  dies.held.add('node2')
  dies.exit('node2')
  dies.step({ type: 'reaping/noted', before: BEFORE })
  t.same(dies.sent('reap/start'), [], 'it was there when that was noted, and is not now')

  const moves = new Supervised({ nodes: 4, tombstoneGraceMs: GRACE_MS })
  moves.obeysOrders = false
  moves.start()
  moves.join('node5')
  moves.runFor(5_000)
  t.equal(notesOf(moves), 0)

  const never = new Supervised({ nodes: 4 }).start()
  never.runFor(100_000)
  t.equal(notesOf(never), 0)
})
