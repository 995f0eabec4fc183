/** A scrub of stores that LevelDB has open: it finds what is damaged, and takes nothing else for damage. */

import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { test } from 'tap'
import { scrubStoreTables } from '../../src/storage/scrub-store.js'
import { makeStore, temporaryFolder, withFlippedBit } from './leveldb-stores.js'

const ALL = { after: 0, bytesMax: Number.POSITIVE_INFINITY }

function tablesOf(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith('.ldb'))
}

test('scrub: slices cover every table once, each at least one', async (t) => {
  const folder = temporaryFolder(t)
  const database = new ClassicLevel<string, string>(folder, { writeBufferSize: 65_536 })
  await database.open()
  for (let row = 0; row < 4_000; row++) await database.put(`row ${row % 1_000}`, `${row}`.repeat(50))
  // Closed, it lies still: no compaction deletes a table between two slices.
  await database.close()
  const whole = scrubStoreTables(folder, ALL)
  t.ok(whole.tables > 1, `${whole.tables} tables`)
  t.match(whole, { problems: [], next: undefined })
  let tables = 0
  for (let after: number | undefined = 0; after !== undefined; ) {
    const report = scrubStoreTables(folder, { after, bytesMax: 1 })
    t.equal(report.tables, 1)
    tables += report.tables
    after = report.next
  }
  t.equal(tables, whole.tables)
})

test('scrub: while LevelDB writes and compacts, nothing is taken for damage', async (t) => {
  const folder = temporaryFolder(t)
  const database = new ClassicLevel<string, string>(folder, { writeBufferSize: 65_536 })
  await database.open()
  t.teardown(() => database.close())
  const seen = new Set<string>()
  for (let round = 0; round < 60; round++) {
    const batch = database.batch()
    for (let row = 0; row < 300; row++) batch.put(`row ${(row * 7 + round) % 900}`, `${row}`.repeat(60))
    // Not awaited before the scrub: flush and compaction run while it reads.
    const written = batch.write()
    for (const name of tablesOf(folder)) seen.add(name)
    t.same(scrubStoreTables(folder, ALL).problems, [])
    await written
  }
  t.ok(seen.size > tablesOf(folder).length, 'compaction deleted tables meanwhile')
})

test('scrub: a flipped bit, a missing table and a damaged manifest are found', async (t) => {
  for (const damage of ['flip', 'remove', 'manifest'] as const) {
    const folder = temporaryFolder(t)
    await makeStore(folder, { seed: 3, tableWrites: 500, logWrites: 50, valueBytes: 100 })
    const [table] = tablesOf(folder)
    const manifest = readdirSync(folder).find((name) => name.startsWith('MANIFEST'))
    if (table === undefined || manifest === undefined) throw new Error('a store has tables and a manifest')
    const scrub = () => scrubStoreTables(folder, ALL).problems
    const found = {
      flip: () => withFlippedBit(join(folder, table), 100 * 8, scrub),
      manifest: () => withFlippedBit(join(folder, manifest), 20 * 8, scrub),
      remove: () => {
        rmSync(join(folder, table))
        return scrub()
      },
    }[damage]()
    const wanted = {
      flip: { file: table, kind: 'checksum' },
      remove: { file: table, kind: 'missing' },
      manifest: { file: 'MANIFEST' },
    }[damage]
    t.match(found, [wanted])
  }
})
