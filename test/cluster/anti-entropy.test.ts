/** Divergence that neither hints nor read repair know of is healed without a read ever touching the keys. */

import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { test } from 'tap'
import { dataKey } from '../../src/storage/keyspace.js'
import { nodeFolders } from '../../src/storage/layout.js'
import { readTrees } from '../../src/storage/tree-file.js'
import { readWitness } from '../../src/storage/witness.js'
import { folderForTest, loadRecords, openForTest, textOf, until, wrongRecords } from '../support/cluster.js'

/** As the next life would believe them. */
async function storedTrees(location: string, node: string): ReturnType<typeof readTrees> {
  const { witness, trees } = nodeFolders(location, node)
  const store = readWitness(witness)
  return typeof store === 'string' ? undefined : readTrees(trees, { ...store, partitions: 16 })
}

test('anti-entropy: records that a store has lost without a word come back, and nothing else is sent', async (t) => {
  const location = await folderForTest(t)
  const cluster = await openForTest(t, { location, nodes: 3, partitions: 16 })
  const records = await loadRecords(cluster, 2_000)
  await cluster.settled()
  await cluster.close()
  t.ok((await storedTrees(location, 'node1'))?.length === 16, 'trees are stored at the end, of the store as it is then')

  const level = new ClassicLevel<Buffer, Buffer>(join(location, 'node2', 'store'), {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
  })
  const lost = [...records.keys()].filter((_, index) => index % 200 === 7)
  for (const key of lost) await level.del(dataKey(key))
  await level.close()
  // As after a crash: what was stored of the trees is not believed any more, or not there.
  await rm(join(location, 'node2', 'trees'))

  const again = await openForTest(t, { location, antiEntropyIntervalMs: 50 })
  const found: number[] = []
  again.on('exchange', ({ keysDiffering }) => {
    found.push(keysDiffering)
  })
  await until(() => found.reduce((sum, count) => sum + count, 0) >= lost.length)
  t.equal(Math.max(...found), lost.length, 'exactly these')
  await again.close()
  const checked = await openForTest(t, { location, antiEntropyIntervalMs: 0 })
  t.same(await wrongRecords(checked, records, { r: 3 }), [])
  t.equal(textOf(await checked.get(lost[0] ?? '', { r: 1 })), records.get(lost[0] ?? ''))
})
