/** Tables that rot while their node runs: a scrub finds it, and the node is healed by itself. */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import type { Cluster, ClusterOptions } from '../../src/index.js'
import { Damage } from '../../src/storage/leveldb-files/damage.js'
import { tableName } from '../../src/storage/leveldb-files/file-names.js'
import { FileWindow, WINDOW_BYTES } from '../../src/storage/leveldb-files/file-window.js'
import { readManifest } from '../../src/storage/leveldb-files/manifest.js'
import {
  copiesOf,
  eventOf,
  folderForTest,
  loadRecords,
  nodeIds,
  nodeOf,
  openForTest,
  type TestContext,
  until,
  wrongRecords,
} from '../support/cluster.js'

/** Small write buffers make many tables; nothing here is about slowness. */
const OPTIONS = { writeBufferBytes: 65_536, hungAfterMs: 10_000, scrubIntervalMs: 300 }

test('scrub: it reads every node, one after the other, and finds nothing in sound stores', async (t) => {
  const cluster = await openLoaded(t, {})
  const rounds = Promise.all(nodeIds(cluster).map((id) => eventOf(cluster, 'scrub', ({ node }) => node === id)))
  for (const [{ tables, bytes, problems, error }] of await rounds) {
    t.ok(tables > 0 && bytes > 0)
    t.same(problems, [])
    t.equal(error, undefined)
  }
  for (const id of nodeIds(cluster)) t.match(nodeOf(cluster, id), { restarts: 0, lastScrub: { problems: 0 } })
})

test('scrub: a table that rots is found, its node is set aside and refilled, and no wrong value is served', async (t) => {
  for (const verification of ['changed', 'never'] as const) {
    const location = await folderForTest(t)
    const cluster = await openLoaded(t, { location, verification })
    const records = await loadRecords(cluster, 3_000)
    await cluster.settled({ timeoutMs: 30_000 })
    const copies = copiesOf(cluster)
    const found = eventOf(cluster, 'scrub', ({ node, problems }) => node === 'node2' && problems.length > 0)
    const quarantine = eventOf(cluster, 'node:quarantine', ({ node }) => node === 'node2')
    // After a restart its tables are known as good, and an opening that trusts them would not look again.
    if (verification === 'changed') await restart(cluster, 'node2')
    const store = join(location, 'node2', 'store')
    const file = await rotUntil(found, store, async () => {
      if (verification === 'never') t.same(await wrongRecords(cluster, records), [], 'before it is found')
    })
    const [{ problems }] = await found
    t.match(problems, [{ file, kind: 'checksum' }])
    t.same(await wrongRecords(cluster, records), [], 'while it is refilled')
    const [{ reason }] = await quarantine
    t.equal(reason, 'files-damaged')
    await cluster.settled({ timeoutMs: 30_000 })
    t.match(nodeOf(cluster, 'node2'), {
      status: 'up',
      pending: 0,
      incarnation: verification === 'changed' ? 3 : 2,
      quarantined: { length: 1 },
    })
    t.equal(copiesOf(cluster), copies)
    t.same(await wrongRecords(cluster, records, { r: 3 }), [])
    // The next round finds it sound.
    await eventOf(cluster, 'scrub', (scrub) => scrub.node === 'node2' && scrub.problems.length === 0)
  }
})

test('scrub: where nobody could refill the node, it is told and goes on', async (t) => {
  const location = await folderForTest(t)
  const cluster = await openLoaded(t, { location, nodes: 1 })
  const found = eventOf(cluster, 'scrub', ({ problems }) => problems.length > 0)
  await rotUntil(found, join(location, 'node1', 'store'))
  t.match(nodeOf(cluster, 'node1'), { status: 'up', restarts: 0, lastScrub: { problems: 1 } })
  t.same(cluster.status().partitionsLost, [])
})

async function restart(cluster: Cluster, id: string): Promise<void> {
  const up = eventOf(cluster, 'node:up', ({ node }) => node === id)
  await cluster.faults.crash(id)
  await up
  await cluster.settled({ timeoutMs: 30_000 })
}

async function openLoaded(t: TestContext, options: Partial<ClusterOptions>) {
  const cluster = await openForTest(t, { ...OPTIONS, ...options })
  await loadRecords(cluster, 3_000, 'first')
  return cluster
}

/**
 * Until a scrub has found it: of a table that was at rest for a while a compaction may take hold all the same, on a busy machine, and
 * nobody would find it any more. Gives the table's name.
 */
async function rotUntil(
  found: Promise<unknown>,
  store: string,
  meanwhile: () => Promise<void> = async () => undefined,
): Promise<string> {
  let isFound = false
  void found.then(() => {
    isFound = true
  })
  for (let tables = 0; tables < 10; tables++) {
    const name = await rot(store)
    await meanwhile()
    await until(() => isFound || !liveTables(store).includes(name), 60_000)
    // What is gone may have been found, and its store set aside, in the same look.
    if (isFound) return name
  }
  throw new Error('every table that rotted was compacted away')
}

/** Flips a bit in a block of the oldest table, as a disk does: it looks as it did. Gives its name. */
async function rot(store: string): Promise<string> {
  const name = await oldestTable(store)
  const path = join(store, name)
  const times = `${store}.times`
  execFileSync('touch', ['-r', path, times])
  const file = await open(path, 'r+')
  const byte = Buffer.alloc(1)
  await file.read(byte, 0, 1, 200)
  await file.write(Buffer.from([(byte[0] ?? 0) ^ 0x10]), 0, 1, 200)
  await file.close()
  // To the nanosecond, which `utimes` of Node.js is not.
  execFileSync('touch', ['-r', times, path])
  return name
}

/** Once compaction has come to rest: it would abort the process over the damage. */
async function oldestTable(store: string): Promise<string> {
  const tables = () => liveTables(store)
  let last = ''
  for (let looks = 0, same = 0; looks < 200; looks++) {
    const [oldest] = tables()
    same = tables().join() === last ? same + 1 : 0
    last = tables().join()
    if (same === 6 && oldest !== undefined) return oldest
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error('compaction did not come to rest, or the store has no table')
}

/**
 * Those that MANIFEST names, oldest first; none: the store has been set aside. A table that was compacted while something read the store
 * stays in its folder until the next compaction, and nobody looks at it any more.
 */
function liveTables(store: string): readonly string[] {
  let manifest: FileWindow | undefined
  try {
    const name = readFileSync(join(store, 'CURRENT'), 'utf8').trim()
    manifest = FileWindow.open(join(store, name), name, Buffer.allocUnsafeSlow(WINDOW_BYTES))
    const numbers = readManifest(manifest).tables.map(({ number }) => number)
    return numbers.sort((a, b) => a - b).map(tableName)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' && !(error instanceof Damage && error.kind === 'missing'))
      throw error
    return []
  } finally {
    manifest?.close()
  }
}
