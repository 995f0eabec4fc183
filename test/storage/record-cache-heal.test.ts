/** What rots on the disk while it is intact in memory: it must be seen, so that it can be healed. */

import { mkdirSync } from 'node:fs'
import { test } from 'tap'
import type { LwwRecord } from '../../src/protocol/versions/record.js'
import { makeStamp } from '../../src/protocol/versions/stamp.js'
import { readFoundStore } from '../../src/storage/found-store.js'
import { GroupCommit } from '../../src/storage/group-commit.js'
import { dataKey } from '../../src/storage/keyspace.js'
import { LevelStore } from '../../src/storage/level-store.js'
import { openLevel } from '../../src/storage/open-level.js'
import { RecordCache } from '../../src/storage/record-cache.js'
import { encodeRecord } from '../../src/storage/record-codec.js'
import { WitnessFile } from '../../src/storage/witness.js'
import { flipBit } from './arbitraries.js'
import { BOOT, levelOptions } from './level-options.js'

const record: LwwRecord = { kind: 'lww', stamp: makeStamp(1n, 0, 'gateway1'), value: Buffer.from('value') }
const range = { reverse: false }

test('a scan that finds a record damaged makes reads see it too, although it was intact in the cache', async (t) => {
  const options = levelOptions(t)
  mkdirSync(options.folder, { recursive: true })
  const level = await openLevel(options.folder, options)
  const identity = { storeId: '0123456789abcdef', previousStoreId: '', sequence: 0, liveKeys: 0 }
  const life = { storeId: identity.storeId, sequence: 0, bootId: BOOT, durability: 'process', closed: false } as const
  const witness = await WitnessFile.open(options.witnessFile, life)
  const cache = new RecordCache(options.recordCacheBytes)
  const group = new GroupCommit({ level, identity, witness, durability: 'process', cache, isFilled: () => false })
  const store = new LevelStore(level, await readFoundStore(level), identity, { group, witness, cache }, options)
  t.teardown(() => store.close())

  await store.write({ keys: ['key'], records: [record], liveKeysDelta: 1 })
  t.match(store.read(['key']), [{ stamp: record.stamp }])
  await level.batch([
    { type: 'put', key: dataKey('key'), value: Buffer.from(flipBit(encodeRecord('key', record), 100)) },
  ])
  t.match(store.read(['key']), [{ stamp: record.stamp }], 'memory has it intact')

  const partitions = Array.from({ length: options.partitions }, (_, partition) => partition)
  const page = await store.scan({ range, limit: 10, bytesMax: 1_000, partitions })
  t.same(page.records, ['damaged'])
  t.same(store.read(['key']), ['damaged'], 'who is to heal it sees that it must')
  await store.write({ keys: ['key'], records: [record], liveKeysDelta: 0 })
  t.match((await store.scan({ range, limit: 10, bytesMax: 1_000, partitions })).records, [{ stamp: record.stamp }])
})
