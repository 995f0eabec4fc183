/** classic-level as its users call it: one database, awaited calls, bytes for values, the cluster's own cache budget. */

import { ClassicLevel } from 'classic-level'
import { checkValue, type Data, type Subject } from './subject.js'

const CACHE_BYTES = 64 * 1_048_576

/** Opens a database in the folder. */
export async function openClassicLevel(location: string): Promise<Subject> {
  const options = { keyEncoding: 'utf8', valueEncoding: 'view', cacheSize: CACHE_BYTES } as const
  const db = new ClassicLevel<string, Uint8Array>(location, options)
  await db.open()
  let data: Data = { keys: [], value: new Uint8Array() }
  return {
    name: 'classic-level',
    load: async (loaded) => {
      data = loaded
      const { keys, value } = loaded
      for (let from = 0; from < keys.length; from += 1_000) {
        await db.batch(keys.slice(from, from + 1_000).map((key) => ({ type: 'put', key, value })))
      }
    },
    get: async (key) => {
      checkValue(await db.get(key), data)
      return 1
    },
    put: async (key, value) => {
      await db.put(key, value)
      return 1
    },
    getMany: async (keys) => {
      for (const value of await db.getMany([...keys])) checkValue(value, data)
      return keys.length
    },
    batch: async (keys, value) => {
      await db.batch(keys.map((key) => ({ type: 'put', key, value })))
      return keys.length
    },
    scan: async (from, limit) => {
      let pairs = 0
      for await (const [, value] of db.iterator({ gte: from, limit })) {
        checkValue(value, data)
        pairs += 1
      }
      return pairs
    },
    close: () => db.close(),
  }
}
