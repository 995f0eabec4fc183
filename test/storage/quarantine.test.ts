/** A store that may not be believed is set aside, and the newest three are kept. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { nodeFolders } from '../../src/storage/layout.js'
import { listQuarantine, QUARANTINE_MAX, quarantineStore } from '../../src/storage/quarantine.js'
import { temporaryFolder } from './leveldb-stores.js'

test('quarantine: the folder moves, named by time and reason; the newest three stay, newest first', async (t) => {
  const { store, quarantine } = nodeFolders(temporaryFolder(t), 'node1')
  const moved: (string | undefined)[] = []
  for (let round = 0; round < QUARANTINE_MAX + 2; round++) {
    mkdirSync(store, { recursive: true })
    writeFileSync(join(store, 'file'), `${round}`)
    moved.push(
      await quarantineStore({
        store,
        quarantine,
        reason: 'files-damaged',
        wallMs: Date.UTC(2026, 10, 23, 0, 0, round),
      }),
    )
    t.equal(existsSync(store), false)
  }
  const names = await listQuarantine(quarantine)
  t.same(
    names,
    ['04', '03', '02'].map((second) => `2026-11-23T00-00-${second}.000Z-files-damaged`),
  )
  t.equal(moved.at(-1), join(quarantine, names[0] as string))
  t.equal(readFileSync(join(quarantine, names[0] as string, 'file'), 'utf8'), '4')
})

test('quarantine: two of one millisecond do not overwrite each other', async (t) => {
  const { store, quarantine } = nodeFolders(temporaryFolder(t), 'node1')
  for (let round = 0; round < 3; round++) {
    mkdirSync(store, { recursive: true })
    await quarantineStore({ store, quarantine, reason: 'behind-witness', wallMs: 0 })
  }
  t.equal((await listQuarantine(quarantine)).length, 3)
})

test('quarantine: a folder that is not there is nothing to set aside', async (t) => {
  const { store, quarantine } = nodeFolders(temporaryFolder(t), 'node1')
  t.same(await listQuarantine(quarantine), [])
  t.equal(await quarantineStore({ store, quarantine, reason: 'x', wallMs: 0 }), undefined)
})
