/** Rows whose stores are gone, and what an operator may say to that. */

import { test } from 'tap'
import { Supervised } from './supervised.js'

const lostOf = (cluster: Supervised): number[] =>
  cluster.table.rows.flatMap((row, partition) => (row.lost ? [partition] : []))

/** Takes the stores of two of three owners away. */
const lose = (cluster: Supervised): void => {
  cluster.verdicts.set('node2', 'amnesiac').set('node3', 'amnesiac')
  cluster.exit('node2')
  cluster.exit('node3')
}

test('a loss that is accepted before it happens is not accepted', async (t) => {
  const cluster = new Supervised().start()
  cluster.obeysOrders = false
  cluster.step({ type: 'operator/accept-loss', partitions: cluster.table.rows.map((_, partition) => partition) })
  lose(cluster)
  t.equal(lostOf(cluster).length, 16, 'two of three stores are gone: every row says so')
  cluster.obeysOrders = true
  cluster.step({ type: 'operator/accept-loss', partitions: lostOf(cluster) })
  t.same(lostOf(cluster), [])
})

test('a fill reads as many stores as the smallest w ever used asks for', async (t) => {
  const cluster = new Supervised({ nodes: 4, w: 3, r: 1, wFill: 2 }).start()
  cluster.obeysOrders = false
  cluster.verdicts.set('node4', 'amnesiac')
  cluster.exit('node4')
  const orders = cluster.sent('transfer/start').flatMap(({ message }) => message.orders)
  t.ok(orders.length > 0)
  t.ok(orders.every((order) => order.sources.length === 2))
})

test('with every node down for good every row says that it is lost, and nothing is awaited any more', async (t) => {
  const cluster = new Supervised({ nodes: 5 }).start()
  // Fills of the first one's rows are ordered, and never done.
  cluster.obeysOrders = false
  for (const id of cluster.ids) cluster.giveUp(id)
  cluster.runFor(1_000)
  t.equal(lostOf(cluster).length, 16)
  const told = cluster.notices('partition:lost').flatMap(({ partitions }) => partitions)
  t.same(
    told.sort((a, b) => a - b),
    lostOf(cluster),
    'once each',
  )
  t.ok(cluster.core.isQuiet())
  cluster.step({ type: 'operator/accept-loss', partitions: lostOf(cluster) })
  t.equal(lostOf(cluster).length, 16, 'there is nobody who could serve what is left')

  const again = new Supervised({ nodes: 5, table: cluster.table }).start({ wereDown: cluster.ids })
  t.same(lostOf(again), [], 'their stores are read again')
  t.same(again.notices('partition:lost'), [])
})

test('the last nodes go down for good while what the first ones left is being read', async (t) => {
  const cluster = new Supervised({ nodes: 4 }).start()
  cluster.obeysOrders = false
  for (const id of ['node1', 'node2']) cluster.giveUp(id)
  t.ok(cluster.ids.some((id) => cluster.phaseOf(id) === 'salvaged'))
  for (const id of ['node3', 'node4']) cluster.giveUp(id)
  cluster.runFor(1_000)
  t.same(
    cluster.ids.map((id) => cluster.phaseOf(id)),
    ['down', 'down', 'down', 'down'],
  )
  t.equal(lostOf(cluster).length, 16)
  t.ok(cluster.core.isQuiet())
})
