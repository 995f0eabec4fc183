/** What a cluster folder knows of a migration: never less than what was last said of who has the say. */

import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { clusterFolderOf } from '../../src/storage/layout.js'
import { hasMoved, isDual, MigrationFile, type MigrationRecord } from '../../src/storage/migration-file.js'
import { folderForTest, outcomeOf, type TestContext } from '../support/cluster.js'

const TO = { engine: 'redis-cluster', seeds: ['redis://user:secret@127.0.0.1:7000'], name: 'shop' } as const
const BEGUN = { id: 'one', to: TO, startedAt: '2026-11-28T12:00:00.000Z' }

async function fileIn(t: TestContext) {
  const location = await folderForTest(t)
  await mkdir(clusterFolderOf(location), { recursive: true })
  const path = join(clusterFolderOf(location), 'migration.json')
  const again = () => MigrationFile.open(location)
  return { path, again, file: await again() }
}

test('migration file: stage by stage, as the next process finds it', async (t) => {
  const { file, again, path } = await fileIn(t)
  t.equal(file.record, undefined)
  await file.begin(BEGUN)
  t.match((await again()).record, { ...BEGUN, stage: 'dual-write', isPaused: false, copied: 0 })
  t.equal((await stat(path)).mode & 0o777, 0o600, 'the login is its owner’s alone')
  await t.rejects(file.begin(BEGUN), 'one at a time')
  await t.rejects(file.become('verify'), 'no stage is left out')
  await file.become('backfill')
  await file.proceed({ cursor: 'a2V5', copied: 7, backfillMs: 3 })
  const found = await again()
  t.match(found.record, { stage: 'backfill', cursor: 'a2V5', copied: 7 })
  await found.pause(true)
  t.notOk(isDual((await again()).record as MigrationRecord))
  await found.become('verify')
  t.equal((await again()).record?.isPaused, true, 'it is paused until somebody goes on')
  await found.pause(false)
  t.ok(isDual((await again()).record as MigrationRecord))
  await found.become('cutover')
  t.ok(hasMoved((await again()).record as MigrationRecord))
  await t.rejects(found.become('aborted'), 'there is no way back')
  await found.become('done', { to: { ...TO, seeds: ['redis://127.0.0.1:7000'] } })
  t.notMatch(await readFile(path, 'utf8'), /secret/)
  t.notMatch(await readFile(`${path}.previous`, 'utf8'), /secret/, 'nor in the spare one')
})

test('migration file: aborted, there is none, and another may begin', async (t) => {
  const { file, again } = await fileIn(t)
  await file.begin(BEGUN)
  await file.become('aborted')
  const found = await again()
  t.equal(found.record, undefined)
  await found.begin({ ...BEGUN, id: 'two' })
  t.match((await again()).record, { id: 'two', stage: 'dual-write' })
})

test('migration file: damaged, the one before says the same of who has the say; both damaged is refused', async (t) => {
  const { file, again, path } = await fileIn(t)
  await file.begin(BEGUN)
  await file.become('backfill')
  await file.become('verify')
  await file.become('cutover')
  await writeFile(path, 'torn')
  t.equal((await again()).record?.stage, 'cutover')
  await writeFile(`${path}.previous`, 'torn')
  t.equal(await outcomeOf(again()), 'LOCATION_DAMAGED')
})
