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
