/** All records at once: loading them, reading them back, scanning them. */

import type { Cluster } from '../../shared/api.js'
import type { Cities } from './cities.js'
import type { Ledger, Verdict } from './ledger.js'
import { asText } from './traffic.js'

const BATCH_SIZE = 500
const BATCHES_IN_FLIGHT = 4

export type Verdicts = Record<Verdict, number>

export async function putAll(cluster: Cluster, cities: Cities, ledger: Ledger): Promise<void> {
  await eachBatch(cities.count, async (from, to) => {
    const operations = range(from, to).map(
      (index) => ({ type: 'put', key: cities.key(index), value: ledger.expected(index, 0) ?? '' }) as const,
    )
    await cluster.batch(operations)
  })
}

/** Reads every record and judges it. Nothing may be written meanwhile. */
export async function verifyAll(
  cluster: Cluster,
  cities: Cities,
  ledger: Ledger,
  options: { r?: number },
): Promise<Verdicts> {
  const verdicts: Verdicts = { right: 0, stale: 0, wrong: 0 }
  await eachBatch(cities.count, async (from, to) => {
    const indexes = range(from, to)
    const values = await cluster.getMany(
      indexes.map((index) => cities.key(index)),
      options,
    )
    for (const [at, index] of indexes.entries()) verdicts[ledger.judgeFinal(index, asText(values[at]))] += 1
  })
  return verdicts
}

export interface ScanResult {
  readonly records: number
  /** Every key is above the one before. */
  readonly ordered: boolean
  /** Keys that are no record's, or no longer: a delete that came back. */
  readonly unexpected: number
}

export async function scanAll(cluster: Cluster, cities: Cities, ledger: Ledger): Promise<ScanResult> {
  const indexOf = new Map(range(0, cities.count).map((index) => [cities.key(index), index]))
  let records = 0
  let unexpected = 0
  let ordered = true
  let before: Buffer | undefined
  for await (const [key, value] of cluster.scan({ gte: 'city/', lt: 'city0' })) {
    const bytes = Buffer.from(key)
    const index = indexOf.get(bytes.toString('utf8'))
    if (index === undefined || ledger.judgeFinal(index, asText(value)) !== 'right') unexpected += 1
    if (before !== undefined && before.compare(bytes) >= 0) ordered = false
    before = bytes
    records += 1
  }
  return { records, ordered, unexpected }
}

async function eachBatch(count: number, run: (from: number, to: number) => Promise<void>): Promise<void> {
  let next = 0
  const runner = async () => {
    while (next < count) {
      const from = next
      next += BATCH_SIZE
      await run(from, Math.min(from + BATCH_SIZE, count))
    }
  }
  await Promise.all(Array.from({ length: BATCHES_IN_FLIGHT }, runner))
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, at) => from + at)
}
