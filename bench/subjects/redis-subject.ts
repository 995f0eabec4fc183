/** What a client of ioredis, of one server or of a cluster, is asked; the same code drives both. */

import type { Cluster, Redis } from 'ioredis'
import { asBuffer, checkValue, type Data, loadBatches, type Subject } from './subject.js'

/** All keys, so that there is something to scan: Redis has no order of keys. YCSB's own binding for Redis does the same. */
const INDEX = 'index'
const PAGE = 1_000

/** What differs between one server and a cluster. */
export interface RedisSubjectOptions {
  readonly name: string
  /** MGET and the index: not where keys lie on several servers. */
  readonly isOneServer: boolean
  /** See `Subject.isTwinInWrites`. */
  readonly isTwin?: boolean
}

/** The client as a subject. */
export function redisSubject(client: Redis | Cluster, data: Data, options: RedisSubjectOptions): Subject {
  const { name, isOneServer, isTwin = false } = options
  const set = (key: string, value: Uint8Array) => client.set(key, asBuffer(value))
  return {
    name,
    scans: isOneServer,
    hasAtomicBatches: isOneServer,
    isTwinInWrites: isTwin,
    warmUpMs: 0,
    get: async (key) => {
      checkValue(await client.getBuffer(key), data)
      return 1
    },
    put: async (key, value) => {
      await set(key, value)
      return 1
    },
    insert: async (key, value) => {
      await Promise.all(isOneServer ? [set(key, value), client.zadd(INDEX, 0, key)] : [set(key, value)])
      return 1
    },
    getMany: async (keys) => {
      const values = isOneServer
        ? await client.mgetBuffer([...keys])
        : await Promise.all(keys.map((key) => client.getBuffer(key)))
      for (const value of values) checkValue(value, data)
      return keys.length
    },
    batch: async (keys, value) => {
      await (isOneServer
        ? client.mset(keys.flatMap((key) => [key, asBuffer(value)]))
        : Promise.all(keys.map((key) => set(key, value))))
      return keys.length
    },
    scan: async (from, limit) => {
      let pairs = 0
      // In pages: one answer of a hundred thousand would hold the server, and with it everybody else, up.
      for (let start = `[${from}`; pairs < limit; ) {
        const keys = await client.zrangebylex(INDEX, start, '+', 'LIMIT', 0, Math.min(PAGE, limit - pairs))
        if (keys.length === 0) break
        for (const value of await client.mgetBuffer(keys)) checkValue(value, data)
        pairs += keys.length
        start = `(${keys.at(-1)}`
      }
      return pairs
    },
  }
}

/** Writes all records by this client, and the index where there is one. */
export async function loadRedis(client: Redis | Cluster, data: Data, isOneServer: boolean): Promise<void> {
  for (const records of loadBatches(data)) {
    const writes: Promise<unknown>[] = records.map(({ key, value }) => client.set(key, asBuffer(value)))
    if (isOneServer) writes.push(client.zadd(INDEX, ...records.flatMap(({ key }) => [0, key])))
    await Promise.all(writes)
  }
}
