/** Who is started again, who is ended, and what is remembered of it. */

import { test } from 'tap'
import { isJoint } from '../../../src/protocol/ring/table.js'
import { Supervised } from './supervised.js'

test('restartsMax 0: the first death is final, also after a long life', async (t) => {
  for (const lifeMs of [0, 10_000]) {
    const cluster = new Supervised({ nodes: 4, restart: { restartsMax: 0 } }).start()
    cluster.runFor(lifeMs)
    cluster.exit('node4', 'a crash')
    t.equal(cluster.phaseOf('node4'), 'down', `after ${lifeMs} ms`)
    t.match(cluster.notices('node:down')[0]?.reason, /a crash/)
  }
})

test('start: a gateway is told of a node that still starts, or strict requests would not wait for it', async (t) => {
  const cluster = new Supervised({ nodes: 3 })
  cluster.held.add('node3')
  cluster.step({ type: 'gateway/joined', gateway: 'gateway1' })
  cluster.start()
  const told = cluster.sent('peer/changed').filter(({ to }) => to === 'gateway1')
  t.same(
    told.filter(({ message }) => message.node === 'node3').map(({ message }) => [message.status, message.incarnation]),
    [['starting', 1]],
  )
})

test('a store that does not open in time is terminated, once', async (t) => {
  const cluster = new Supervised({ nodes: 4 }).start()
  cluster.held.add('node4')
  cluster.exit('node4')
  cluster.runFor(20_000)
  t.equal(cluster.phaseOf('node4'), 'opening')
  t.equal(cluster.terminations('node4').length, 1)
})

test('a supervisor that slept for a moment does not count it as silence of the nodes', async (t) => {
  const cluster = new Supervised({ nodes: 4, hungAfterMs: 500 }).start()
  cluster.runFor(100)
  cluster.held.add('node4')
  cluster.runFor(300)
  cluster.nowMs += 200
  cluster.runFor(50)
  t.same(cluster.terminations('node4'), [], 'its loop stood still for 350 ms of ours')
  cluster.runFor(250)
  t.equal(cluster.terminations('node4').length, 1)
})

test('a salvaged store is let go once, however long its thread takes to end', async (t) => {
  // Two of three owners of every row are down: their stores are read to refill.
  const cluster = new Supervised({ nodes: 5 }).start()
  cluster.obeysOrders = false
  cluster.giveUp('node4')
  cluster.giveUp('node5')
  const salvaged = ['node4', 'node5'].filter((id) => cluster.phaseOf(id) === 'salvaged')
  t.ok(salvaged.length > 0)
  for (const id of salvaged) cluster.held.add(id)
  cluster.obeysOrders = true
  for (const { to, message } of cluster.sent('transfer/start')) {
    const partitions = message.orders.map((order) => order.partition)
    const rowEpochs = message.orders.map((order) => order.rowEpoch)
    cluster.step({ type: 'message', from: to, message: { type: 'transfer/done', partitions, rowEpochs } })
  }
  cluster.runFor(1_000)
  t.notOk(cluster.table.rows.some(isJoint), 'everything has been filled')
  for (const id of salvaged) {
    t.equal(cluster.phaseOf(id), 'salvaged', 'it has not ended yet')
    t.equal(cluster.terminations(id).length, 1)
  }
})

test('a rebuilt core goes on with the lives there are', async (t) => {
  const cluster = new Supervised({ nodes: 5 })
  cluster.held.add('node2').add('node3')
  cluster.step({
    type: 'resume',
    nodes: [
      { node: 'node1', incarnation: 3, state: 'up' },
      { node: 'node2', incarnation: 7, state: 'starting' },
      { node: 'node3', incarnation: 4, state: 'ended' },
      { node: 'node4', incarnation: 2, state: 'up' },
      { node: 'node5', incarnation: 9, state: 'down' },
    ],
  })
  t.same(
    cluster.effects.filter((effect) => effect.type === 'terminate').map(({ node, incarnation }) => [node, incarnation]),
    [['node2', 7]],
    'a thread that is starting is ended under the name of its own life',
  )
  t.same(
    cluster.effects.filter((effect) => effect.type === 'spawn').map(({ node, incarnation }) => [node, incarnation]),
    [['node3', 5]],
    'a new life is newer than the last one',
  )
  t.equal(cluster.phaseOf('node5'), 'down', 'what was given up stays so')
})

test('a rebuilt core: a thread that is to end answers by an older table until it has, and no fill begins before', async (t) => {
  const cluster = new Supervised({ nodes: 4 }).start()
  cluster.obeysOrders = false
  cluster.join('node5')
  t.ok(cluster.table.rows.some(isJoint))
  cluster.forget()
  const others = ['node1', 'node2', 'node3', 'node4']
  for (const id of others) cluster.held.add(id)
  cluster.rebuild({ joining: ['node5'] }, others)
  t.equal(cluster.terminations('node1').length, 1)
  t.same(cluster.sent('transfer/start'), [])
  cluster.held.clear()
  for (const id of others) cluster.exit(id)
  t.not(cluster.sent('transfer/start').length, 0)
})

test('a rebuilt core: who starts again serves no flip before everybody is known to have stored it', async (t) => {
  const cluster = new Supervised({ nodes: 4 }).start()
  cluster.join('node5')
  cluster.runFor(1_000)
  t.ok(cluster.table.rows.some(({ owners }) => owners.includes('node5')))
  cluster.rebuild()
  cluster.forget()
  cluster.exit('node5')
  const { epoch } = cluster.table
  const boots = cluster.effects.filter((effect) => effect.type === 'boot')
  t.ok(boots.length === 1 && boots.every(({ activeEpoch }) => activeEpoch < epoch))
  for (const from of ['node1', 'node2', 'node3', 'node4'])
    cluster.step({ type: 'message', from, message: { type: 'table/announce', table: cluster.table } })
  t.same(
    cluster.sent('table/activate').flatMap(({ to, message }) => (to === 'node5' ? [message.epoch] : [])),
    [epoch],
  )
})

test('a rebuilt core: nothing is activated while a thread that is to end may answer by an older table', async (t) => {
  const cluster = new Supervised({ nodes: 4 }).start()
  cluster.held.add('node1')
  cluster.rebuild({}, ['node1'])
  cluster.forget()
  for (const from of ['node2', 'node3', 'node4'])
    cluster.step({ type: 'message', from, message: { type: 'table/announce', table: cluster.table } })
  t.same(cluster.sent('table/activate'), [])
  cluster.exit('node1')
  t.not(cluster.sent('table/activate').length, 0)
})

test('a full disk: no life that ends over it is a short one, and the next begins when there is room', async (t) => {
  const cluster = new Supervised({ nodes: 4, restart: { restartsMax: 0 } }).start()
  cluster.full('node4')
  cluster.full('node4')
  t.equal(cluster.phaseOf('node4'), 'up', 'it goes on reading')
  t.equal(cluster.notices('node:full').length, 1)
  for (let round = 0; round < 5; round++) {
    cluster.exit('node4')
    cluster.runFor(10_000)
    t.equal(cluster.phaseOf('node4'), 'waiting')
    t.notOk(cluster.core.isQuiet(), 'settled waits for it')
    cluster.verdicts.set('node4', 'intact')
    cluster.room('node4')
    cluster.runFor(100)
    t.equal(cluster.phaseOf('node4'), 'up')
    cluster.full('node4')
  }
  t.same(cluster.notices('node:down'), [])
})

test('a full disk: a thread that has the store open is ended before it is opened anew', async (t) => {
  const cluster = new Supervised({ nodes: 4 }).start()
  cluster.room('node4')
  t.equal(cluster.terminations('node4').length, 0, 'of a node that is not full')
  cluster.held.add('node4')
  cluster.full('node4')
  cluster.room('node4')
  cluster.room('node4')
  t.equal(cluster.terminations('node4').length, 1)
  t.equal(cluster.notices('node:room').length, 0)
  t.notOk(cluster.core.isQuiet(), 'it has still to end, and to get what it missed')
  cluster.held.delete('node4')
  cluster.exit('node4')
  t.equal(cluster.phaseOf('node4'), 'up', 'at once')
  t.equal(cluster.notices('node:room').length, 1)
})

test('a full disk: exchanges with its node wait until there is room', async (t) => {
  const cluster = new Supervised({ nodes: 3 }).start()
  cluster.full('node1')
  cluster.step({ type: 'gateway/lost', gateway: 'gateway2' })
  cluster.runFor(5_000)
  t.same(new Set(cluster.sent('exchange/start').map(({ to }) => to)), new Set(['node2']))
  cluster.room('node1')
  cluster.exit('node1')
  cluster.runFor(5_000)
  t.same(new Set(cluster.sent('exchange/start').map(({ to }) => to)), new Set(['node1', 'node2']))
})
