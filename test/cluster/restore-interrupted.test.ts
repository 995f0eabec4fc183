/** A restore that did not come to its end: its location is never taken for a cluster, and can be restored into again. */

import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { openCluster, restoreCluster, verifyFolder } from '../../src/index.js'
import {
  copiesOf,
  folderForTest,
  loadRecords,
  openForTest,
  outcomeOf,
  type Records,
  restoreForTest,
  type TestContext,
  wrongRecords,
} from '../support/cluster.js'

const CHILD = fileURLToPath(new URL('../support/restore.child.js', import.meta.url))

/** A whole backup of three nodes in `b`, and what every one of its files holds. */
async function backedUp(t: TestContext): Promise<{ folder: string; dir: string; records: Records; sums: string[] }> {
  const folder = await folderForTest(t)
  const cluster = await openForTest(t, { nodes: 3, partitions: 16 })
  const records = await loadRecords(cluster, 500)
  const dir = join(folder, 'b')
  await cluster.backup(dir, { freezeTimeoutMs: 20_000 })
  await cluster.close()
  return { folder, dir, records, sums: await sumsOf(dir) }
}

async function sumsOf(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  return Promise.all(
    files.sort().map(
      async (file) =>
        `${file} ${createHash('sha256')
          .update(await readFile(file))
          .digest('hex')}`,
    ),
  )
}

/** Killed while stores were being filled. */
async function killedRestore(dir: string, location: string, signal: 'SIGKILL' | 'SIGINT'): Promise<void> {
  const child: ChildProcess = spawn(process.execPath, [CHILD, dir, location], { stdio: ['ignore', 'pipe', 'inherit'] })
  if (child.stdout === null) throw new Error('the child has no pipe')
  await once(child.stdout, 'data')
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

for (const signal of ['SIGKILL', 'SIGINT'] as const) {
  test(`restore: ended by ${signal}, its location is refused by name until it is restored into again`, async (t) => {
    const { folder, dir, records, sums } = await backedUp(t)
    const location = join(folder, 'restored')
    await killedRestore(dir, location, signal)
    t.ok((await readdir(location)).includes('node3'), 'it was in the middle of it')

    const refusal = { code: 'RESTORE_INCOMPLETE', message: /restore into it again, or delete it/, facts: { location } }
    await t.rejects(openCluster({ location }), refusal)
    await t.rejects(openCluster({ location, nodes: 5 }), refusal, 'and is as it was')
    t.match(await verifyFolder(location), { ok: false, problems: [/restore into it again/] })

    const restored = await restoreForTest(t, dir, { location, nodes: 2, replication: { n: 2 } })
    t.same(await wrongRecords(restored, records, { r: 2 }), [])
    t.equal(copiesOf(restored), 2 * records.size)
    await restored.close()
    t.notOk((await readdir(location)).includes('node3'), 'what was left of the first is gone')
    t.match(await verifyFolder(location), { ok: true, problems: [], notes: [] })
    const again = await openForTest(t, { location })
    t.same(await wrongRecords(again, records), [])
    t.same(await sumsOf(dir), sums, 'nothing of the backup has changed')
    t.ok((await verifyFolder(dir)).ok)
  })
}

test('restore: one that failed leaves no location that opens as an empty cluster', async (t) => {
  const { folder, dir, records } = await backedUp(t)
  const [log = ''] = (await readdir(join(dir, 'node2-backup-database'))).filter((name) => name.endsWith('.log'))
  const file = join(dir, 'node2-backup-database', log)
  await writeFile(file, (await readFile(file)).subarray(1))
  const location = join(folder, 'restored')
  t.equal(await outcomeOf(restoreCluster(dir, { location })), 'BACKUP_DAMAGED')
  t.equal(await outcomeOf(openCluster({ location })), 'RESTORE_INCOMPLETE')
  const restored = await restoreForTest(t, dir, { location, without: ['node2'] })
  t.same(await wrongRecords(restored, records), [])
})
