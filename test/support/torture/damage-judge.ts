/**
 * What is wrong with a cluster that was damaged: what quorum reads and scans serve, whether every copy is back, what lies in the
 * stores. Judges; damages nothing. Called by the processes that open what was damaged.
 */

import type { Cluster } from '../../../src/index.js'
import { dataKey } from '../../../src/storage/keyspace.js'
import { nodeFolders } from '../../../src/storage/layout.js'
import { openLevel } from '../../../src/storage/open-level.js'
import { decodeRecord } from '../../../src/storage/record-codec.js'
import { collect, copiesOf, nodeIds, outcomeOf, textOf } from '../cluster.js'

/** Key → value, null for deleted keys. */
export type Expected = ReadonlyMap<string, string | null>

/** What is said of one damage. */
export interface DamageReport {
  /** For people: what was done, and to what. */
  readonly what: string
  /** What did not hold; none if everything did. */
  readonly problems: readonly string[]
  readonly healedMs: number
  /** A store was set aside, a record healed, an opening refused. */
  readonly fate: 'noticed' | 'refused' | 'unnoticed'
}

export const KEYS = 100
export const COPIES = 3
/** Logs are rotated and tables written by so few records. Nothing here is about slowness. */
export const SMALL = { partitions: 16, writeBufferBytes: 65_536, gossipMs: 50, hungAfterMs: 10_000 } as const

const VALUE_BYTES = 800
const PATIENCE_MS = 20_000
const SETTLED_MS_MAX = 30_000
const LEVEL = { cacheBytes: 65_536, openFilesMax: 100, writeBufferBytes: 65_536, lockWaitMs: 1_000 }

export function keyOf(number: number): string {
  return `key ${String(number).padStart(4, '0')}`
}

export function valueIn(number: number, round: number): string {
  return `value ${number} of round ${round} `.padEnd(VALUE_BYTES, String(number * round))
}

/** `r`: undefined for the cluster's own. */
export async function wrongKeys(cluster: Cluster, expected: Expected, when: string, r?: number): Promise<string[]> {
  const keys = [...expected.keys()]
  const values = await cluster.getMany(keys, { timeoutMs: PATIENCE_MS, ...(r === undefined ? {} : { r }) })
  return named(
    keys.filter((key, index) => (textOf(values[index]) ?? null) !== expected.get(key)),
    when,
  )
}

export async function wrongScan(cluster: Cluster, expected: Expected): Promise<string[]> {
  const found = (await collect(cluster.scan({ timeoutMs: PATIENCE_MS }))).map(
    ([key, value]) => [Buffer.from(key).toString(), textOf(value)] as const,
  )
  const live = [...expected].filter(([, value]) => value !== null).sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify(found) === JSON.stringify(live) ? [] : [`a scan gave ${found.length} records of ${live.length}`]
}

export async function unsettled(cluster: Cluster): Promise<string[]> {
  const outcome = await outcomeOf(cluster.settled({ timeoutMs: SETTLED_MS_MAX }))
  return outcome === 'ok' ? [] : [`it did not settle: ${outcome}`]
}

/** Of one that has settled: all copies are there. */
export function missingCopies(cluster: Cluster, expected: Expected): string[] {
  const live = [...expected.values()].filter((value) => value !== null).length
  const copies = copiesOf(cluster)
  return copies === COPIES * live ? [] : [`${copies} copies of ${live} live keys after settling`]
}

/** Closes it, and looks into each owner's own store: the newest version of every key of its partitions, tombstones included. */
export async function closeAndLook(cluster: Cluster, expected: Expected): Promise<string[]> {
  const { location } = cluster.status()
  const owners = new Map([...expected.keys()].map((key) => [key, cluster.locate(key).owners]))
  const nodes = nodeIds(cluster)
  await cluster.close()
  const wrong: string[] = []
  for (const node of nodes) {
    const own = new Map([...expected].filter(([key]) => owners.get(key)?.includes(node)))
    wrong.push(...(await wrongStore(location, node, own)))
  }
  return wrong
}

async function wrongStore(location: string, node: string, expected: Expected): Promise<string[]> {
  const level = await openLevel(nodeFolders(location, node).store, LEVEL)
  const wrong: string[] = []
  for (const [key, value] of expected) {
    const bytes = await level.get(dataKey(key))
    const record = bytes === undefined ? undefined : decodeRecord(key, bytes)
    const found =
      typeof record === 'object' && record.kind === 'lww' ? (textOf(record.value ?? undefined) ?? null) : record
    if (found !== value) wrong.push(key)
  }
  await level.close()
  return named(wrong, `in the store of ${node}`)
}

function named(keys: readonly string[], where: string): string[] {
  return keys.length === 0 ? [] : [`${where}: ${keys.length} keys are wrong, among them ${keys.slice(0, 3).join(', ')}`]
}
