/** Stored trees are believed of the very store that they were written of, and of no other. */

import { readFile, truncate, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { test } from 'tap'
import { readTrees, writeTrees } from '../../src/storage/tree-file.js'
import { folderForTest } from '../support/cluster.js'

const owner = { storeId: '0123456789abcdef', sequence: 42, partitions: 16_384 }
const trees = [
  { partition: 0, leaves: Int32Array.of(3, -1, 2_000_000_000) },
  { partition: 16_383, leaves: Int32Array.of(0, 1, 2, 255, -3, -4) },
]

test('trees: what was written is read; of another store, a store that went on, or torn, nothing is', async (t) => {
  const file = join(await folderForTest(t), 'trees')
  t.equal(await readTrees(file, owner), undefined, 'there is none')
  t.equal(await readTrees(dirname(file), owner), undefined, 'it is no file')
  await writeTrees(file, owner, trees)
  t.same(await readTrees(file, owner), trees)
  t.equal(await readTrees(file, { ...owner, storeId: 'fedcba9876543210' }), undefined)
  t.equal(await readTrees(file, { ...owner, sequence: 43 }), undefined)
  t.equal(await readTrees(file, { ...owner, partitions: 8_192 }), undefined)
  const bytes = await readFile(file)
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 0x10
    await writeFile(file, changed)
    t.equal(await readTrees(file, owner), undefined, `byte ${at} changed`)
  }
  for (let length = 0; length < bytes.length; length += 7) {
    await writeFile(file, bytes)
    await truncate(file, length)
    t.equal(await readTrees(file, owner), undefined, `${length} bytes left`)
  }
})
