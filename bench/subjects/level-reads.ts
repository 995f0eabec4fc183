/** The reads of a subject on a database of abstract-level, of whichever version. */

import { checkValue, type Data, type Subject } from './subject.js'

interface LevelReads {
  get(key: string): Promise<Uint8Array | undefined>
  getMany(keys: string[]): Promise<(Uint8Array | undefined)[]>
  iterator(options: { gte: string; limit: number }): AsyncIterable<[string, Uint8Array]>
}

export function levelReads(db: LevelReads, data: Data): Pick<Subject, 'get' | 'getMany' | 'scan'> {
  return {
    get: async (key) => {
      checkValue(await db.get(key), data)
      return 1
    },
    getMany: async (keys) => {
      for (const value of await db.getMany([...keys])) checkValue(value, data)
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
  }
}
