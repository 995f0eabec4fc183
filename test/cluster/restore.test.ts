/** What a restored cluster is: everything that the backup has, on other nodes; and what is refused. */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { restoreCluster, verifyFolder } from '../../src/index.js'
import { readManifest, writeManifest } from '../../src/storage/backup-manifest.js'
import { ClusterFolder } from '../../src/storage/cluster-folder.js'
import {
  copiesOf,
  folderForTest,
  loadRecords,
  nodeIds,
  openForTest,
  outcomeOf,
  restoreForTest,
  textOf,
  wrongRecords,
} from '../support/cluster.js'

const HOUR_NS = 3_600_000_000_000n

test('restore: tombstones, values and copies are what they were; the location can be opened again', async (t) => {
  const folder = await folderForTest(t)
  const cluster = await openForTest(t, { nodes: 4, partitions: 16 })
  const records = await loadRecords(cluster, 300)
  await loadRecords(cluster, 20, 'gone')
  for (let number = 0; number < 20; number++) await cluster.delete(`gone:${String(number).padStart(6, '0')}`)
  await cluster.settled()
  const shares: number[] = []
  const { records: copies } = await cluster.backup(join(folder, 'b'), {
    onProgress: ({ share }) => shares.push(share),
    freezeTimeoutMs: 20_000,
  })
  t.equal(copies, 3 * 320, 'tombstones too')
  t.equal(shares.at(-1), 1)
  t.same(
    (await verifyFolder(join(folder, 'b'))).parts.map(({ problems }) => problems),
    [[], [], [], []],
  )

  // As if the clock had run ahead of the wall.
  const manifest = await readManifest(join(folder, 'b'))
  const clockNs = (BigInt(manifest.cut.clockNs) + HOUR_NS).toString()
  await writeManifest(join(folder, 'b'), { ...manifest, cut: { ...manifest.cut, clockNs } })
  const location = join(folder, 'restored')
  const restored = await restoreForTest(t, join(folder, 'b'), { location, nodes: 6, replication: { n: 2 } })
  t.same(await wrongRecords(restored, records, { r: 2 }), [])
  t.equal(copiesOf(restored), 2 * 300)
  t.same(restored.status().replication, { n: 2, r: 2, w: 2 })
  await restored.close()
  const verified = await verifyFolder(location)
  t.match(verified, { kind: 'cluster', ok: true, problems: [], notes: [] })
  t.equal(
    verified.parts.reduce((sum, part) => sum + part.records, 0),
    2 * 320,
  )
  const clock = (await ClusterFolder.open(location)).state.clockCeilingNs
  t.ok(typeof clock === 'object' && clock.value > BigInt(clockNs), 'stamps go on above those of the backup')
  const again = await openForTest(t, { location })
  t.same(await wrongRecords(again, records), [])
  t.equal(again.status().epoch, 1, 'no node was taken for one that has forgotten')
})

test('restore: siblings are all there, and a new write with their context supersedes them', async (t) => {
  const folder = await folderForTest(t)
  const cluster = await openForTest(t, { nodes: 3, partitions: 16, conflict: 'siblings' })
  await Promise.all(['a', 'b', 'c'].map((value) => cluster.put('cart', value)))
  const before = (await cluster.read('cart')).values.map(textOf).sort()
  t.same(before, ['a', 'b', 'c'])
  await cluster.backup(join(folder, 'b'))
  const restored = await restoreForTest(t, join(folder, 'b'), { nodes: 5 })
  const { values, context } = await restored.read('cart')
  t.same(values.map(textOf).sort(), before)
  await restored.put('cart', 'd', { context })
  t.same((await restored.read('cart', { r: 3 })).values.map(textOf), ['d'])
})

test('backup, restore: a standby is in no backup, and is filled like an owner where one is restored', async (t) => {
  const folder = await folderForTest(t)
  const cluster = await openForTest(t, { nodes: 3, standbys: 1, partitions: 16 })
  const records = await loadRecords(cluster, 200)
  await cluster.settled()
  const { nodes, leftOut } = await cluster.backup(join(folder, 'b'), { freezeTimeoutMs: 20_000 })
  t.same([nodes, leftOut], [['node1', 'node2', 'node3'], []])
  const restored = await restoreForTest(t, join(folder, 'b'), { standbys: 1 })
  t.same(
    restored.status().nodes.map(({ id, role, keys }) => [id, role, keys]),
    [
      ['node1', 'member', 200],
      ['node2', 'member', 200],
      ['node3', 'member', 200],
      ['node4', 'standby', 200],
    ],
  )
  t.same(await wrongRecords(restored, records, { r: 3 }), [])
})

test('backup: a hint that is the only copy of a sloppy write is in it', async (t) => {
  const folder = await folderForTest(t)
  const cluster = await openForTest(t, { nodes: 4, partitions: 16 })
  const { owners } = cluster.locate('k')
  const others = nodeIds(cluster).filter((node) => !owners.includes(node))
  await cluster.faults.cut(owners, [cluster.id, ...others])
  await cluster.put('k', 'hinted', { sloppy: true, w: 1 })
  await cluster.backup(join(folder, 'b'), { freezeTimeoutMs: 20_000 })
  const restored = await restoreForTest(t, join(folder, 'b'), { nodes: 3 })
  t.equal(textOf(await restored.get('k', { r: 3 })), 'hinted')
})

test('backup, restore: what cannot be is refused by name', async (t) => {
  const folder = await folderForTest(t)
  const location = join(folder, 'data')
  const cluster = await openForTest(t, { location, nodes: 3, partitions: 16 })
  await t.rejects(cluster.backup(''), { code: 'INVALID_OPTION', message: /`dir` is ""/ })
  await t.rejects(cluster.backup(join(location, 'b')), { code: 'INVALID_OPTION', message: /outside of the cluster's/ })
  await t.rejects(cluster.backup('b', { freezeTimeoutMs: 5 }), { code: 'INVALID_OPTION', message: /freezeTimeoutMs/ })
  await t.rejects(cluster.backup('b', { fast: true } as never), { code: 'INVALID_OPTION', message: /`fast`/ })
  await mkdir(join(folder, 'full'))
  await writeFile(join(folder, 'full', 'x'), '')
  t.equal(await outcomeOf(cluster.backup(join(folder, 'full'))), 'BACKUP_NOT_EMPTY')
  const dir = join(folder, 'b')
  await cluster.backup(dir)
  const fresh = { location: join(folder, 'new') }
  await t.rejects(restoreCluster(dir, { ...fresh, partitions: 32 }), { code: 'BACKUP_MISMATCH', message: /32.*16/ })
  await t.rejects(restoreCluster(dir, { ...fresh, conflict: 'siblings' }), { code: 'BACKUP_MISMATCH' })
  await t.rejects(restoreCluster(dir, { ...fresh, without: ['node9'] }), { code: 'INVALID_OPTION', message: /node9/ })
  await t.rejects(restoreCluster(dir, { ...fresh, nodes: 2, replication: { n: 3 } }), { code: 'INVALID_OPTION' })
  t.equal(await outcomeOf(restoreCluster(folder, fresh)), 'BACKUP_INCOMPLETE')
  t.equal(await outcomeOf(restoreCluster(dir, { location })), 'LOCATION_LOCKED')
  t.equal(await outcomeOf(verifyFolder(location)), 'LOCATION_LOCKED')
  await cluster.close()
  t.equal(await outcomeOf(restoreCluster(dir, { location })), 'LOCATION_NOT_EMPTY')
  t.equal(await outcomeOf(cluster.backup(join(folder, 'late'))), 'CLOSED')
})
