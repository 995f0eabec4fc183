/** Scans are one ordered stream over all partitions, whatever the keys are made of and whatever dies meanwhile. */

import { test } from 'tap'
import type { Bytes, Cluster, ScanOptions } from '../../src/index.js'
import { collect, loadRecords, openForTest, outcomeOf, textOf } from '../support/cluster.js'

/** Text of one to four bytes a character, bytes that are no text, borders of the byte range, prefixes of each other. */
const KEYS: Bytes[] = [
  'a',
  'aa',
  'ab',
  'b',
  'Z',
  'é',
  'ß',
  '漢字',
  '漢',
  '🦊',
  '🦊🦊',
  '{tag}1',
  '{tag}2',
  Uint8Array.of(0),
  Uint8Array.of(0, 0),
  Uint8Array.of(0, 255),
  Uint8Array.of(127),
  Uint8Array.of(128),
  Uint8Array.of(255),
  Uint8Array.of(255, 0),
  Uint8Array.of(255, 255),
  Uint8Array.of(0xc3),
  ...Array.from({ length: 200 }, (_, number) => `key ${number}`),
]

const RANGES: ScanOptions[] = [
  {},
  { reverse: true },
  { limit: 7 },
  { reverse: true, limit: 7 },
  { limit: 0 },
  { gte: 'a', lt: 'b' },
  { gt: 'a', lte: 'b' },
  { gte: 'key 1', lt: 'key 2', reverse: true, limit: 5 },
  { gte: 'é', lte: '漢字' },
  { gt: '漢', lt: '🦊🦊', reverse: true },
  { gte: Uint8Array.of(128) },
  { gt: Uint8Array.of(255) },
  { lt: Uint8Array.of(0, 255) },
  { lte: Uint8Array.of(0, 255), reverse: true },
  { gte: 'b', lt: 'a' },
  { gte: 'nothing is here', lt: 'nothing is here either' },
]

test('scan: ordered by bytes over all partitions, for every kind of range', async (t) => {
  const cluster = await openForTest(t)
  await cluster.batch(KEYS.map((key, number) => ({ type: 'put', key, value: `value ${number}` })))
  const all = KEYS.map((key, number) => ({ key: Buffer.from(key as string), value: `value ${number}` }))
  all.sort((a, b) => Buffer.compare(a.key, b.key))
  for (const range of RANGES) {
    const found = (await collect(cluster.scan(range))).map(([key, value]) => [hex(key), textOf(value)])
    const inRange = all.filter(({ key }) => isInRange(key, range))
    if (range.reverse) inRange.reverse()
    const wanted = inRange.slice(0, range.limit).map(({ key, value }) => [hex(key), value])
    t.same(
      found,
      wanted,
      JSON.stringify(range, (_, bound) => (bound instanceof Uint8Array ? hex(bound) : bound)),
    )
  }
})

test('scan: deleted keys are not shown, newer values are', async (t) => {
  const cluster = await openForTest(t)
  const records = await loadRecords(cluster, 300)
  const keys = [...records.keys()]
  await cluster.batch(keys.filter((_, index) => index % 3 === 0).map((key) => ({ type: 'del', key })))
  await cluster.put('record:000001', 'newer')
  const found = await collect(cluster.scan())
  t.same(
    found.map(([key]) => textOf(key)),
    keys.filter((_, index) => index % 3 !== 0),
  )
  t.equal(textOf(found[0]?.[1]), 'newer')
})

test('scan: goes on through pages while a node dies, and misses nothing', async (t) => {
  const cluster = await openForTest(t)
  const records = await loadRecords(cluster, 5_000)
  const found: (string | undefined)[] = []
  for await (const [key] of cluster.scan()) {
    if (found.length === 1_000) await cluster.faults.crash('node1')
    if (found.length === 3_000) await cluster.faults.crash('node4')
    found.push(textOf(key))
  }
  t.same(found, [...records.keys()])
})

test('scan: can be left early, and another begun', async (t) => {
  const cluster = await openForTest(t)
  await loadRecords(cluster, 2_000)
  let seen = 0
  for await (const _ of cluster.scan()) {
    seen += 1
    if (seen === 10) break
  }
  t.equal((await collect(cluster.scan({ limit: 3 }))).length, 3)
  const iterator = cluster.scan({ limit: 1 })
  await iterator.next()
  t.same(await iterator.next(), { done: true, value: undefined })
  t.same(await iterator.next(), { done: true, value: undefined }, 'the end is the end')
})

test('scan: an empty cluster has nothing; a wrong option is refused', async (t) => {
  const cluster = await openForTest(t)
  t.same(await collect(cluster.scan()), [])
  t.equal(await outcomeOf(scanAll(cluster, { limit: -1 })), 'INVALID_OPTION')
  t.equal(await outcomeOf(scanAll(cluster, { r: 4 })), 'INVALID_OPTION')
})

/** Rejects also where `scan` throws. */
async function scanAll(cluster: Cluster, options: ScanOptions): Promise<unknown> {
  return collect(cluster.scan(options))
}

function isInRange(key: Buffer, { gt, gte, lt, lte }: ScanOptions): boolean {
  const compare = (bound: Bytes) => Buffer.compare(key, Buffer.from(bound as string))
  if (gt !== undefined && compare(gt) <= 0) return false
  if (gte !== undefined && compare(gte) < 0) return false
  if (lt !== undefined && compare(lt) >= 0) return false
  return lte === undefined || compare(lte) <= 0
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}
