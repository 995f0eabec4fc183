/** Two of three owners are down for good: strict requests say so at once, sloppy ones go on, the refill brings all back. */

import { test } from 'tap'
import type { Cluster } from '../../src/index.js'
import {
  eventOf,
  folderForTest,
  loadRecords,
  nodeIds,
  nodeOf,
  openForTest,
  outcomeOf,
  type Records,
  textOf,
  wrongRecords,
} from '../support/cluster.js'

/** So slow that the refill of a partition is still under way when the requests of a test are made. */
const SLOW_REFILL = { transferBytesPerSecond: 32_768 }
/** A request that waited for its deadline would not end within the test. */
const NEVER = { timeoutMs: 600_000 }

test('owners: with two of three down for good, strict requests fail at once and sloppy ones succeed', async (t) => {
  const cluster = await openForTest(t, SLOW_REFILL)
  const records = await loadRecords(cluster, 2_000)
  await cluster.settled()
  const { dead, keys } = sharedKeys(cluster, records)
  await takeDown(cluster, dead)

  const [first = '', second = ''] = keys
  t.equal(await outcomeOf(cluster.get(first, NEVER)), 'QUORUM_UNAVAILABLE', 'get')
  t.equal(await outcomeOf(cluster.put(first, 'refused', NEVER)), 'QUORUM_UNAVAILABLE', 'put')
  t.equal(await outcomeOf(cluster.delete(first, NEVER)), 'QUORUM_UNAVAILABLE', 'delete')
  t.equal(
    textOf(await cluster.get(first, { sloppy: true })),
    records.get(first),
    'a sloppy get finds the survivor’s copy',
  )
  await cluster.put(second, 'sloppy', { sloppy: true })
  t.equal(textOf(await cluster.get(second, { sloppy: true })), 'sloppy', 'a sloppy put is seen by a sloppy get')
})

test('owners: after the refill strict requests succeed again and nothing is lost, sloppy writes included', async (t) => {
  const cluster = await openForTest(t, { transferBytesPerSecond: 262_144 })
  const records = new Map(await loadRecords(cluster, 2_000))
  await cluster.settled()
  const { dead, keys } = sharedKeys(cluster, records)
  await takeDown(cluster, dead)
  const [key = ''] = keys
  await cluster.put(key, 'sloppy', { sloppy: true })
  records.set(key, 'sloppy')

  await cluster.settled({ timeoutMs: 20_000 })
  t.same(await wrongRecords(cluster, records), [], 'every record is there')
  await cluster.put(key, 'strict')
  t.equal(textOf(await cluster.get(key)), 'strict')
  const { owners } = cluster.locate(key)
  t.equal(owners.length, 3, 'the partition has three owners again')
  t.notOk(
    owners.some((owner) => dead.includes(owner)),
    'none of them is a dead one',
  )
  for (const node of dead) t.equal(nodeOf(cluster, node).status, 'down', `${node} stays down`)
  t.same(cluster.status().partitionsLost, [])
})

test('owners: one down for good is replaced and no request fails', async (t) => {
  const cluster = await openForTest(t)
  const records = await loadRecords(cluster, 500)
  const epoch = cluster.status().epoch
  await takeDown(cluster, ['node2'])
  t.same(await wrongRecords(cluster, records), [], 'two of three answer meanwhile')
  t.equal(await outcomeOf(cluster.put('record:000001', records.get('record:000001') ?? '')), 'ok')
  await cluster.settled()
  t.ok(cluster.status().epoch > epoch, 'under a new epoch')
  t.equal(nodeOf(cluster, 'node2').partitions, 0)
  t.same(await wrongRecords(cluster, records, { r: 3 }), [], 'three copies again')
})

test('owners: with the stores of two gone too, a partition says that it is lost until the loss is accepted', async (t) => {
  const cluster = await openForTest(t, SLOW_REFILL)
  const records = await loadRecords(cluster, 2_000)
  await cluster.settled()
  const { dead, keys } = sharedKeys(cluster, records)
  const lost = eventOf(cluster, 'partition:lost')
  await takeDown(cluster, dead)
  for (const node of dead) await cluster.faults.wipe(node)
  await lost

  const [key = ''] = keys
  t.ok(cluster.status().partitionsLost.includes(cluster.locate(key).partition), 'status() names it')
  t.equal(await outcomeOf(cluster.get(key, NEVER)), 'PARTITION_LOST', 'get')
  t.equal(await outcomeOf(cluster.put(key, 'refused', NEVER)), 'PARTITION_LOST', 'put')

  await cluster.acceptLoss()
  await cluster.settled({ timeoutMs: 20_000 })
  t.same(cluster.status().partitionsLost, [])
  t.same(await wrongRecords(cluster, records), [], 'what the survivor held is served')
  t.equal(await outcomeOf(cluster.put(key, 'accepted')), 'ok')
})

test('owners: with every node down for good nothing settles, and every partition is lost until the cluster is opened again', async (t) => {
  const location = await folderForTest(t)
  const cluster = await openForTest(t, { location, nodes: 4 })
  const records = await loadRecords(cluster, 200)
  const lost: number[] = []
  cluster.on('partition:lost', ({ partitions }) => lost.push(...partitions))
  for (const node of nodeIds(cluster)) await takeDown(cluster, [node])
  await t.rejects(cluster.settled({ timeoutMs: 60_000 }), {
    code: 'NODE_NOT_RUNNING',
    facts: { nodes: nodeIds(cluster) },
  })
  const all = Array.from({ length: cluster.status().partitions }, (_, partition) => partition)
  t.same(cluster.status().partitionsLost, all)
  t.same(
    lost.sort((a, b) => a - b),
    all,
  )
  for (const sloppy of [false, true]) {
    t.equal(await outcomeOf(cluster.put('a', 'b', { ...NEVER, sloppy })), 'PARTITION_LOST')
    t.equal(await outcomeOf(cluster.get('a', { ...NEVER, sloppy })), 'PARTITION_LOST')
  }
  await cluster.close()

  const again = await openForTest(t, { location })
  await again.settled()
  t.same(again.status().partitionsLost, [])
  t.same(await wrongRecords(again, records, { r: 3 }), [])
})

/** Two nodes that share partitions, and the keys of the records in those. */
function sharedKeys(cluster: Cluster, records: Records): { dead: string[]; keys: string[] } {
  const [any = ''] = records.keys()
  const dead = cluster.locate(any).owners.slice(0, 2)
  const keys = [...records.keys()].filter((key) => {
    const { owners } = cluster.locate(key)
    return dead.every((node) => owners.includes(node))
  })
  return { dead, keys }
}

async function takeDown(cluster: Cluster, nodes: readonly string[]): Promise<void> {
  const down = nodes.map((id) => eventOf(cluster, 'node:down', ({ node }) => node === id))
  await Promise.all(nodes.map((node) => cluster.faults.crash(node, { permanent: true })))
  await Promise.all(down)
}
