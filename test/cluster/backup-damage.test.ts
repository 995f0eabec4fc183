/** Damage to backups and to closed clusters: found by verifying and by restoring, and never restored silently. */

import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { restoreCluster, type Verification, verifyFolder } from '../../src/index.js'
import { databaseFolderOf } from '../../src/storage/backup-manifest.js'
import { nodeFolders } from '../../src/storage/layout.js'
import { openLevelStore } from '../../src/storage/level-store.js'
import { readWitness } from '../../src/storage/witness.js'
import { LEVEL_DEFAULTS } from '../storage/level-options.js'
import { folderForTest, loadRecords, openForTest, outcomeOf, wrongRecords } from '../support/cluster.js'

/** In the middle of the log, where the records of a small store are. */
async function flipByte(folder: string): Promise<void> {
  const log = join(folder, (await readdir(folder)).find((name) => name.endsWith('.log')) ?? '')
  const bytes = await readFile(log)
  const at = bytes.length >> 1
  bytes[at] = (bytes[at] ?? 0) ^ 0x10
  await writeFile(log, bytes)
}

function problemsOf({ parts, problems }: Verification): Record<string, string> {
  const damaged = parts.filter((part) => part.problems.length > 0)
  return Object.fromEntries([
    ...damaged.map((part) => [part.node, part.problems.join('; ')]),
    ...problems.map((problem) => ['whole', problem]),
  ])
}

test('a damaged backup: verify and restore name the database; without it the others are enough, or it is refused', async (t) => {
  const folder = await folderForTest(t)
  const cluster = await openForTest(t, { nodes: 4, partitions: 16 })
  const records = await loadRecords(cluster, 200)
  const dir = join(folder, 'b')
  await cluster.settled()
  // On a machine that is busy everybody is waited for all the same.
  await cluster.backup(dir, { freezeTimeoutMs: 20_000 })
  await flipByte(join(dir, databaseFolderOf('node2')))
  const found = await verifyFolder(dir)
  t.equal(found.ok, false)
  t.match(problemsOf(found), { node2: /\.log.*SHA-256/ })
  t.same(Object.keys(problemsOf(found)), ['node2'], 'the others hold enough of everything')

  const location = join(folder, 'new')
  await t.rejects(restoreCluster(dir, { location }), {
    code: 'BACKUP_DAMAGED',
    message: /node2-backup-database.*\.log.*restore without node2/,
    facts: { node: 'node2', othersAreEnough: true },
  })
  const restored = await restoreCluster(dir, { location, without: ['node2'] })
  t.teardown(() => restored.close())
  t.same(await wrongRecords(restored, records), [])
  const more = restoreCluster(dir, { location: join(folder, 'other'), without: ['node2', 'node3'] })
  await t.rejects(more, { code: 'BACKUP_DAMAGED', message: /too few copies/ })

  await rm(join(dir, databaseFolderOf('node3'), 'CURRENT'))
  t.match(problemsOf(await verifyFolder(dir)), { node2: /SHA-256/, node3: /CURRENT/, whole: /too few whole copies/ })
  await writeFile(
    join(dir, 'manifest.json'),
    (await readFile(join(dir, 'manifest.json'), 'utf8')).replace('"n":3', '"n":2'),
  )
  t.equal(await outcomeOf(verifyFolder(dir)), 'BACKUP_DAMAGED')
  t.equal(await outcomeOf(restoreCluster(dir, { location: join(folder, 'other') })), 'BACKUP_DAMAGED')
})

test('verify: of a closed cluster: files, witnesses, older copies, replicas that differ', async (t) => {
  const location = await folderForTest(t)
  const cluster = await openForTest(t, { location, nodes: 3, partitions: 16 })
  await loadRecords(cluster, 100)
  await cluster.settled()
  await cluster.close()
  t.match(await verifyFolder(location), { kind: 'cluster', ok: true, notes: [] })

  const older = await folderForTest(t)
  await cp(join(location, 'node3'), older, { recursive: true })
  const again = await openForTest(t, { location })
  await again.put('one', 'more')
  await again.settled()
  await again.close()

  // One replica loses a key behind the cluster's back, in a store that is whole in itself.
  const { store: folder, witness: witnessFile } = nodeFolders(location, 'node1')
  const before = readWitness(witnessFile)
  const bootId = typeof before === 'string' ? '' : before.bootId
  const { store } = await openLevelStore({ ...LEVEL_DEFAULTS, folder, witnessFile, bootId })
  await store.write({ keys: [], records: [], keysDropped: ['record:000007'], liveKeysDelta: -1 })
  await store.close()
  const differing = await verifyFolder(location)
  t.same(problemsOf(differing), { whole: 'replicas of 1 keys differ, of "record:000007" for one' })

  await flipByte(nodeFolders(location, 'node2').store)
  await rm(join(location, 'node3'), { recursive: true })
  await cp(older, join(location, 'node3'), { recursive: true })
  t.match(problemsOf(await verifyFolder(location)), { node2: /\.log/, node3: /it is an older copy: batch \d+/ })
  await rm(nodeFolders(location, 'node3').witness)
  t.match(problemsOf(await verifyFolder(location)), { node3: /older copy.*; its witness is absent/ })
})
