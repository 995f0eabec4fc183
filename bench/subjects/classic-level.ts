/** classic-level as its users call it: one database, awaited calls, bytes for values; alone, and behind a plain cache of records. */

import { ClassicLevel } from 'classic-level'
import { LRUCache } from 'lru-cache'
import { levelReads } from './level-reads.js'
import { checkValue, type Data, type Host, type HostInput, loadBatches, type Subject } from './subject.js'

/** How it is opened. */
export interface ClassicLevelOptions {
  /** Of LevelDB's own cache of blocks. */
  readonly blockCacheBytes: number
  /** Keys and values that the second subject keeps; 0: there is no second subject. */
  readonly recordCacheBytes?: number
  /** True: writes are synced before they are acknowledged. */
  readonly sync?: boolean
}

type Database = ClassicLevel<string, Uint8Array>

/** Opens a database in the folder. */
export async function openClassicLevel({ folder, data }: HostInput, options: ClassicLevelOptions): Promise<Host> {
  const { blockCacheBytes, recordCacheBytes = 0, sync = false } = options
  const encodings = { keyEncoding: 'utf8', valueEncoding: 'view' } as const
  const db: Database = new ClassicLevel(folder, { ...encodings, cacheSize: blockCacheBytes })
  await db.open()
  const plain = plainSubject(db, data, sync)
  return {
    subjects: recordCacheBytes === 0 ? [plain] : [plain, cachedSubject(db, data, recordCacheBytes, plain)],
    load: async () => {
      for (const records of loadBatches(data)) await db.batch(records.map((record) => ({ type: 'put', ...record })))
    },
    close: () => db.close(),
  }
}

function plainSubject(db: Database, data: Data, sync: boolean): Subject {
  const put = async (key: string, value: Uint8Array) => {
    await db.put(key, value, { sync })
    return 1
  }
  return {
    name: sync ? 'classic-level sync' : 'classic-level',
    scans: true,
    hasAtomicBatches: true,
    isTwinInWrites: false,
    warmUpMs: 0,
    ...levelReads(db, data),
    put,
    insert: put,
    batch: async (keys, value) => {
      await db.batch(
        keys.map((key) => ({ type: 'put', key, value })),
        { sync },
      )
      return keys.length
    },
  }
}

/**
 * A cache as anybody would put before a database, in the caller's thread. It answers without leaving the turn, and what it
 * gives is shared: whoever changes such a value changes it for all.
 */
function cachedSubject(db: Database, data: Data, bytes: number, plain: Subject): Subject {
  const cache = new LRUCache<string, Uint8Array>({
    maxSize: bytes,
    sizeCalculation: (value, key) => key.length + value.byteLength,
  })
  const put = async (key: string, value: Uint8Array) => {
    await db.put(key, value)
    cache.set(key, value)
    return 1
  }
  return {
    ...plain,
    name: 'classic-level + LRU',
    get: async (key) => {
      const kept = cache.get(key)
      if (kept !== undefined) return 1
      const value = await db.get(key)
      checkValue(value, data)
      if (value !== undefined) cache.set(key, value)
      return 1
    },
    put,
    insert: put,
    getMany: async (keys) => {
      const absent = keys.filter((key) => cache.get(key) === undefined)
      if (absent.length === 0) return keys.length
      for (const [at, value] of (await db.getMany(absent)).entries()) {
        checkValue(value, data)
        if (value !== undefined) cache.set(absent[at] ?? '', value)
      }
      return keys.length
    },
    batch: async (keys, value) => {
      await db.batch(keys.map((key) => ({ type: 'put', key, value })))
      for (const key of keys) cache.set(key, value)
      return keys.length
    },
  }
}
