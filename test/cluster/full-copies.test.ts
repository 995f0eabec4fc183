/** Clusters in which every node is a full copy: n follows the members, and so do quorums that were not asked for. */

import { test } from 'tap'
import type { Cluster } from '../../src/index.js'
import {
  callDuring,
  copiesOf,
  folderForTest,
  loadRecords,
  nodeIds,
  openForTest,
  outcomeOf,
  wrongRecords,
} from '../support/cluster.js'

/** [copies of each partition, keys of each node] */
function shapeOf(cluster: Cluster): unknown {
  const { nodes, replication, partitions } = cluster.status()
  const full = nodes.filter((node) => node.partitions === partitions).map(({ id }) => id)
  return { ...replication, full }
}

test('join, leave: every node is a full copy, r and w are a majority of those that there are', async (t) => {
  const location = await folderForTest(t)
  const options = { location, nodes: 3, partitions: 16, replication: { n: 'all' as const } }
  const cluster = await openForTest(t, options)
  const records = await loadRecords(cluster, 300)
  t.same(shapeOf(cluster), { n: 3, r: 2, w: 2, full: ['node1', 'node2', 'node3'] })

  const plan = await cluster.plan({ join: 2 })
  t.equal(plan.moves.length, 32, 'two copies of everything')
  const joined = await callDuring(cluster, () => cluster.join({ count: 2 }))
  t.same(joined.failed, [])
  t.ok(joined.calls > 0)
  await cluster.settled({ timeoutMs: 60_000 })
  t.same(shapeOf(cluster), { n: 5, r: 3, w: 3, full: nodeIds(cluster) })
  t.same(await wrongRecords(cluster, records), [])
  t.equal(await outcomeOf(cluster.get('a', { r: 5 })), 'ok')
  t.equal(await outcomeOf(cluster.get('a', { r: 6 })), 'INVALID_OPTION')

  t.same((await cluster.plan({ leave: ['node1', 'node2'] })).moves, [])
  const left = await callDuring(cluster, async () => {
    await cluster.leave('node1')
    await cluster.leave('node2')
  })
  t.same(left.failed, [])
  await cluster.settled({ timeoutMs: 60_000 })
  t.same(shapeOf(cluster), { n: 3, r: 2, w: 2, full: ['node3', 'node4', 'node5'] })
  t.same(await wrongRecords(cluster, records), [])
  await cluster.close()

  const reopened = await openForTest(t, options)
  t.same(shapeOf(reopened), { n: 3, r: 2, w: 2, full: ['node3', 'node4', 'node5'] })
  t.same(await wrongRecords(reopened, records), [])
})

test('a node that is down for good keeps its place until another joins', async (t) => {
  const cluster = await openForTest(t, { nodes: 4, partitions: 16, replication: { n: 'all' } })
  const records = await loadRecords(cluster, 100)
  await cluster.faults.crash('node2', { permanent: true })
  await cluster.settled({ timeoutMs: 60_000 })
  t.match(shapeOf(cluster), { n: 4, r: 3, w: 3 })
  t.equal(await outcomeOf(cluster.put('k', 'v')), 'ok', 'three of four are a quorum')
  await cluster.join()
  await cluster.settled({ timeoutMs: 60_000 })
  t.same(shapeOf(cluster), { n: 4, r: 3, w: 3, full: ['node1', 'node3', 'node4', 'node5'] })
  t.same(await wrongRecords(cluster, records), [])
  t.equal(copiesOf(cluster), 4 * 101)
  await cluster.leave('node2')
  t.same(nodeIds(cluster), ['node1', 'node3', 'node4', 'node5'])
})

test('what cannot be is refused: quorums that would not meet any more, or that nobody could form', async (t) => {
  const cluster = await openForTest(t, { nodes: 3, partitions: 16, replication: { n: 'all', r: 2, w: 2 } })
  t.equal(await outcomeOf(cluster.join()), 'INVALID_OPTION', 'two and two of four need not meet')
  t.equal(await outcomeOf(cluster.plan({ join: 1 })), 'INVALID_OPTION')
  t.same(nodeIds(cluster).length, 3)
  await cluster.leave('node3')
  t.match(shapeOf(cluster), { n: 2, r: 2, w: 2 })
  t.equal(await outcomeOf(cluster.leave('node2')), 'TOO_FEW_NODES', 'w = 2 was given')
  const single = await openForTest(t, { nodes: 1, partitions: 16, replication: { n: 'all' } })
  t.equal(await outcomeOf(single.leave('node1')), 'TOO_FEW_NODES')
})
