/** Standbys: who takes whose places, and what is filled how. */

import { test } from 'tap'
import { Supervised } from './supervised.js'

const placesOf = (cluster: Supervised, node: string): number =>
  cluster.table.rows.filter(({ owners }) => owners.includes(node)).length

const ordersTo = (cluster: Supervised, node: string) =>
  cluster.sent('transfer/start').flatMap(({ to, message }) => (to === node ? message.orders : []))

test('a standby takes all places of a node that is down for good, and compares instead of being sent everything', async (t) => {
  const cluster = new Supervised({ nodes: 4, standbys: 2 }).start()
  const places = placesOf(cluster, 'node2')
  cluster.giveUp('node2')
  cluster.runFor(1_000)
  t.equal(placesOf(cluster, 'node5'), places)
  t.same(cluster.notices('node:promoted'), [{ type: 'node:promoted', node: 'node5' }])
  t.ok(ordersTo(cluster, 'node5').every(({ hasCopy, sources }) => hasCopy === true && sources.length === 2))
  t.ok(cluster.table.rows.every(({ standbys }) => standbys.join() === 'node6'))
  t.ok(
    ['node1', 'node3', 'node4'].every((node) => ordersTo(cluster, node).length === 0),
    'nobody else is filled',
  )
  t.ok(cluster.core.isQuiet())
})

test('one that is not there takes nothing: then the others share the places', async (t) => {
  const cluster = new Supervised({ nodes: 4, standbys: 1 }).start()
  cluster.giveUp('node5')
  t.ok(
    cluster.table.rows.every(({ standbys }) => standbys.length === 0),
    'who is down for good gets no writes',
  )
  cluster.giveUp('node2')
  cluster.runFor(1_000)
  t.equal(placesOf(cluster, 'node5'), 0)
  t.equal(placesOf(cluster, 'node2'), 0)
  t.ok(cluster.core.isQuiet())
})

test('the standby that lacks least is taken', async (t) => {
  const cluster = new Supervised({ nodes: 4, standbys: 2 }).start()
  cluster.obeysOrders = false
  cluster.verdicts.set('node5', 'amnesiac')
  cluster.exit('node5')
  t.equal(ordersTo(cluster, 'node5').length, 16, 'one that has forgotten is filled')
  cluster.giveUp('node2')
  t.same(cluster.notices('node:promoted'), [{ type: 'node:promoted', node: 'node6' }])
})

test('one that joins has joined once it holds what the owners hold', async (t) => {
  const cluster = new Supervised({ nodes: 3 }).start()
  cluster.obeysOrders = false
  cluster.join('node4', 'standby')
  cluster.runFor(500)
  const orders = ordersTo(cluster, 'node4')
  t.equal(orders.length, 16)
  t.ok(orders.every(({ hasCopy, sources }) => hasCopy === undefined && sources.length === 2))
  t.same(cluster.notices('node:joined'), [])
  t.notOk(cluster.core.isQuiet())
  const partitions = orders.map((order) => order.partition)
  const rowEpochs = orders.map((order) => order.rowEpoch)
  cluster.step({ type: 'message', from: 'node4', message: { type: 'transfer/done', partitions, rowEpochs } })
  cluster.runFor(500)
  t.same(cluster.notices('node:joined'), [{ type: 'node:joined', node: 'node4' }])
  t.ok(cluster.core.isQuiet())
})

test('one that is told to fill is told again in its next life, and where a row has changed', async (t) => {
  const cluster = new Supervised({ nodes: 4, standbys: 1 }).start()
  cluster.obeysOrders = false
  cluster.verdicts.set('node5', 'amnesiac')
  cluster.exit('node5')
  t.equal(ordersTo(cluster, 'node5').length, 16)
  cluster.forget()
  cluster.exit('node5')
  cluster.runFor(500)
  t.equal(ordersTo(cluster, 'node5').length, 16)
  cluster.forget()
  cluster.verdicts.set('node1', 'amnesiac')
  cluster.exit('node1')
  const changed = cluster.table.rows.filter(({ epoch }) => epoch === cluster.table.epoch).length
  t.equal(ordersTo(cluster, 'node5').length, changed)
})

test('promoted by hand: it gets its share; promoted before it had joined, it is no standby again', async (t) => {
  const cluster = new Supervised({ nodes: 4, standbys: 1 }).start()
  cluster.step({ type: 'operator/promote', node: 'node5' })
  cluster.runFor(1_000)
  t.equal(placesOf(cluster, 'node5'), 9)
  t.ok(ordersTo(cluster, 'node5').every(({ hasCopy }) => hasCopy === true))
  t.same(cluster.notices('node:promoted'), [{ type: 'node:promoted', node: 'node5' }])
  cluster.obeysOrders = false
  cluster.join('node6', 'standby')
  cluster.obeysOrders = true
  cluster.giveUp('node1')
  t.ok(cluster.table.rows.every(({ standbys }) => standbys.length === 0))
  t.same(cluster.notices('node:joined'), [{ type: 'node:joined', node: 'node6' }])
  cluster.join('node7')
  cluster.runFor(1_000)
  t.ok(placesOf(cluster, 'node6') > 0)
})

test('promoted under a core that broke before it could be planned: the next one goes on with it', async (t) => {
  const cluster = new Supervised({ nodes: 4, standbys: 1 }).start()
  cluster.rebuild({ promoted: ['node5'] })
  cluster.runFor(1_000)
  t.equal(placesOf(cluster, 'node5'), 9)
  t.same(cluster.notices('node:promoted'), [{ type: 'node:promoted', node: 'node5' }])
})

test('join: a standby whose store was made of a backup is ordered to compare it; what forgets it is filled', async (t) => {
  const cluster = new Supervised({ nodes: 3 }).start()
  cluster.obeysOrders = false
  cluster.ids = [...cluster.ids, 'node4']
  cluster.step({ type: 'operator/join', nodes: ['node4'], role: 'standby', haveCopies: true })
  const copiesOrdered = () => cluster.sent('transfer/start').map(({ message }) => message.orders[0]?.hasCopy === true)
  t.same(copiesOrdered(), [true])
  cluster.forget()
  cluster.verdicts.set('node4', 'amnesiac')
  cluster.exit('node4')
  t.same(copiesOrdered(), [false])
})
