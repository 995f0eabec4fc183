/** Clusters of full copies: rows get places when nodes join and lose them when nodes leave, and quorums follow. */

import { test } from 'tap'
import type { NodeId } from '../../../src/protocol/ids.js'
import { MAJORITY } from '../../../src/protocol/ring/quorum.js'
import { newOwnersOf } from '../../../src/protocol/ring/table.js'
import { Supervised, type SupervisedOptions } from './supervised.js'

const COPIES = { n: 'all', r: MAJORITY, w: MAJORITY, wFill: MAJORITY } as const

const copiesOf = (options: SupervisedOptions): Supervised => new Supervised({ ...COPIES, ...options }).start()

/** The owners of every row, if they are the same everywhere. */
const ownersOf = (cluster: Supervised): string => {
  const sets = new Set(
    cluster.table.rows.map(({ owners }) =>
      owners
        .map((owner) => owner ?? '-')
        .sort()
        .join(' '),
    ),
  )
  return [...sets].join(' | ')
}

const settle = (cluster: Supervised): void => cluster.runFor(1_000)

test('join: every row gets a place more, filled from so many that nothing acknowledged is missing', async (t) => {
  const cluster = copiesOf({ nodes: 3 })
  cluster.obeysOrders = false
  cluster.join('node4')
  const [row] = cluster.table.rows
  t.same(row?.owners.toSorted(), ['node1', 'node2', 'node3'], 'the old owners go on serving')
  t.same(row && newOwnersOf(row).toSorted(), ['node1', 'node2', 'node3', 'node4'])
  t.equal(cluster.table.n, 3)
  const sources = cluster.sent('transfer/start').flatMap(({ message }) => message.orders.map((order) => order.sources))
  t.ok(sources.length === 16 && sources.every((each) => each.length === 2))
  cluster.obeysOrders = true
  cluster.exit('node4')
  settle(cluster)
  t.equal(ownersOf(cluster), 'node1 node2 node3 node4')
  t.equal(cluster.table.n, 4)
  t.same(
    cluster.notices('node:joined').map(({ node }) => node),
    ['node4'],
  )
  t.ok(cluster.core.isQuiet())
})

test('leave: whoever stays compares itself with so many others that a quorum has everything; then the places go', async (t) => {
  const cluster = copiesOf({ nodes: 5 })
  cluster.obeysOrders = false
  cluster.leave('node2')
  const [row] = cluster.table.rows
  t.same(row?.owners.toSorted(), ['node1', 'node2', 'node3', 'node4', 'node5'], 'who leaves still serves')
  t.same(row && newOwnersOf(row).toSorted(), ['node1', 'node3', 'node4', 'node5'])
  t.same(
    cluster
      .sent('transfer/start')
      .map(({ to }) => to)
      .sort(),
    ['node1', 'node3', 'node4', 'node5'],
  )
  for (const { to, message } of cluster.sent('transfer/start')) {
    t.equal(message.orders.length, 16)
    // Five copies, w = 3: of three owners one has it. Oneself is one of them.
    t.ok(message.orders.every(({ sources }) => sources.length === 2 && !sources.includes(to)))
    t.ok(message.orders.every(({ hasCopy }) => hasCopy === true))
  }
  settle(cluster)
  t.same(cluster.sent('retire/start'), [], 'nobody has everything yet')
  cluster.obeysOrders = true
  for (const node of ['node1', 'node3', 'node4', 'node5']) cluster.exit(node)
  settle(cluster)
  t.equal(ownersOf(cluster), 'node1 node3 node4 node5')
  t.equal(cluster.table.n, 4)
  t.same(cluster.ids, ['node1', 'node3', 'node4', 'node5'])
  t.ok(cluster.core.isQuiet())
})

test('leave: the places do not go while somebody who stays, and may still come, has not compared itself', async (t) => {
  const cluster = copiesOf({ nodes: 4 })
  cluster.held.add('node3')
  cluster.exit('node3')
  cluster.leave('node4')
  settle(cluster)
  t.equal(ownersOf(cluster), 'node1 node2 node3 node4')
  cluster.held.delete('node3')
  cluster.open('node3', cluster.incarnationOf('node3'))
  settle(cluster)
  t.equal(ownersOf(cluster), 'node1 node2 node3')
})

test('leave: who dies for good while it should compare itself calls it off, and a quorum of the others goes on', async (t) => {
  const cluster = copiesOf({ nodes: 5 })
  cluster.obeysOrders = false
  cluster.leave('node5')
  t.ok(cluster.table.rows.every(({ staying }) => staying?.length === 4))
  cluster.giveUp('node1')
  t.ok(
    cluster.table.rows.every(({ staying }) => staying?.includes('node1')),
    'planned anew: node1 keeps its place',
  )
  cluster.obeysOrders = true
  for (const node of ['node2', 'node3', 'node4']) cluster.exit(node)
  settle(cluster)
  t.equal(ownersOf(cluster), 'node1 node2 node3 node4')
})

test('leave: where those who are alive would be no quorum of what is left, it waits until somebody joins', async (t) => {
  const cluster = copiesOf({ nodes: 4 })
  cluster.giveUp('node1')
  cluster.giveUp('node2')
  cluster.leave('node3')
  settle(cluster)
  t.equal(ownersOf(cluster), 'node1 node2 node3 node4', 'one of three would hold everything')
  t.notOk(cluster.core.isQuiet())
  cluster.join('node5')
  settle(cluster)
  t.equal(ownersOf(cluster), 'node2 node4 node5', 'a join takes the place of the dead first')
})

test('a death makes no quorum smaller: the place stays until somebody joins, or the dead leave', async (t) => {
  const cluster = copiesOf({ nodes: 4 })
  cluster.giveUp('node2')
  settle(cluster)
  t.equal(ownersOf(cluster), 'node1 node2 node3 node4')
  t.ok(cluster.core.isQuiet())
  cluster.join('node5')
  settle(cluster)
  t.equal(ownersOf(cluster), 'node1 node3 node4 node5')
  cluster.giveUp('node3')
  cluster.leave('node3')
  settle(cluster)
  t.equal(ownersOf(cluster), 'node1 node4 node5')
  t.ok(cluster.core.isQuiet())
})

test('who was down for good, was replaced, and comes back with the next process gets a place again', async (t) => {
  const cluster = copiesOf({ nodes: 3 })
  cluster.giveUp('node2')
  cluster.join('node4')
  settle(cluster)
  t.equal(ownersOf(cluster), 'node1 node3 node4')
  cluster.rebuild({})
  settle(cluster)
  t.equal(ownersOf(cluster), 'node1 node2 node3 node4')
})

test('a standby takes the place of who is down for good', async (t) => {
  const cluster = copiesOf({ nodes: 3, standbys: 1 })
  cluster.giveUp('node1')
  settle(cluster)
  t.equal(ownersOf(cluster), 'node2 node3 node4')
  t.same(cluster.table.rows[0]?.standbys, [])
})

test('several at once: joiners take the places of those who leave, and who is not replaced takes its place along', async (t) => {
  const cluster = copiesOf({ nodes: 5 })
  cluster.held.add('node6')
  cluster.join('node6')
  for (const node of ['node1', 'node2', 'node3'] satisfies NodeId[]) cluster.leave(node)
  cluster.held.delete('node6')
  cluster.open('node6', 1)
  settle(cluster)
  t.equal(ownersOf(cluster), 'node4 node5 node6')
  t.same(cluster.ids, ['node4', 'node5', 'node6'])
})

test('who joins and dies for good leaves no place behind; of two, the other one goes on', async (t) => {
  const cluster = copiesOf({ nodes: 3 })
  cluster.obeysOrders = false
  cluster.held.add('node4')
  cluster.join('node4')
  cluster.join('node5')
  cluster.held.delete('node4')
  cluster.open('node4', 1)
  t.same(cluster.table.rows[0]?.pending, [null, null, null, 'node4', 'node5'])
  cluster.giveUp('node4')
  t.same(cluster.table.rows[0]?.pending, [null, null, null, 'node5'])
  cluster.obeysOrders = true
  cluster.exit('node5')
  settle(cluster)
  t.equal(ownersOf(cluster), 'node1 node2 node3 node5')
})

test('who forgets everything while others leave is filled first', async (t) => {
  const cluster = copiesOf({ nodes: 4 })
  cluster.obeysOrders = false
  cluster.leave('node4')
  cluster.verdicts.set('node1', 'amnesiac')
  cluster.exit('node1')
  t.ok(cluster.table.rows.every(({ staying, pending }) => staying === undefined && pending.includes('node1')))
  cluster.obeysOrders = true
  cluster.exit('node1')
  settle(cluster)
  t.equal(ownersOf(cluster), 'node1 node2 node3')
})
