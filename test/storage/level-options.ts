/** Options of small LevelDB stores in temporary folders. */

import type { Test } from 'tap'
import { nodeFolders } from '../../src/storage/layout.js'
import type { LevelStoreOptions } from '../../src/storage/level-store.js'
import { temporaryFolder } from './leveldb-stores.js'

/** The run of the machine that tests pretend to be in, and another one. */
export const BOOT = '00112233445566778899aabbccddeeff'
export const OTHER_BOOT = 'ffeeddccbbaa99887766554433221100'

export const LEVEL_DEFAULTS = {
  partitions: 16,
  durability: 'process',
  cacheBytes: 1 << 20,
  recordCacheBytes: 1 << 20,
  openFilesMax: 100,
  writeBufferBytes: 1 << 20,
  lockWaitMs: 0,
  expected: 'member',
  bootId: BOOT,
} as const

/** A store below a folder that goes with the test. */
export function levelOptions(t: Test): LevelStoreOptions {
  const { store: folder, witness: witnessFile } = nodeFolders(temporaryFolder(t), 'node1')
  return { ...LEVEL_DEFAULTS, folder, witnessFile }
}
