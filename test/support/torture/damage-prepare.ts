/**
 * A closed cluster to be damaged: tables and a log in every store, deleted keys, a store that was set aside, two tables of
 * partitions; and an older copy, in which some of that had not happened yet. Called by the damage part.
 */

import { cpSync, writeFileSync } from 'node:fs'
import { type Cluster, openCluster } from '../../../src/index.js'
import { KEYS, keyOf, SMALL, valueIn } from './damage-judge.js'

/** Where it lies, and its records as JSON. */
export interface Whole {
  readonly location: string
  readonly older: string
  readonly expected: string
}

export async function prepareWhole(whole: Whole, nodes: number): Promise<void> {
  const expected: Record<string, string | null> = {}
  const options = { ...SMALL, location: whole.location, nodes, faults: true }
  const first = await openCluster(options)
  await write(first, expected, { from: 0, to: KEYS, round: 1 })
  await first.settled()
  await first.faults.corrupt('node1')
  await first.settled()
  await first.close()
  cpSync(whole.location, whole.older, { recursive: true })
  const second = await openCluster(options)
  await write(second, expected, { from: 0, to: KEYS / 2, round: 2 })
  for (let number = 0; number < KEYS; number += 7) {
    await second.delete(keyOf(number))
    expected[keyOf(number)] = null
  }
  await write(second, expected, { from: KEYS, to: KEYS + 20, round: 3 })
  await second.settled()
  await second.close()
  writeFileSync(whole.expected, JSON.stringify(expected))
}

async function write(
  cluster: Cluster,
  expected: Record<string, string | null>,
  { from, to, round }: { from: number; to: number; round: number },
): Promise<void> {
  const operations: { type: 'put'; key: string; value: string }[] = []
  for (let number = from; number < to; number++) {
    const [key, value] = [keyOf(number), valueIn(number, round)]
    operations.push({ type: 'put', key, value })
    expected[key] = value
  }
  await cluster.batch(operations)
}
