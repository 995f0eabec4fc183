/** Backups of a cluster that serves: the cut, who may be missing from it, and what an interrupted one is worth. */

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { type Cluster, restoreCluster, verifyFolder } from '../../src/index.js'
import {
  folderForTest,
  loadRecords,
  nodeIds,
  openForTest,
  outcomeOf,
  restoreForTest,
  textOf,
  wrongRecords,
} from '../support/cluster.js'

const CHILD = fileURLToPath(new URL('../support/backup.child.js', import.meta.url))

/** On a machine that is busy everybody is waited for all the same. */
const PATIENT = { freezeTimeoutMs: 20_000 }

async function numberAt(cluster: Cluster, key: string): Promise<number> {
  return Number(textOf(await cluster.get(key)) ?? 0)
}

test('backup: a cut under load never shows the later write without the earlier, onto any number of nodes', async (t) => {
  const folder = await folderForTest(t)
  const cluster = await openForTest(t, { partitions: 16 })
  const pairs = Array.from({ length: 8 }, (_, pair) => [`first ${pair}`, `second ${pair}`] as const)
  t.ok(pairs.some(([first, second]) => cluster.locate(first).partition !== cluster.locate(second).partition))
  let isOver = false
  const acknowledged = pairs.map(() => 0)
  const writer = async ([first, second]: readonly [string, string], pair: number): Promise<void> => {
    for (let number = 1; !isOver; number++) {
      await cluster.put(first, `${number}`)
      await cluster.put(second, `${number}`)
      acknowledged[pair] = number
    }
  }
  const writers = pairs.map(writer)
  const backups: { dir: string; before: number[] }[] = []
  for (const round of [1, 2, 3]) {
    const before = [...acknowledged]
    const dir = join(folder, `backup ${round}`)
    const { nodes, leftOut, frozenMs } = await cluster.backup(dir)
    t.comment(
      `writes stopped for ${frozenMs.toFixed(1)} ms; ${nodes.length} nodes, left out: ${JSON.stringify(leftOut)}`,
    )
    backups.push({ dir, before })
  }
  isOver = true
  await Promise.all(writers)
  t.ok(
    acknowledged.every((number, pair) => number > (backups.at(-1)?.before[pair] ?? 0)),
    'it served meanwhile',
  )

  for (const [index, { dir, before }] of backups.entries()) {
    const nodes = [2, 4, 6][index] ?? 5
    const restored = await restoreForTest(t, dir, { nodes })
    t.equal(nodeIds(restored).length, nodes)
    for (const [pair, [first, second]] of pairs.entries()) {
      const [earlier, later] = [await numberAt(restored, first), await numberAt(restored, second)]
      t.ok(later <= earlier && earlier <= later + 1, `${dir}, pair ${pair}: ${earlier}, ${later}`)
      t.ok(later >= (before[pair] ?? 0), 'what was acknowledged before is there')
    }
    await restored.close()
  }
})

test('backup: who is silent, or dies in the middle, is left out; the others hold everything', async (t) => {
  const folder = await folderForTest(t)
  const cluster = await openForTest(t, { partitions: 16, hungAfterMs: 60_000, transferBytesPerSecond: 200_000 })
  const records = await loadRecords(cluster, 400)
  await cluster.faults.pause('node1', 60_000)
  const silent = await cluster.backup(join(folder, 'silent'), { freezeTimeoutMs: 2_000 })
  t.same(silent.leftOut, [{ node: 'node1', reason: 'it did not confirm the freeze' }])
  t.same(silent.nodes, ['node2', 'node3', 'node4', 'node5'])
  await cluster.faults.heal()
  await cluster.settled({ timeoutMs: 60_000 })

  let crash: Promise<void> | undefined
  const onProgress = ({ phase }: { phase: string }): void => {
    if (phase === 'node4') crash ??= cluster.faults.crash('node4')
  }
  const died = await cluster.backup(join(folder, 'died'), { onProgress, ...PATIENT })
  await crash
  t.same(died.leftOut, [{ node: 'node4', reason: 'its thread is gone' }])
  for (const dir of ['silent', 'died']) {
    const restored = await restoreForTest(t, join(folder, dir), { nodes: 3 })
    t.same(await wrongRecords(restored, records), [])
    await restored.close()
  }
})

test('backup: too few owners: it fails with its code, leaves nothing behind, and writes go on', async (t) => {
  const dir = join(await folderForTest(t), 'b')
  const cluster = await openForTest(t, {
    nodes: 3,
    partitions: 16,
    hungAfterMs: 60_000,
    transferBytesPerSecond: 100_000,
  })
  await loadRecords(cluster, 200)
  await cluster.faults.pause('node1', 60_000)
  await cluster.faults.pause('node2', 60_000)
  await t.rejects(cluster.backup(dir, { freezeTimeoutMs: 300 }), {
    code: 'BACKUP_FAILED',
    message: /too few owners of 16 partitions.*node1 \(it did not confirm the freeze\), node2/,
  })
  t.same(await readdir(dir), [])
  await cluster.faults.heal()
  await cluster.put('after', 'the thaw')

  const deaths: Promise<void>[] = []
  const onProgress = (): void => {
    if (deaths.length === 0) deaths.push(cluster.faults.crash('node2'), cluster.faults.crash('node3'))
  }
  t.equal(await outcomeOf(cluster.backup(dir, { onProgress })), 'BACKUP_FAILED')
  await Promise.all(deaths)
  t.same(await readdir(dir), [])
  await cluster.settled({ timeoutMs: 60_000 })
  t.equal((await cluster.backup(dir, PATIENT)).nodes.length, 3, 'the same folder will do')
})

test('backup: one that was interrupted is never taken for whole: the cluster closes, the process is killed', async (t) => {
  const folder = await folderForTest(t)
  const slow = { nodes: 3, partitions: 16, transferBytesPerSecond: 2_000 }
  const cluster = await openForTest(t, slow)
  await loadRecords(cluster, 100)
  let outcome: Promise<string> | undefined
  await new Promise<void>((resolve) => {
    outcome = outcomeOf(cluster.backup(join(folder, 'closed'), { onProgress: () => resolve() }))
  })
  await cluster.close()
  t.equal(await outcome, 'CLOSED')
  t.same(await readdir(join(folder, 'closed')), [])

  const dir = join(folder, 'killed')
  const child: ChildProcess = fork(CHILD, [join(folder, 'data'), dir])
  await once(child, 'message')
  child.kill('SIGKILL')
  await once(child, 'exit')
  t.ok((await readdir(dir)).length > 0, 'it was in the middle of it')
  const location = join(folder, 'new')
  t.equal(await outcomeOf(restoreCluster(dir, { location })), 'BACKUP_INCOMPLETE')
  t.equal(await outcomeOf(verifyFolder(dir)), 'BACKUP_INCOMPLETE')
  const again = await openForTest(t, { location: join(folder, 'data') })
  t.equal(await outcomeOf(again.backup(dir)), 'BACKUP_NOT_EMPTY')
  t.notOk((await readdir(folder)).includes('new'), 'a location is made only of a whole backup')
})
