/** When replicas must compare what they hold, because somebody who owed hints, or was owed them, is not what it was. */

import { test } from 'tap'
import { SLOW_START_MS } from '../../../src/protocol/config.js'
import { Supervised } from './supervised.js'

const EVERY_PAIR = ['node1+node2', 'node1+node3', 'node1+node4', 'node2+node3', 'node2+node4', 'node3+node4']
const WITHOUT_NODE4 = ['node1+node2', 'node1+node3', 'node2+node3']

/** A node that has just come up is let be for a while. */
const settle = (cluster: Supervised): void => cluster.runFor(SLOW_START_MS + 100)

const quiet = (): Supervised => {
  const cluster = new Supervised({ nodes: 4 }).start()
  cluster.forget()
  return cluster
}

/** Everybody has been told to compare, and has not. */
const comparing = () => {
  const cluster = quiet()
  cluster.step({ type: 'gateway/joined', gateway: 'gateway2' })
  cluster.obeysOrders = false
  cluster.step({ type: 'gateway/lost', gateway: 'gateway2' })
  settle(cluster)
  return { cluster, told: cluster.sent('exchange/start') }
}

test('an opening after an orderly close owes nothing', async (t) => {
  const cluster = new Supervised({ nodes: 4 }).start()
  t.same(cluster.pairsCompared(), [])
  t.ok(cluster.core.isQuiet())
})

test('a restart with an intact store owes nothing', async (t) => {
  const cluster = quiet()
  cluster.exit('node4')
  t.equal(cluster.phaseOf('node4'), 'up')
  t.same(cluster.pairsCompared(), [])
})

test('a node that comes back without its store had hints: everybody compares', async (t) => {
  const cluster = quiet()
  cluster.verdicts.set('node4', 'amnesiac')
  cluster.exit('node4')
  t.equal(cluster.phaseOf('node4'), 'up')
  t.same(cluster.pairsCompared(), [], 'its first answers are slow')
  settle(cluster)
  t.same(cluster.pairsCompared(), EVERY_PAIR)
  t.ok(cluster.core.isQuiet())
})

test('a node that is given up had hints: everybody else compares', async (t) => {
  const cluster = quiet()
  cluster.giveUp('node4')
  t.equal(cluster.phaseOf('node4'), 'down')
  t.same(cluster.pairsCompared(), WITHOUT_NODE4)
})

test('hints that cannot be read are as good as gone: everybody compares', async (t) => {
  const cluster = quiet()
  cluster.hintsDamaged.set('node4', 2)
  cluster.exit('node4')
  settle(cluster)
  t.same(cluster.pairsCompared(), EVERY_PAIR)
})

test('a store that lost its tail is told of, and everybody compares', async (t) => {
  const cluster = quiet()
  cluster.verdicts.set('node4', 'lost-tail')
  cluster.exit('node4')
  t.same(cluster.notices('node:lost-tail'), [{ type: 'node:lost-tail', node: 'node4', reason: 'a test' }])
  settle(cluster)
  t.same(cluster.pairsCompared(), EVERY_PAIR)
})

test('hints for a place that is being filled are made good once it has been filled', async (t) => {
  const cluster = quiet()
  cluster.obeysOrders = false
  cluster.giveUp('node4')
  const orders = cluster.sent('transfer/start')
  const told = cluster.sent('exchange/start')
  t.ok(orders.length > 0)
  // While places are being filled, a keeper of hints for them comes back empty.
  cluster.forget()
  cluster.hintsDamaged.set('node3', 1)
  cluster.exit('node3')
  cluster.obeysOrders = true
  for (const { to, message } of [...told, ...cluster.sent('exchange/start')])
    cluster.step({ type: 'message', from: to, message: { type: 'exchange/done', peers: message.peers } })
  for (const { to, message } of [...orders, ...cluster.sent('transfer/start')]) {
    const partitions = message.orders.map((order) => order.partition)
    const rowEpochs = message.orders.map((order) => order.rowEpoch)
    cluster.step({ type: 'message', from: to, message: { type: 'transfer/done', partitions, rowEpochs } })
  }
  const flipped = cluster.effects.findLastIndex((effect) => effect.type === 'persist')
  cluster.effects.splice(0, flipped)
  settle(cluster)
  t.same(cluster.pairsCompared(), WITHOUT_NODE4)
  t.ok(cluster.core.isQuiet())
})

test('a node that was down for good and is opened again, intact, lacks what it was not hinted', async (t) => {
  const cluster = new Supervised({ nodes: 4 }).start({ wereDown: ['node4'] })
  t.same(cluster.pairsCompared(), ['node1+node4', 'node2+node4', 'node3+node4'])
  t.ok(cluster.core.isQuiet())
})

test('exchanges wait for a node that starts, and not for one that never gets there', async (t) => {
  const cluster = quiet()
  cluster.step({ type: 'gateway/joined', gateway: 'gateway2' })
  cluster.held.add('node3')
  cluster.exit('node3')
  t.equal(cluster.phaseOf('node3'), 'opening')
  cluster.step({ type: 'gateway/lost', gateway: 'gateway2' })
  cluster.runFor(1_000)
  t.same(cluster.pairsCompared(), [], 'it may be there in a moment')
  cluster.runFor(4_000)
  t.equal(cluster.phaseOf('node3'), 'opening')
  t.same(
    cluster.pairsCompared(),
    EVERY_PAIR.filter((pair) => !pair.startsWith('node3')),
  )
})

test('a node that kept no hints when it ended takes none along: nobody compares, whether it comes back empty or not at all', async (t) => {
  const cluster = quiet()
  cluster.hintsKept.set('node4', 0)
  cluster.verdicts.set('node4', 'amnesiac')
  cluster.exit('node4')
  t.equal(cluster.phaseOf('node4'), 'up')
  settle(cluster)
  t.same(cluster.pairsCompared(), [])
  cluster.giveUp('node4')
  t.same(cluster.pairsCompared(), [])
  t.ok(cluster.core.isQuiet())
})

test('of a life that was never up nothing is known: everybody compares', async (t) => {
  const cluster = new Supervised({ nodes: 4 })
  cluster.verdicts.set('node4', 'amnesiac')
  cluster.hintsKept.set('node4', 0)
  cluster.start()
  t.same(cluster.pairsCompared(), EVERY_PAIR)
})

test('a core that is rebuilt while everybody is up has everybody compare: what was owed is not known any more', async (t) => {
  const cluster = quiet()
  cluster.step({ type: 'resume', nodes: cluster.ids.map((node) => ({ node, incarnation: 1, state: 'up' })) })
  settle(cluster)
  t.same(cluster.pairsCompared(), EVERY_PAIR)
})

test('what was being filled while everybody compared is compared once it is full', async (t) => {
  const cluster = quiet()
  cluster.obeysOrders = false
  cluster.verdicts.set('node4', 'amnesiac')
  cluster.exit('node4')
  settle(cluster)
  t.same(cluster.pairsCompared(), EVERY_PAIR, 'told while node4 is being filled')
  for (const { to, message } of cluster.sent('exchange/start'))
    cluster.step({ type: 'message', from: to, message: { type: 'exchange/done', peers: message.peers } })
  const fills = cluster.sent('transfer/start')
  cluster.forget()
  cluster.obeysOrders = true
  for (const { to, message } of fills) {
    const partitions = message.orders.map((order) => order.partition)
    const rowEpochs = message.orders.map((order) => order.rowEpoch)
    cluster.step({ type: 'message', from: to, message: { type: 'transfer/done', partitions, rowEpochs } })
  }
  settle(cluster)
  t.same(cluster.pairsCompared(), EVERY_PAIR, 'once more')
  cluster.forget()
  cluster.runFor(10_000)
  t.same(cluster.pairsCompared(), [], 'and not again')
  t.ok(cluster.core.isQuiet())
})

test('one that was filled while others still had to compare compares too: it may have read from those that lack something', async (t) => {
  const { cluster, told } = comparing()
  cluster.forget()
  cluster.obeysOrders = true
  cluster.join('node5')
  settle(cluster)
  for (const { to, message } of told)
    cluster.step({ type: 'message', from: to, message: { type: 'exchange/done', peers: message.peers } })
  settle(cluster)
  const withNode5 = ['node1+node5', 'node2+node5', 'node3+node5', 'node4+node5']
  t.same(
    cluster.pairsCompared().filter((pair) => pair.endsWith('node5')),
    withNode5,
  )
  t.ok(cluster.core.isQuiet())
})

test('nothing is quiet before everybody knows that all is full, where everybody is to compare then', async (t) => {
  const { cluster, told } = comparing()
  cluster.join('node5')
  const fills = cluster.sent('transfer/start')
  t.ok(fills.length > 0)
  for (const { to, message } of told)
    cluster.step({ type: 'message', from: to, message: { type: 'exchange/done', peers: message.peers } })
  cluster.obeysOrders = true
  cluster.forget()
  // It hears of the flip last.
  cluster.held.add('node2')
  for (const { to, message } of fills) {
    const partitions = message.orders.map((order) => order.partition)
    const rowEpochs = message.orders.map((order) => order.rowEpoch)
    cluster.step({ type: 'message', from: to, message: { type: 'transfer/done', partitions, rowEpochs } })
  }
  t.same(cluster.pairsCompared(), [])
  t.notOk(cluster.core.isQuiet())
  cluster.held.delete('node2')
  cluster.step({ type: 'message', from: 'node2', message: { type: 'table/stored', epoch: cluster.table.epoch } })
  t.ok(cluster.pairsCompared().includes('node1+node5'))
  t.ok(cluster.core.isQuiet())
})
