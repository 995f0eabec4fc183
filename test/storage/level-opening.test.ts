/** What a LevelDB store finds when it is opened, and whether it may be believed. */

import { cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { dataKey } from '../../src/storage/keyspace.js'
import { nodeFolders } from '../../src/storage/layout.js'
import { type LevelStoreOptions, openLevelStore } from '../../src/storage/level-store.js'
import { openLevel } from '../../src/storage/open-level.js'
import { openNodeStore } from '../../src/storage/open-node-store.js'
import { readWitness } from '../../src/storage/witness.js'
import { recordOf, scanOf, writeOf } from '../contract/store-contract.js'
import { plain } from './arbitraries.js'
import { BOOT, LEVEL_DEFAULTS, levelOptions, OTHER_BOOT } from './level-options.js'
import { temporaryFolder } from './leveldb-stores.js'

/** Runs a store with one record, and hands back how it was left. */
async function storeOnce(options: LevelStoreOptions): Promise<{ storeId: string; sequence: number }> {
  const { store } = await openLevelStore({ ...options, expected: 'fresh' })
  await store.write(writeOf({ a: recordOf('1') }, { liveKeysDelta: 1 }))
  await store.close()
  return { storeId: store.identity.storeId, sequence: store.sequence }
}

/** What a power cut at this moment would leave: the files as they are, the store still open. */
async function cutDuringRun(t: Test, options: LevelStoreOptions): Promise<LevelStoreOptions> {
  const { store } = await openLevelStore({ ...options, expected: 'fresh' })
  await store.write(writeOf({ a: recordOf('1') }))
  const left = levelOptions(t)
  cpSync(options.folder, left.folder, { recursive: true })
  cpSync(options.witnessFile, left.witnessFile)
  await store.close()
  return { ...left, durability: options.durability, expectedStoreId: store.identity.storeId }
}

test('level: nothing is acknowledged before the witness has its sequence', async (t) => {
  const options = levelOptions(t)
  const { store } = await openLevelStore({ ...options, expected: 'fresh' })
  for (let round = 0; round < 20; round++) {
    await store.write(writeOf({ a: recordOf(`${round}`) }))
    t.match(readWitness(options.witnessFile), {
      sequence: store.sequence,
      storeId: store.identity.storeId,
      closed: false,
    })
  }
  await store.close()
  t.match(readWitness(options.witnessFile), { sequence: store.sequence, closed: true })
})

test('level: a store closed in order is intact, after a reboot too', async (t) => {
  const options = levelOptions(t)
  const { storeId, sequence } = await storeOnce(options)
  for (const bootId of [BOOT, OTHER_BOOT]) {
    const { store, report } = await openLevelStore({ ...options, bootId, expectedStoreId: storeId })
    t.match(report, { verdict: 'intact', storeId, sequence })
    t.equal(store.liveKeys, 1)
    await store.close()
  }
})

test('level: an older copy of the folder is amnesiac, can be read, and takes no write', async (t) => {
  const options = levelOptions(t)
  await storeOnce(options)
  const older = join(temporaryFolder(t), 'older')
  cpSync(options.folder, older, { recursive: true })
  const { store: newer } = await openLevelStore(options)
  await newer.write(writeOf({ b: recordOf('2') }))
  await newer.close()
  rmSync(options.folder, { recursive: true })
  cpSync(older, options.folder, { recursive: true })
  const { store, report } = await openLevelStore(options)
  t.match(report, { verdict: 'amnesiac', reason: 'behind-witness' })
  t.same((await store.scan(scanOf({ reverse: false }))).keys, ['a'])
  await t.rejects(store.write(writeOf({ c: recordOf('3') })), { code: 'STORE_AMNESIAC' })
  await store.close()
  const again = await openLevelStore(options)
  t.match(again.report, { verdict: 'amnesiac', reason: 'behind-witness' }, 'looking at it changed nothing')
  await again.store.close()
})

test('level: a process that dies in the middle of its work leaves an intact store', async (t) => {
  const left = await cutDuringRun(t, levelOptions(t))
  const { store, report } = await openLevelStore(left)
  t.match(report, { verdict: 'intact' })
  t.equal(store.read(['a']).length, 1)
  await store.close()
})

test('level: a reboot in the middle of work under process is a lost tail: a new id, once, and the data stay', async (t) => {
  const left = await cutDuringRun(t, levelOptions(t))
  const { store, report } = await openLevelStore({ ...left, bootId: OTHER_BOOT })
  t.match(report, { verdict: 'lost-tail', reason: 'rebooted' })
  t.not(store.identity.storeId, left.expectedStoreId)
  t.match(plain(store.read(['a'])), Buffer.from('1').toString('hex'))
  await store.write(writeOf({ b: recordOf('2') }))
  await store.close()
  const again = await openLevelStore({ ...left, bootId: OTHER_BOOT })
  t.match(again.report, { verdict: 'lost-tail', reason: 'renewal-interrupted' }, 'the cluster still knows the old id')
  t.equal(again.store.identity.storeId, store.identity.storeId)
  await again.store.close()
  const known = await openLevelStore({ ...left, bootId: OTHER_BOOT, expectedStoreId: store.identity.storeId })
  t.match(known.report, { verdict: 'intact' })
  await known.store.close()
})

test('level: a reboot in the middle of work under disk loses nothing', async (t) => {
  const left = await cutDuringRun(t, { ...levelOptions(t), durability: 'disk' })
  const { store, report } = await openLevelStore({ ...left, bootId: OTHER_BOOT })
  t.match(report, { verdict: 'intact' })
  await store.close()
})

test('level: a folder that is open already is refused with its code', async (t) => {
  const options = levelOptions(t)
  const { store } = await openLevelStore({ ...options, expected: 'fresh' })
  await t.rejects(openLevelStore(options), { code: 'STORE_LOCKED' })
  const waiting = openLevelStore({ ...options, lockWaitMs: 5_000 })
  await store.close()
  const { store: next } = await waiting
  await next.close()
})

test('level: a record that was changed behind our back is damaged; its neighbours are not', async (t) => {
  const options = levelOptions(t)
  const { store } = await openLevelStore({ ...options, expected: 'fresh' })
  await store.write(writeOf({ a: recordOf('1'), b: recordOf('2') }))
  await store.close()
  const level = await openLevel(options.folder, options)
  const bytes = await level.get(dataKey('a'))
  await level.put(dataKey('b'), bytes as Buffer)
  await level.close()
  const { store: again } = await openLevelStore(options)
  t.same(again.read(['b']), ['damaged'], 'a good record under a wrong key')
  t.not(again.read(['a'])[0], 'damaged')
  t.same((await again.scan(scanOf({ reverse: false }))).records[1], 'damaged')
  await again.close()
})

test('node store: an emptied folder is amnesiac and starts afresh; nothing is set aside', async (t) => {
  const location = temporaryFolder(t)
  const options = { ...LEVEL_DEFAULTS, location, node: 'node1' }
  const first = await openNodeStore({ ...options, expected: 'fresh' })
  t.match(first.report, { verdict: 'fresh' })
  await first.store.close()
  rmSync(nodeFolders(location, 'node1').store, { recursive: true })
  const { store, report } = await openNodeStore({ ...options, expectedStoreId: first.store.identity.storeId })
  t.match(report, { verdict: 'amnesiac', reason: 'identity-missing' })
  t.equal(report.quarantinedTo, undefined)
  t.not(store.identity.storeId, first.store.identity.storeId)
  await store.write(writeOf({ a: recordOf('1') }))
  await store.close()
  const again = await openNodeStore({ ...options, expectedStoreId: first.store.identity.storeId })
  t.match(again.report, { verdict: 'amnesiac', reason: 'other-store-expected' }, 'until the cluster has recorded it')
  await again.store.close()
})

test('node store: damaged files are never opened but set aside', async (t) => {
  const location = temporaryFolder(t)
  const options = { ...LEVEL_DEFAULTS, location, node: 'node1' }
  const folders = nodeFolders(location, 'node1')
  const first = await openNodeStore({ ...options, expected: 'fresh' })
  await first.store.close()
  for (const name of readdirSync(folders.store))
    if (name.startsWith('MANIFEST')) writeFileSync(join(folders.store, name), 'x')
  const { store, report } = await openNodeStore({ ...options, files: 'damaged' })
  t.match(report, { verdict: 'amnesiac', reason: 'files-damaged' })
  t.match(report.quarantinedTo, /-files-damaged$/)
  t.match(readWitness(folders.witness), { storeId: store.identity.storeId })
  await store.close()
})

test('node store: what LevelDB itself refuses is set aside too', async (t) => {
  const location = temporaryFolder(t)
  const options = { ...LEVEL_DEFAULTS, location, node: 'node1' }
  const folders = nodeFolders(location, 'node1')
  const first = await openNodeStore({ ...options, expected: 'fresh' })
  await first.store.close()
  for (const name of readdirSync(folders.store))
    if (name.startsWith('MANIFEST')) writeFileSync(join(folders.store, name), 'x')
  const { store, report } = await openNodeStore(options)
  t.match(report, { verdict: 'amnesiac', reason: 'open-failed' })
  await store.close()
})
