/** What the tests of links, disks and clocks have in common. */

import type { Cluster, FaultCounts } from '../../src/index.js'
import { nodeIds, nodeOf, outcomeOf, textOf } from './cluster.js'

/** The owners of a key, primary first; the test fails if there are not three. */
export function ownersOf(cluster: Cluster, key: string): [string, string, string] {
  const [first, second, third] = cluster.locate(key).owners
  if (first === undefined || second === undefined || third === undefined) throw new Error(`${key} has no three owners`)
  return [first, second, third]
}

/** What the faults have done in all nodes together. */
export function countOf(cluster: Cluster, count: keyof FaultCounts): number {
  return nodeIds(cluster).reduce((sum, id) => sum + (nodeOf(cluster, id).faults?.[count] ?? 0), 0)
}

/** Writes and reads that many keys, one after the other; those that failed. */
export async function failures(cluster: Cluster, count: number): Promise<string[]> {
  const failed: string[] = []
  for (let number = 0; number < count; number++) {
    const key = `key ${number}`
    const put = await outcomeOf(cluster.put(key, `value ${number}`))
    const value = put === 'ok' ? textOf(await cluster.get(key)) : put
    if (value !== `value ${number}`) failed.push(`${key}: ${value}`)
  }
  return failed
}
