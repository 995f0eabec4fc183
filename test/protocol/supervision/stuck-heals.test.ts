/** Records that their nodes cannot heal: whose stores are read for them, what is lost, and what an operator's word does. */

import { test } from 'tap'
import type { NodeId, PartitionId } from '../../../src/protocol/ids.js'
import { Supervised, type SupervisedOptions } from './supervised.js'

/** node1 is stuck in a partition that it shares with two others. */
function stuckCluster(options: SupervisedOptions = {}) {
  const cluster = new Supervised({ nodes: 5, ...options }).start()
  const partition = cluster.table.rows.findIndex(({ owners }) => owners.includes('node1'))
  const others = (cluster.table.rows[partition]?.owners ?? []).filter((owner) => owner !== 'node1') as NodeId[]
  const [dead = '', other = ''] = others
  return { cluster, partition, dead, other }
}

function say(cluster: Supervised, from: NodeId, partitions: PartitionId[], hopeless: PartitionId[] = []): void {
  cluster.step({ type: 'message', from, message: { type: 'heal/stuck', partitions, hopeless } })
}

const ordersTo = (cluster: Supervised, node: NodeId) =>
  cluster.sent('heal/start').flatMap(({ to, message }) => (to === node ? [message] : []))

const lostOf = (cluster: Supervised): number[] =>
  cluster.table.rows.flatMap((row, partition) => (row.lost ? [partition] : []))

test('a dead owner’s store is read for it, and named once', async (t) => {
  const { cluster, partition, dead } = stuckCluster()
  cluster.obeysOrders = false
  cluster.giveUp(dead)
  say(cluster, 'node1', [partition])
  t.equal(cluster.phaseOf(dead), 'salvaged')
  cluster.runFor(500)
  t.match(ordersTo(cluster, 'node1'), [{ partition, salvaged: [dead], accepted: false }])
  t.equal(ordersTo(cluster, 'node1').length, 1)
  t.same(lostOf(cluster), [])
})

test('also where nobody is there to take the dead one’s place', async (t) => {
  const { cluster, partition, dead } = stuckCluster({ nodes: 3 })
  cluster.giveUp(dead)
  say(cluster, 'node1', [partition])
  t.match(ordersTo(cluster, 'node1'), [{ partition, salvaged: [dead], accepted: false }])
  t.notOk(cluster.core.isQuiet(), 'that goes on')
  say(cluster, 'node1', [])
  t.equal(cluster.phaseOf(dead), 'down', 'and is closed again')
  t.ok(cluster.core.isQuiet())
})

test('a thread that dies over the store is followed by another, which is named anew', async (t) => {
  const { cluster, partition, dead } = stuckCluster({ nodes: 3 })
  cluster.giveUp(dead)
  say(cluster, 'node1', [partition])
  cluster.exit(dead)
  t.equal(cluster.phaseOf(dead), 'salvaged')
  t.equal(ordersTo(cluster, 'node1').length, 2)
})

test('with that store gone the partition is lost, alone, until an operator accepts it', async (t) => {
  const { cluster, partition, dead } = stuckCluster()
  cluster.obeysOrders = false
  cluster.giveUp(dead)
  cluster.verdicts.set(dead, 'amnesiac')
  say(cluster, 'node1', [partition])
  cluster.runFor(500)
  t.same(lostOf(cluster), [partition])
  t.same(cluster.notices('partition:lost'), [{ type: 'partition:lost', partitions: [partition] }])
  t.same(ordersTo(cluster, 'node1'), [])
  const fills = () => cluster.sent('transfer/start').flatMap(({ message }) => message.orders)
  const isOfIt = (order: { partition: number }) => order.partition === partition
  cluster.forget()
  cluster.runFor(500)
  t.notOk(fills().some(isOfIt), 'its fill waits')
  cluster.step({ type: 'operator/accept-loss', partitions: [partition] })
  t.match(ordersTo(cluster, 'node1'), [{ partition, salvaged: [], accepted: true }])
  t.same(lostOf(cluster), [])
  t.match(fills().filter(isOfIt), [{ sources: { length: 2 } }], 'from two owners, as ever')
  t.equal(cluster.notices('epoch').at(-1)?.reason, 'an operator accepted the loss')
})

test('an owner that lost its store cannot help either: a record that is damaged on another is lost', async (t) => {
  const { cluster, partition, dead } = stuckCluster()
  cluster.obeysOrders = false
  cluster.verdicts.set(dead, 'amnesiac')
  cluster.exit(dead)
  say(cluster, 'node1', [partition])
  t.same(lostOf(cluster), [partition])
})

test('lost as well: where the salvaged store could not help, and where two owners are stuck', async (t) => {
  const hopeless = stuckCluster()
  hopeless.cluster.obeysOrders = false
  hopeless.cluster.giveUp(hopeless.dead)
  say(hopeless.cluster, 'node1', [hopeless.partition])
  t.same(lostOf(hopeless.cluster), [])
  say(hopeless.cluster, 'node1', [hopeless.partition], [hopeless.partition])
  t.same(lostOf(hopeless.cluster), [hopeless.partition])
  t.equal(hopeless.cluster.phaseOf(hopeless.dead), 'salvaged', 'its fill may need it')

  const two = stuckCluster()
  for (const node of ['node1', two.other]) say(two.cluster, node, [two.partition])
  t.same(lostOf(two.cluster), [two.partition])
  two.cluster.step({ type: 'operator/accept-loss', partitions: [two.partition] })
  t.same(lostOf(two.cluster), [])
  for (const node of ['node1', two.other]) t.match(ordersTo(two.cluster, node), [{ accepted: true }])
  for (const node of ['node1', two.other]) say(two.cluster, node, [])
  // That was accepted once: it is not for what happens later.
  for (const node of ['node1', two.other]) say(two.cluster, node, [two.partition])
  t.same(lostOf(two.cluster), [two.partition])
})

test('with enough living owners nothing is lost, and what a node said does not outlive its life', async (t) => {
  const { cluster, partition, dead } = stuckCluster()
  cluster.obeysOrders = false
  say(cluster, 'node1', [partition])
  t.same(lostOf(cluster), [])
  t.same(cluster.sent('heal/start'), [])
  cluster.verdicts.set(dead, 'amnesiac')
  cluster.exit(dead)
  t.same(lostOf(cluster), [partition])
  cluster.exit('node1')
  t.same(lostOf(cluster), [])
})

test('a record that is damaged in a dead owner’s store: another source, or lost until it is accepted, then left out', async (t) => {
  const { cluster, partition, dead, other } = stuckCluster()
  cluster.obeysOrders = false
  for (const node of [dead, other]) cluster.giveUp(node)
  const sourcesOf = () =>
    cluster
      .sent('transfer/start')
      .flatMap(({ message }) => message.orders.filter((order) => order.partition === partition))
  t.match(
    sourcesOf().at(-1)?.sources,
    ['node1', dead].sort((a, b) => Number(b === 'node1') - Number(a === 'node1')),
  )
  say(cluster, dead, [partition])
  t.match(sourcesOf().at(-1)?.sources, ['node1', other])
  t.same(lostOf(cluster), [])
  say(cluster, other, [partition])
  t.same(lostOf(cluster), [partition])
  cluster.step({ type: 'operator/accept-loss', partitions: [partition] })
  t.same(lostOf(cluster), [])
  t.match(sourcesOf().at(-1), { skipsDamaged: true, sources: { length: 2 } })
  t.ok(sourcesOf().at(-1)?.sources.includes('node1'))
})
