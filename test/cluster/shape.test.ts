/** Nodes join and leave while the cluster serves: no request fails, no record is lost, everybody owns a share. */

import { existsSync, readFileSync } from 'node:fs'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { type Cluster, openCluster } from '../../src/index.js'
import {
  callDuring,
  collect,
  copiesOf,
  eventOf,
  folderForTest,
  loadRecords,
  nodeIds,
  nodeOf,
  openForTest,
  outcomeOf,
  type Records,
  until,
  wrongRecords,
} from '../support/cluster.js'

function sharesOf(cluster: Cluster): number[] {
  return cluster.status().nodes.map(({ partitions }) => partitions)
}

async function keysOf(cluster: Cluster): Promise<number> {
  return (await collect(cluster.scan())).length
}

async function holdsAll(cluster: Cluster, records: Records): Promise<string[]> {
  await cluster.settled({ timeoutMs: 60_000 })
  return wrongRecords(cluster, records)
}

test('join, leave: planned, carried out while it serves, and each node ends with its share', async (t) => {
  const location = await folderForTest(t)
  const cluster = await openForTest(t, { location, nodes: 4, partitions: 64 })
  const records = await loadRecords(cluster, 500)
  const plan = await cluster.plan({ join: 2 })
  t.same(plan.joining, ['node5', 'node6'])
  t.equal(plan.moves.length, 64, 'the two get 64 of 192 replicas, and nothing else moves')
  t.same(Object.values(plan.replicas), [32, 32, 32, 32, 32, 32])
  t.ok(plan.bytes > 0)
  t.same(nodeIds(cluster).length, 4, 'a plan changes nothing')

  const ends = new Map<string, number>()
  cluster.on('transfer:progress', ({ node, done, partitions, partitionsDone }) => {
    if (done) ends.set(node, partitionsDone === partitions ? partitions : -1)
  })
  const joined = await callDuring(cluster, async () => t.same(await cluster.join({ count: 2 }), ['node5', 'node6']))
  t.same([...ends].sort(), [
    ['node5', 32],
    ['node6', 32],
  ])
  t.ok(
    cluster.status().nodes.every(({ filling }) => filling === undefined),
    'nothing is under way any more',
  )
  t.same(joined.failed, [])
  t.ok(joined.calls > 0)
  t.same(sharesOf(cluster), [32, 32, 32, 32, 32, 32])
  t.same(await holdsAll(cluster, records), [])
  const own = await keysOf(cluster)
  t.equal(copiesOf(cluster), 3 * own, 'what moved away is dropped: no store keeps more than its share')
  t.same(
    cluster.status().nodes.map(({ id, status, epoch }) => [id, status, epoch === cluster.status().epoch]),
    ['node1', 'node2', 'node3', 'node4', 'node5', 'node6'].map((id) => [id, 'up', true]),
    'everybody knows the newest table',
  )

  const left = await callDuring(cluster, () => cluster.leave('node2'))
  t.same(left.failed, [])
  t.same(nodeIds(cluster), ['node1', 'node3', 'node4', 'node5', 'node6'])
  t.notOk(existsSync(join(location, 'node2')), 'its store is deleted')
  t.same(await holdsAll(cluster, records), [])
  t.same(sharesOf(cluster).sort(), [38, 38, 38, 39, 39])
  const copies = 3 * (await keysOf(cluster))
  t.equal(copiesOf(cluster), copies)
  await cluster.close()

  const again = await openForTest(t, { location })
  t.same(nodeIds(again), ['node1', 'node3', 'node4', 'node5', 'node6'])
  t.same(await holdsAll(again, records), [])
  t.equal(copiesOf(again), copies, 'nothing that was dropped has come back')
  t.same(await again.join(), ['node7'], 'an id is never used again')
})

test('join: goes on although the one that joins, and those that give, die in the middle of it', async (t) => {
  const cluster = await openForTest(t, { nodes: 4, restartsMax: 1_000 })
  const records = await loadRecords(cluster, 600)
  const deaths: string[] = []
  cluster.on('node:exit', ({ node, reason }) => deaths.push(`${node} ${reason.split(' ').at(-1)}`))
  for (const node of nodeIds(cluster)) await cluster.faults.failpoint(node, 'send:transfer/chunk')
  const joining = cluster.join()
  await eventOf(cluster, 'node:up', ({ node }) => node === 'node5')
  await cluster.faults.failpoint('node5', 'receive:transfer/chunk', { nth: 2 })
  t.same(await joining, ['node5'])
  // A thread that takes long to end on a busy machine is ended as hung.
  t.ok(
    deaths.some((death) => death.startsWith('node5')),
    deaths.join(', '),
  )
  t.ok(
    deaths.some((death) => !death.startsWith('node5')),
    deaths.join(', '),
  )
  t.same(await holdsAll(cluster, records), [])
  t.same(sharesOf(cluster).sort(), [76, 77, 77, 77, 77])
})

test('join, leave: what was begun goes on in the next process', async (t) => {
  const location = await folderForTest(t)
  const cluster = await openCluster({ location, nodes: 4, transferBytesPerSecond: 20_000 })
  const records = await loadRecords(cluster, 1_000)
  const joining = outcomeOf(cluster.join())
  const leaving = outcomeOf(cluster.leave('node1'))
  await until(() => cluster.status().nodes.some(({ id, pending }) => id === 'node5' && pending > 0))
  const [progress] = await eventOf(cluster, 'transfer:progress', ({ node }) => node === 'node5')
  t.ok(progress.partitions >= progress.partitionsDone && progress.bytes > progress.records && !progress.done)
  await until(() => cluster.status().nodes.some(({ id, filling }) => id === 'node5' && (filling?.records ?? 0) > 0))
  await cluster.close()
  t.same(await Promise.all([joining, leaving]), ['CLOSED', 'CLOSED'])

  const again = await openForTest(t, { location })
  await until(() => !nodeIds(again).includes('node1'))
  t.same(await holdsAll(again, records), [])
  t.same(nodeIds(again), ['node2', 'node3', 'node4', 'node5'])
  t.same(sharesOf(again), [96, 96, 96, 96])
  t.notOk(existsSync(join(location, 'node1')))
})

test('leave: of one that left, what a killed process had not deleted yet is deleted at the next opening', async (t) => {
  const location = await folderForTest(t)
  const folder = join(location, 'node2')
  const cluster = await openForTest(t, { location, nodes: 4 })
  const records = await loadRecords(cluster, 100)
  await cluster.settled()
  const kept = join(await folderForTest(t), 'node2')
  await cp(folder, kept, { recursive: true })
  await cluster.leave('node2')
  await cluster.close()
  await cp(kept, folder, { recursive: true })

  const again = await openForTest(t, { location })
  t.notOk(existsSync(folder))
  t.same(nodeIds(again), ['node1', 'node3', 'node4'])
  for (const node of nodeIds(again)) t.ok(existsSync(join(location, node)), `${node} is a member`)
  t.same(await holdsAll(again, records), [])
})

test('leave: with every node down for good it rejects, as settled() does, and goes on when the cluster is opened again', async (t) => {
  const location = await folderForTest(t)
  const cluster = await openForTest(t, { location, nodes: 4 })
  const records = await loadRecords(cluster, 100)
  const leaving = outcomeOf(cluster.leave('node2'))
  await until(() => nodeOf(cluster, 'node2').status === 'leaving')
  await Promise.all(nodeIds(cluster).map((node) => outcomeOf(cluster.faults.crash(node, { permanent: true }))))
  t.equal(await leaving, 'NODE_NOT_RUNNING')
  t.equal(await outcomeOf(cluster.settled()), 'NODE_NOT_RUNNING')
  await cluster.close()

  const again = await openForTest(t, { location })
  await until(() => !nodeIds(again).includes('node2'))
  await again.settled({ timeoutMs: 30_000 })
  t.same(await holdsAll(again, records), [])
})

test('standby: gets every write, serves nothing, and takes the place of one that is down for good', async (t) => {
  const location = await folderForTest(t)
  const cluster = await openForTest(t, { location, nodes: 4, standbys: 1 })
  const records = await loadRecords(cluster, 400)
  t.same(await holdsAll(cluster, records), [])
  const standby = () => cluster.status().nodes.map(({ id, role, partitions, keys }) => [id, role, partitions, keys])[4]
  t.same(standby(), ['node5', 'standby', 0, 400])
  let sent = 0
  cluster.on('transfer', ({ records: count }) => {
    sent += count
  })
  const promoted = eventOf(cluster, 'node:promoted')
  await cluster.faults.crash('node2', { permanent: true })
  t.same(await promoted, [{ node: 'node5' }])
  t.same(await holdsAll(cluster, records), [])
  t.same(standby()?.slice(0, 3), ['node5', 'member', 96])
  t.equal(sent, 0, 'it had everything')
  t.same(await wrongRecords(cluster, records, { r: 3 }), [])

  t.same(await cluster.join({ role: 'standby' }), ['node6'])
  t.equal(nodeOf(cluster, 'node6').keys, 400)
  await cluster.faults.wipe('node6')
  await until(() => nodeOf(cluster, 'node6').incarnation === 2 && nodeOf(cluster, 'node6').keys === 400)
  await cluster.promote('node6')
  t.same(await holdsAll(cluster, records), [])
  t.same(sharesOf(cluster).sort(), [0, 76, 77, 77, 77, 77])
  t.equal(await outcomeOf(cluster.promote('node6')), 'INVALID_OPTION')
  await cluster.close()
  const again = await openForTest(t, { location })
  t.same(await holdsAll(again, records), [])
  t.same(new Set(again.status().nodes.map(({ role }) => role)), new Set(['member']))
})

test('promote: what was begun goes on in the next process', async (t) => {
  const location = await folderForTest(t)
  const cluster = await openForTest(t, { location, nodes: 4, standbys: 1, transferBytesPerSecond: 20_000 })
  const records = await loadRecords(cluster, 1_000)
  const joining = outcomeOf(cluster.join())
  await until(() => cluster.status().nodes.some(({ id, pending }) => id === 'node6' && pending > 0))
  const promoting = outcomeOf(cluster.promote('node5'))
  const isNoted = () => /node5[^}]*role\W+member/.test(readFileSync(join(location, 'cluster', 'metadata.json'), 'utf8'))
  await until(isNoted)
  await cluster.close()
  t.same(await Promise.all([joining, promoting]), ['CLOSED', 'CLOSED'])
  const again = await openForTest(t, { location })
  await until(() => sharesOf(again).every((share) => share > 60))
  t.same(await holdsAll(again, records), [])
  t.same(new Set(again.status().nodes.map(({ role }) => role)), new Set(['member']))
})

test('join: one that is told to leave before it is a member has not joined', async (t) => {
  const cluster = await openForTest(t, { nodes: 4, transferBytesPerSecond: 20_000 })
  await loadRecords(cluster, 400)
  const joining = outcomeOf(cluster.join())
  await until(() => cluster.status().nodes.some(({ id, pending }) => id === 'node5' && pending > 0))
  await cluster.leave('node5')
  t.equal(await joining, 'JOIN_FAILED')
  t.same(nodeIds(cluster), ['node1', 'node2', 'node3', 'node4'])
})

test('leave: one that is down for good; and what cannot be is refused by name', async (t) => {
  const cluster = await openForTest(t, { nodes: 4 })
  const records = await loadRecords(cluster, 200)
  await cluster.faults.crash('node2', { permanent: true })
  await cluster.leave('node2')
  t.same(nodeIds(cluster), ['node1', 'node3', 'node4'])
  t.same(await holdsAll(cluster, records), [])
  t.equal(await outcomeOf(cluster.leave('node3')), 'TOO_FEW_NODES')
  t.equal(await outcomeOf(cluster.leave('node2')), 'UNKNOWN_NODE')
  t.equal(await outcomeOf(cluster.plan({ leave: 'node3' })), 'TOO_FEW_NODES')
  t.equal(await outcomeOf(cluster.join({ count: 0 })), 'INVALID_OPTION')
  t.equal(await outcomeOf(cluster.join({ count: 62 })), 'INVALID_OPTION')
  t.equal((await cluster.plan({ join: 1, leave: ['node3'] })).moves.length, 128, 'with another in its place it can')
})
