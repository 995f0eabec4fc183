/** Nodes whose stores are made of a backup: only what has changed since is sent to them. */

import { readdirSync } from 'node:fs'
import { test } from 'tap'
import type { Cluster } from '../../src/index.js'
import { EXCHANGE_KEYS } from '../../src/protocol/config.js'
import {
  folderForTest,
  loadRecords,
  nodeIds,
  nodeOf,
  openForTest,
  outcomeOf,
  textOf,
  until,
  wrongRecords,
} from '../support/cluster.js'

const RECORDS = 2_000

/** Records that were sent to a node from now on. */
function sentTo(cluster: Cluster, id: string): () => number {
  let sent = 0
  cluster.on('transfer', ({ node, records }) => {
    if (node === id) sent += records
  })
  return () => sent
}

test('standby from a backup: it is sent what has changed since, no more, and deleted keys stay deleted', async (t) => {
  const location = await folderForTest(t)
  const cluster = await openForTest(t, { location: `${location}/data`, nodes: 4, partitions: 16 })
  const records = new Map(await loadRecords(cluster, RECORDS))
  const [first = ''] = records.keys()
  await cluster.backup(`${location}/backup`)
  await cluster.put('new', 'since the backup')
  await cluster.delete(first)
  records.delete(first)
  await cluster.settled({ timeoutMs: 60_000 })
  const sent = sentTo(cluster, 'node5')
  t.same(await cluster.join({ role: 'standby', from: `${location}/backup` }), ['node5'])
  await cluster.settled({ timeoutMs: 60_000 })
  t.equal(nodeOf(cluster, 'node5').keys, RECORDS, 'it has everything')
  // A range that differs is sent whole, with what is new in it: two ranges at most, each from two owners of its partition.
  t.ok(sent() > 0 && sent() <= 4 * (EXCHANGE_KEYS + 1), `${sent()} records were sent of ${2 * RECORDS}`)
  t.same(
    readdirSync(`${location}/data`).filter((name) => name.startsWith('seed-')),
    [],
  )

  await cluster.faults.crash('node1', { permanent: true })
  await cluster.settled({ timeoutMs: 60_000 })
  t.equal(nodeOf(cluster, 'node5').role, 'member')
  t.same(await wrongRecords(cluster, records, { r: 3 }), [])
  t.equal(textOf(await cluster.get('new', { r: 3 })), 'since the backup')
  t.equal(await cluster.get(first, { r: 3 }), undefined)
})

test('a member from a backup, where every node is a full copy', async (t) => {
  const location = await folderForTest(t)
  const copies = { nodes: 3, partitions: 16, replication: { n: 'all' as const } }
  const cluster = await openForTest(t, { location: `${location}/data`, ...copies })
  const records = await loadRecords(cluster, RECORDS)
  await cluster.backup(`${location}/backup`)
  const sent = sentTo(cluster, 'node4')
  await cluster.join({ from: `${location}/backup` })
  t.equal(sent(), 0, 'nothing has changed')
  t.equal(cluster.status().replication.n, 4)
  await cluster.settled({ timeoutMs: 60_000 })
  t.same(await wrongRecords(cluster, records, { r: 4 }), [])
})

test('from: refused once tombstones may be forgotten that the backup may lack: what was deleted would be back', async (t) => {
  const location = await folderForTest(t)
  const grace = { tombstoneGraceMs: 2_500, readTimeoutMs: 2_500, writeTimeoutMs: 2_500 }
  const cluster = await openForTest(t, { location: `${location}/data`, nodes: 3, partitions: 16, ...grace })
  await cluster.put('key', 'before')
  await cluster.backup(`${location}/backup`)
  let forgotten = 0
  cluster.on('tombstones:dropped', ({ keys }) => {
    forgotten += keys
  })
  await cluster.delete('key')
  await until(() => forgotten === 3, 40_000)
  t.equal(await outcomeOf(cluster.join({ role: 'standby', from: `${location}/backup` })), 'BACKUP_MISMATCH')
  t.equal(nodeIds(cluster).length, 3)
  t.equal(await cluster.get('key', { r: 3 }), undefined)
})

test('from: refused for a backup of another cluster, for no backup, and for a member with a share', async (t) => {
  const location = await folderForTest(t)
  const other = await openForTest(t, { location: `${location}/other`, nodes: 3, partitions: 16 })
  await other.put('key', 'of the other')
  await other.backup(`${location}/backup`)
  const cluster = await openForTest(t, { location: `${location}/data`, nodes: 3, partitions: 16 })
  const from = `${location}/backup`
  t.equal(await outcomeOf(cluster.join({ role: 'standby', from })), 'BACKUP_MISMATCH')
  t.equal(await outcomeOf(cluster.join({ role: 'standby', from: location })), 'BACKUP_INCOMPLETE')
  t.equal(await outcomeOf(cluster.join({ from })), 'INVALID_OPTION')
  t.equal(await outcomeOf(cluster.join({ role: 'standby', from: '' })), 'INVALID_OPTION')
  t.equal(nodeIds(cluster).length, 3)
  t.same(await cluster.join({ role: 'standby' }), ['node4'], 'no id was used up')
})
