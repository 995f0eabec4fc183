/** How many entries a page of a scan asks LevelDB for at a time. */

import { test } from 'tap'
import { newTable } from '../../src/protocol/supervision/reassignment.js'
import { TableKeeper } from '../../src/protocol/table-keeper.js'
import { PageBuilder } from '../../src/storage/level-scan.js'

const scan = { range: { reverse: false }, limit: 40, bytesMax: 1e6, partitions: [0] }

test('scan: what it will have to look at is asked for at once, and then the rest of it', async (t) => {
  t.equal(new PageBuilder(scan, 16).chunk, 41)
  const page = new PageBuilder({ ...scan, entriesExpected: 240 }, 16)
  t.equal(page.chunk, 241)
  for (let index = 0; index < 200; index++) page.isOf(`key ${index}`)
  t.equal(page.chunk, 41)
  for (let index = 0; index < 200; index++) page.isOf(`key ${index}`)
  t.equal(page.chunk, 32, 'it took more than was expected: little at a time')
  t.equal(new PageBuilder({ ...scan, entriesExpected: 1e6 }, 16).chunk, 1_024)
})

test('table keeper: counts the partitions that it has a part in', async (t) => {
  const table = newTable(
    Array.from({ length: 16 }, (_, partition) => (partition < 5 ? ['node1', 'node2'] : ['node2', 'node3'])),
    2,
  )
  const heldBy = (node: string) => new TableKeeper(node, table, table.epoch).held
  t.same(['node1', 'node2', 'node3', 'node4'].map(heldBy), [5, 16, 11, 0])
})
