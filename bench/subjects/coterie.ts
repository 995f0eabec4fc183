/** Coterie through its public door. Several subjects can share one cluster: they differ in r and w only. */

import type { Cluster } from '../../src/index.js'
import { checkValue, type Data, type Subject } from './subject.js'

/** How the calls are made. */
export interface CoterieSubjectOptions {
  readonly name: string
  readonly r: number
  readonly w: number
}

/** The cluster as a subject; closing it closes the cluster. */
export function coterieSubject(cluster: Cluster, data: Data, options: CoterieSubjectOptions): Subject {
  const { name, r, w } = options
  return {
    name,
    load: async ({ keys, value }) => {
      for (let from = 0; from < keys.length; from += 1_000) {
        await cluster.batch(keys.slice(from, from + 1_000).map((key) => ({ type: 'put', key, value })))
      }
      await cluster.settled()
    },
    get: async (key) => {
      checkValue(await cluster.get(key, { r }), data)
      return 1
    },
    put: async (key, value) => {
      await cluster.put(key, value, { w })
      return 1
    },
    getMany: async (keys) => {
      for (const value of await cluster.getMany(keys, { r })) checkValue(value, data)
      return keys.length
    },
    batch: async (keys, value, logged = false) => {
      const operations = keys.map((key) => ({ type: 'put', key, value }) as const)
      await cluster.batch(operations, { w, logged })
      return keys.length
    },
    scan: async (from, limit) => {
      let pairs = 0
      for await (const [, value] of cluster.scan({ gte: from, limit, r })) {
        checkValue(value, data)
        pairs += 1
      }
      return pairs
    },
    close: () => cluster.close(),
  }
}
