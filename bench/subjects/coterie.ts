/** Coterie through its public door. The subjects of one cluster differ in r and w only. */

import { type ClusterOptions, type KeyValueStore, openCluster } from '../../src/index.js'
import { checkValue, type Data, type Host, type HostInput, loadBatches, type Subject } from './subject.js'

/** Of each workload. The rates of five nodes rise for some seconds. */
const WARM_UP_MS = 1_000

/** Other work on the machine must not end a run: whoever is slow is to be measured. */
export const PATIENCE = { readTimeoutMs: 10_000, writeTimeoutMs: 10_000 }

/** How many must answer, and what that is called. */
export interface Quorum {
  readonly name: string
  readonly r: number
  readonly w: number
  /** Another quorum has the same w. */
  readonly isTwin?: boolean
}

/** Opens a cluster in the folder, and a subject for each quorum. */
export async function openCoterie(
  { folder, data }: HostInput,
  options: Omit<ClusterOptions, 'location'>,
  quorums: readonly Quorum[],
): Promise<Host> {
  const cluster = await openCluster({ ...PATIENCE, ...options, location: folder })
  return {
    subjects: quorums.map((quorum) => coterieSubject(cluster, data, quorum)),
    load: async () => {
      await loadCoterie(cluster, data)
      await cluster.settled()
    },
    close: () => cluster.close(),
  }
}

/** Writes all records. */
export async function loadCoterie(store: KeyValueStore, data: Data): Promise<void> {
  for (const records of loadBatches(data)) await store.batch(records.map((record) => ({ type: 'put', ...record })))
}

/** A cluster, or a connection to one, called with these quorums. */
export function coterieSubject(store: KeyValueStore, data: Data, { name, r, w, isTwin = false }: Quorum): Subject {
  const put = async (key: string, value: Uint8Array) => {
    await store.put(key, value, { w })
    return 1
  }
  return {
    name,
    scans: true,
    hasAtomicBatches: true,
    isTwinInWrites: isTwin,
    warmUpMs: WARM_UP_MS,
    get: async (key) => {
      checkValue(await store.get(key, { r }), data)
      return 1
    },
    put,
    insert: put,
    getMany: async (keys) => {
      for (const value of await store.getMany(keys, { r })) checkValue(value, data)
      return keys.length
    },
    batch: async (keys, value, logged = false) => {
      const operations = keys.map((key) => ({ type: 'put', key, value }) as const)
      await store.batch(operations, { w, logged })
      return keys.length
    },
    scan: async (from, limit) => {
      let pairs = 0
      for await (const [, value] of store.scan({ gte: from, limit, r })) {
        checkValue(value, data)
        pairs += 1
      }
      return pairs
    },
  }
}
