/** lmdb as its users call it: reads are synchronous, from the mapped file; writes resolve once they are committed. */

import { open } from 'lmdb'
import { checkValue, type Host, type HostInput, loadBatches, type Subject } from './subject.js'

/** Opens a database in the folder. `sync`: writes are acknowledged once they are flushed. */
export async function openLmdb({ folder, data }: HostInput, { sync = false } = {}): Promise<Host> {
  const db = open<Uint8Array, string>({ path: folder, encoding: 'binary' })
  /** Of whatever was written last: the commits of a turn are one. */
  const durable = async (committed: Promise<boolean>) => {
    await committed
    if (sync) await db.flushed
  }
  const put = async (key: string, value: Uint8Array) => {
    await durable(db.put(key, value))
    return 1
  }
  const subject: Subject = {
    name: sync ? 'lmdb flushed' : 'lmdb',
    scans: true,
    hasAtomicBatches: true,
    isTwinInWrites: false,
    warmUpMs: 0,
    get: async (key) => {
      checkValue(db.get(key), data)
      return 1
    },
    put,
    insert: put,
    // Not `db.getMany`, which goes by way of other threads to fetch pages first: where the data are in memory, this is faster.
    getMany: async (keys) => {
      for (const key of keys) checkValue(db.get(key), data)
      return keys.length
    },
    batch: async (keys, value) => {
      await durable(
        db.batch(() => {
          for (const key of keys) void db.put(key, value)
        }),
      )
      return keys.length
    },
    scan: async (from, limit) => {
      let pairs = 0
      for (const { value } of db.getRange({ start: from, limit })) {
        checkValue(value, data)
        pairs += 1
      }
      return pairs
    },
  }
  return {
    subjects: [subject],
    load: async () => {
      for (const records of loadBatches(data))
        await db.batch(() => {
          for (const { key, value } of records) void db.put(key, value)
        })
    },
    close: () => db.close(),
  }
}
