/**
 * A record is damaged on one owner while another owner is gone: too few others can say what it was. What a dead node left on the
 * disk is read for it; if that is gone too, the partition says that it is lost until somebody accepts it.
 */

import { test } from 'tap'
import { ThreadFaults } from '../../src/faults.js'
import type { Cluster } from '../../src/index.js'
import { deleteStore } from '../../src/storage/damage.js'
import { dataKey } from '../../src/storage/keyspace.js'
import { openLevel } from '../../src/storage/open-level.js'
import { flipBit } from '../storage/arbitraries.js'
import {
  eventOf,
  loadRecords,
  openForTest,
  outcomeOf,
  type TestContext,
  textOf,
  until,
  wrongRecords,
} from '../support/cluster.js'

const KEY = 'record:000007'
/** A request that waited for its deadline would not end within the test. */
const NEVER = { timeoutMs: 600_000 }
const LEVEL = { cacheBytes: 65_536, openFilesMax: 100, writeBufferBytes: 65_536, lockWaitMs: 5_000 }

/** A cluster in which `first` has KEY damaged on its disk, and nobody has noticed. */
async function damagedCluster(t: TestContext, nodes: number) {
  const cluster = await openForTest(t, { nodes })
  const records = await loadRecords(cluster, 300)
  await cluster.settled()
  const [first = '', second = '', third = ''] = cluster.locate(KEY).owners
  const up = eventOf(cluster, 'node:up', ({ node }) => node === first)
  await changeFiles(cluster, first, damageRecord)
  await up
  await cluster.settled()
  const told: string[] = []
  cluster.on('record:stuck', ({ node, key }) => told.push(`${node} ${Buffer.from(key)}`))
  return { cluster, records, first, second, third, told }
}

/** Its checksum is wrong; LevelDB's own are not. */
async function damageRecord(store: string): Promise<void> {
  const level = await openLevel(store, LEVEL)
  const bytes = await level.get(dataKey(KEY))
  if (bytes === undefined) throw new Error(`${store} has no ${KEY}`)
  await level.put(dataKey(KEY), Buffer.from(flipBit(bytes, 100)))
  await level.close()
}

async function changeFiles(cluster: Cluster, node: string, change: (store: string) => Promise<void>): Promise<void> {
  if (!(cluster.faults instanceof ThreadFaults)) throw new Error('its own faults')
  await cluster.faults.changeFiles(node, 'a test changes its files', change)
}

for (const nodes of [5, 3]) {
  test(`of ${nodes} nodes: with another owner down for good, its store heals the record, and no request is lost for it`, async (t) => {
    const { cluster, records, first, third, told } = await damagedCluster(t, nodes)
    const healed = eventOf(cluster, 'repair', ({ node, nodes: repaired }) => node === first && repaired.includes(first))
    await cluster.faults.crash(third, { permanent: true })
    t.equal(textOf(await cluster.get(KEY, { timeoutMs: 20_000 })), records.get(KEY))
    await healed
    await cluster.settled({ timeoutMs: 30_000 })
    t.same(told, [`${first} ${KEY}`])
    t.same(cluster.status().partitionsLost, [])
    t.same(await wrongRecords(cluster, records, { r: nodes === 3 ? 2 : 3 }), [])
  })
}

test('with the other owner’s store gone the partition is lost: requests to the record fail at once, others go on', async (t) => {
  const { cluster, records, first, third, told } = await damagedCluster(t, 5)
  const lost = eventOf(cluster, 'partition:lost')
  await changeFiles(cluster, third, deleteStore)
  const { partition } = cluster.locate(KEY)
  t.same(await lost, [{ partitions: [partition] }])
  t.same(told, [`${first} ${KEY}`])
  t.same(cluster.status().partitionsLost, [partition])
  t.equal(await outcomeOf(cluster.get(KEY, NEVER)), 'PARTITION_LOST')
  const others = new Map([...records].filter(([key]) => key !== KEY))
  t.same(await wrongRecords(cluster, others, NEVER), [], 'the rest of it included')
  await cluster.settled({ timeoutMs: 30_000 })

  await cluster.acceptLoss([partition])
  await cluster.settled({ timeoutMs: 30_000 })
  t.same(cluster.status().partitionsLost, [])
  t.same(await wrongRecords(cluster, records, { r: 3 }), [], 'the one that was left had it')
})

test('the loss ends by itself when the record is put anew', async (t) => {
  const { cluster, third } = await damagedCluster(t, 5)
  const lost = eventOf(cluster, 'partition:lost')
  await changeFiles(cluster, third, deleteStore)
  await lost
  await cluster.put(KEY, 'anew', NEVER)
  await until(() => cluster.status().partitionsLost.length === 0)
  await cluster.settled({ timeoutMs: 30_000 })
  t.equal(textOf(await cluster.get(KEY, { r: 3 })), 'anew')
})
