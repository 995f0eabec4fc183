/** How nodes join and leave: when owners are planned, when a node that leaves may go. */

import { test } from 'tap'
import type { NodeId } from '../../../src/protocol/ids.js'
import { minimumMoves } from '../../../src/protocol/ring/claim.js'
import { newOwnersOf } from '../../../src/protocol/ring/table.js'
import { RESTART_POLICY_DEFAULTS } from '../../../src/protocol/supervision/restart-policy.js'
import { SupervisorCore } from '../../../src/protocol/supervision/supervisor-core.js'
import { Supervised } from './supervised.js'

const sharesOf = (cluster: Supervised): Record<NodeId, number> => {
  const shares: Record<NodeId, number> = {}
  for (const { owners } of cluster.table.rows)
    for (const owner of owners) if (owner !== null) shares[owner] = (shares[owner] ?? 0) + 1
  return shares
}

const pendingOf = (cluster: Supervised): (NodeId | null)[] => cluster.table.rows.flatMap(({ pending }) => pending)

/** Fills take their time: the rows that are filled together flip together. */
const settle = (cluster: Supervised): void => cluster.runFor(1_000)

test('join: everybody owns a share, and no more has moved than that takes', async (t) => {
  const cluster = new Supervised({ nodes: 4, partitions: 32 }).start()
  const before = cluster.table.rows.map(({ owners }) => owners)
  cluster.join('node5')
  settle(cluster)
  t.same(Object.values(sharesOf(cluster)).sort(), [19, 19, 19, 19, 20])
  const moved = cluster.table.rows.flatMap(({ owners }, partition) =>
    owners.filter((owner) => owner !== null && before[partition]?.includes(owner) === false),
  )
  t.equal(moved.length, minimumMoves({ partitions: 32, n: 3, members: cluster.ids, current: before, evenly: true }))
  t.same(cluster.notices('node:joined'), [{ type: 'node:joined', node: 'node5' }])
  t.ok(cluster.core.isQuiet())
})

test('join: who has not come up is given nothing; who never does leaves no trace', async (t) => {
  const cluster = new Supervised({ nodes: 3 }).start()
  const { epoch } = cluster.table
  cluster.held.add('node4')
  cluster.join('node4')
  cluster.runFor(500)
  t.equal(cluster.table.epoch, epoch)
  t.notOk(cluster.core.isQuiet())
  cluster.step({ type: 'operator/give-up', node: 'node4' })
  cluster.exit('node4', 'it does not start')
  settle(cluster)
  t.equal(cluster.table.epoch, epoch)
  t.same(cluster.notices('node:joined'), [])
  t.ok(cluster.core.isQuiet())
})

test('join: another dies for good in the middle of it; who was to give up a place and is needed again keeps it', async (t) => {
  let kept = 0
  for (const dead of ['node1', 'node2', 'node3', 'node4']) {
    const cluster = new Supervised({ nodes: 4, partitions: 32 }).start()
    cluster.obeysOrders = false
    cluster.join('node5')
    const before = cluster.table.rows
    cluster.giveUp(dead)
    cluster.table.rows.forEach((row, partition) => {
      const owners = newOwnersOf(row)
      t.equal(new Set(owners).size, 3)
      t.notOk(owners.includes(dead))
      row.owners.forEach((owner, place) => {
        if (before[partition]?.pending[place] === 'node5' && owners[place] === owner) kept += 1
      })
    })
  }
  t.ok(kept > 0, 'some keep a place that node5 was to have')
})

test('join: who dies for good in the middle of its fill gives its places back', async (t) => {
  const cluster = new Supervised({ nodes: 3 }).start()
  const before = cluster.table.rows.map(({ owners }) => owners)
  cluster.obeysOrders = false
  cluster.join('node4')
  t.ok(pendingOf(cluster).includes('node4'))
  cluster.giveUp('node4')
  cluster.obeysOrders = true
  settle(cluster)
  t.same(
    cluster.table.rows.map(({ owners }) => owners),
    before,
  )
  t.ok(pendingOf(cluster).every((node) => node === null))
  t.same(cluster.notices('node:joined'), [])
})

test('leave: a node is told to retire once it is nothing to any partition, and goes once it owes nothing', async (t) => {
  const cluster = new Supervised({ nodes: 4 }).start()
  cluster.obeysOrders = false
  cluster.leave('node2')
  t.same(
    cluster.sent('member/declared').map(({ to, message }) => `${to} ${message.node} ${message.status}`),
    ['node1', 'node2', 'node3', 'node4'].map((to) => `${to} node2 leaving`),
  )
  settle(cluster)
  t.ok(sharesOf(cluster)['node2'], 'nobody is filled: it serves')
  t.same(cluster.sent('retire/start'), [])
  const orders = cluster.sent('transfer/start')
  for (const { to, message } of orders) {
    const partitions = message.orders.map((order) => order.partition)
    const rowEpochs = message.orders.map((order) => order.rowEpoch)
    cluster.step({ type: 'message', from: to, message: { type: 'transfer/done', partitions, rowEpochs } })
  }
  settle(cluster)
  t.equal(sharesOf(cluster)['node2'], undefined)
  t.same(
    cluster.sent('retire/start').map(({ to }) => to),
    ['node2'],
  )
  t.same(cluster.notices('node:removed'), [])
  cluster.step({ type: 'message', from: 'node2', message: { type: 'retire/done' } })
  t.same(cluster.notices('node:removed'), [{ type: 'node:removed', node: 'node2' }])
  t.equal(cluster.phaseOf('node2'), undefined)
  cluster.exit('node2')
  settle(cluster)
  t.equal(cluster.phaseOf('node2'), undefined, 'it is not started again')
  t.ok(cluster.core.isQuiet())
})

test('leave: a new life of one that leaves is told so, and is asked to retire anew', async (t) => {
  const cluster = new Supervised({ nodes: 4 }).start()
  cluster.retires = false
  cluster.leave('node2')
  settle(cluster)
  t.same(
    cluster.sent('retire/start').map(({ to }) => to),
    ['node2'],
  )
  cluster.forget()
  cluster.exit('node2')
  settle(cluster)
  t.ok(cluster.sent('member/declared').some(({ to, message }) => to === 'node2' && message.incarnation === 2))
  t.same(
    cluster.sent('retire/start').map(({ to }) => to),
    ['node2'],
  )
})

test('leave: one that is down for good goes once its places are filled', async (t) => {
  const cluster = new Supervised({ nodes: 4 }).start()
  cluster.obeysOrders = false
  cluster.giveUp('node3')
  cluster.leave('node3')
  settle(cluster)
  t.same(cluster.notices('node:removed'), [])
  cluster.obeysOrders = true
  for (const { to, message } of cluster.sent('transfer/start')) {
    const partitions = message.orders.map((order) => order.partition)
    const rowEpochs = message.orders.map((order) => order.rowEpoch)
    cluster.step({ type: 'message', from: to, message: { type: 'transfer/done', partitions, rowEpochs } })
  }
  settle(cluster)
  t.same(cluster.notices('node:removed'), [{ type: 'node:removed', node: 'node3' }])
})

test('leave: nobody who leaves gets the places of one who dies', async (t) => {
  const cluster = new Supervised({ nodes: 5 }).start()
  cluster.obeysOrders = false
  cluster.leave('node1')
  cluster.giveUp('node2')
  t.notOk(pendingOf(cluster).includes('node1'))
  t.ok(pendingOf(cluster).some((node) => node !== null))
})

test('a supervisor that is rebuilt goes on with whoever comes and goes', async (t) => {
  const cluster = new Supervised({ nodes: 4 }).start()
  cluster.leave('node4')
  const quorums = { n: 3, r: 2, w: 2, wFill: 2 }
  const limits = {
    hungAfterMs: 1_000,
    openingAfterMs: 5_000,
    nodesCoordinate: false,
    tombstoneGraceMs: 0,
    restart: RESTART_POLICY_DEFAULTS,
  }
  const core = new SupervisorCore({ ...quorums, ...limits }, cluster.table)
  const nodes = cluster.ids.map((node) => ({ node, incarnation: 1, state: 'up' as const }))
  core.step({ type: 'resume', nodes, joining: [], leaving: ['node4'] }, 1)
  t.notOk(core.isQuiet())
  for (const node of cluster.ids)
    core.step({ type: 'message', from: node, message: { type: 'table/stored', epoch: cluster.table.epoch } }, 2)
  const effects = core.step({ type: 'tick', loops: {} }, 3)
  const persisted = effects.find((effect) => effect.type === 'persist')
  t.ok(
    persisted === undefined ||
      persisted.table.rows.every(({ owners, pending }) =>
        owners.every((owner, place) => owner !== 'node4' || pending[place] !== null),
      ),
  )
})
