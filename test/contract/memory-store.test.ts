/** The memory store keeps the contract. */

import { test } from 'tap'
import { copyMemoryDisk, createMemoryDisk, MemoryStore } from '../../src/storage/memory-store.js'
import { PARTITIONS, recordOf, storeContract, writeOf } from './store-contract.js'

storeContract('memory', () => {
  const disk = createMemoryDisk('0123456789abcdef')
  return { open: async () => new MemoryStore({ disk, partitions: PARTITIONS }) }
})

test('memory: a copy of the disk is an older store', async (t) => {
  const disk = createMemoryDisk('0123456789abcdef')
  const store = new MemoryStore({ disk, partitions: PARTITIONS })
  store.accept(writeOf({ a: recordOf('1') }))
  const copy = new MemoryStore({ disk: copyMemoryDisk(disk), partitions: PARTITIONS })
  store.accept(writeOf({ b: recordOf('2') }))
  t.equal(copy.sequence, 1)
  t.equal(copy.read(['b'])[0], undefined)
})

test('memory: a flipped bit on the disk is damage', async (t) => {
  const disk = createMemoryDisk('0123456789abcdef')
  const store = new MemoryStore({ disk, partitions: PARTITIONS })
  store.accept(writeOf({ a: recordOf('1') }))
  const bytes = disk.records.get('a') as Uint8Array
  bytes[bytes.length - 6] = (bytes[bytes.length - 6] as number) ^ 1
  t.same(store.read(['a']), ['damaged'])
})
