/**
 * A file system of eight megabytes that fills up under three nodes. It needs root, to mount it: where that is not allowed it says
 * so loudly and tests nothing.
 */

import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'tap'
import { type Cluster, CoterieError, openCluster } from '../../src/index.js'
import {
  folderForTest,
  loadRecords,
  nodeIds,
  nodeOf,
  openForTest,
  outcomeOf,
  type TestContext,
  wrongRecords,
} from '../support/cluster.js'
import { mountSmallDisk } from '../support/small-disk.js'

/** Nothing here is about slowness. */
const CALM = { hungAfterMs: 10_000, writeTimeoutMs: 20_000, readTimeoutMs: 10_000 }

test('a file system that is full: nothing acknowledged is lost, reads go on, all is well when there is room again', async (t) => {
  const location = await smallDisk(t, 8)
  if (location === undefined) {
    t.comment('NOT RUN: a tmpfs could not be mounted here. Run this file as root, where mounting is allowed.')
    return
  }
  const cluster = await openForTest(t, { ...CALM, location, nodes: 3, writeBufferBytes: 65_536 })
  const records = await loadRecords(cluster, 500)
  await cluster.settled()
  const ballast = join(location, 'ballast')
  const acknowledged = await fillUp(cluster, ballast)
  t.ok(acknowledged.length > 0)
  const startedMs = performance.now()
  t.notMatch(await outcomeOf(cluster.put('one more', 'x')), 'ok')
  t.ok(performance.now() - startedMs < 1_000, 'refused at once')
  t.same(await wrongRecords(cluster, records), [], 'reads go on')
  // A node that starts on the full disk waits, too.
  await cluster.faults.crash('node1')
  rmSync(ballast)
  await cluster.settled({ timeoutMs: 30_000 })
  for (const id of nodeIds(cluster)) t.match(nodeOf(cluster, id), { storeFull: false, status: 'up' })
  t.same(await wrongRecords(cluster, records, { r: 3 }), [])
  for (const key of acknowledged) t.ok(await cluster.get(key), `${key} was acknowledged`)
  t.equal(await outcomeOf(cluster.put('one more', 'x')), 'ok')
  await cluster.close()
  const again = await openCluster({ location })
  t.same(await wrongRecords(again, records), [])
  await again.close()
})

/** Taken by puts, then nothing is left. */
const ROOM_LEFT_BYTES = 600_000

/** Puts until every node is full; the ballast leaves little. Gives the keys whose puts were acknowledged. */
async function fillUp(cluster: Cluster, ballast: string): Promise<string[]> {
  const acknowledged: string[] = []
  const { bavail, bsize } = statfsSync(dirname(ballast))
  writeFileSync(ballast, Buffer.alloc(bavail * bsize - ROOM_LEFT_BYTES))
  const isFull = () => cluster.status().nodes.every(({ storeFull }) => storeFull)
  for (let round = 0; round < 2_000 && !isFull(); round++) {
    const key = `filler ${round}`
    try {
      await cluster.put(key, 'x'.repeat(10_000))
      acknowledged.push(key)
    } catch (error) {
      if (!(error instanceof CoterieError)) throw error
    }
  }
  if (!isFull()) throw new Error('the disk did not fill up')
  return acknowledged
}

/** A file system of its own, of so many MiB; undefined where that is not allowed. */
async function smallDisk(t: TestContext, mib: number): Promise<string | undefined> {
  const disk = mountSmallDisk(join(await folderForTest(t), 'disk'), mib)
  if ('missing' in disk) {
    t.comment(disk.missing)
    return undefined
  }
  t.teardown(async () => disk.unmount())
  return disk.folder
}
