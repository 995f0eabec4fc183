/**
 * What one node's store costs, without threads and messages: codec, reads, group commit, scans, beside classic-level alone.
 *
 * Run: `npm run build && node dist/bench/micro/store-micro.js`. Wall time and, because the machine may be shared, processor time.
 */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32c } from '@node-rs/crc32'
import type { VersionRecord } from '../../src/protocol/versions/record.js'
import { makeStamp } from '../../src/protocol/versions/stamp.js'
import { lockLocation } from '../../src/storage/cluster-lock.js'
import { crc32cOf } from '../../src/storage/crc32c.js'
import { dataKey, keyOfData } from '../../src/storage/keyspace.js'
import { type LevelStoreOptions, openLevelStore } from '../../src/storage/level-store.js'
import { type Level, openLevel } from '../../src/storage/open-level.js'
import { decodeRecord, decodeUnchecked, encodeRecord } from '../../src/storage/record-codec.js'
import type { Store } from '../../src/storage/store.js'

const KEYS = 100_000
const VALUE_BYTES = 100
const LOOKED_AT_FOR_ONE = 12
const PASS_BYTES = 256 * 1024

const keys = Array.from({ length: KEYS }, (_, index) => `user:${String((index * 7919) % KEYS).padStart(8, '0')}`)
const value = Buffer.alloc(VALUE_BYTES, 7)
const records = keys.map((_, index): VersionRecord => {
  const stamp = makeStamp(1_700_000_000_000_000_000n + BigInt(index), index & 0xffff, 'node1-0123456789abcdef')
  return { kind: 'lww', stamp, value }
})
const partitions = Array.from({ length: 128 }, (_, partition) => partition)

const folder = mkdtempSync(join(tmpdir(), 'coterie-bench-'))
const common = {
  cacheBytes: 32 << 20,
  recordCacheBytes: 0,
  openFilesMax: 200,
  writeBufferBytes: 4 << 20,
  lockWaitMs: 0,
}
try {
  await benchCodec()
  await benchLock()
  await benchRaw()
  for (const durability of ['process', 'disk'] as const) await benchStore(durability)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

async function benchCodec(): Promise<void> {
  const encoded = records.map((record, index) => encodeRecord(keys[index] as string, record))
  const each = (body: (index: number) => unknown) => () => {
    for (let index = 0; index < KEYS; index++) body(index)
  }
  for (let round = 0; round < 2; round++) {
    await measure(
      'codec: encode',
      KEYS,
      each((index) => encodeRecord(keys[index] as string, records[index] as VersionRecord)),
    )
    await measure(
      'codec: decode',
      KEYS,
      each((index) => decodeRecord(keys[index] as string, encoded[index] as Buffer)),
    )
    await measure(
      'codec: decode, no checksum',
      KEYS,
      each((index) => decodeUnchecked(encoded[index] as Buffer, 0, (encoded[index] as Buffer).length)),
    )
  }
  for (const bytes of [100, 200, 300, 400, 1_000]) {
    const buffer = Buffer.alloc(bytes + 1, 5)
    await measure(
      `crc32c of ${bytes} B, native`,
      KEYS,
      each(() => crc32c(buffer.subarray(1))),
    )
    await measure(
      `crc32c of ${bytes} B, ours`,
      KEYS,
      each(() => crc32cOf(buffer, 1)),
    )
  }
}

async function benchLock(): Promise<void> {
  for (let round = 0; round < 4; round++) {
    const startedMs = performance.now()
    const lock = await lockLocation(folder)
    console.log(`${'lock the location'.padEnd(40)} ${(performance.now() - startedMs).toFixed(1)} ms`)
    await lock.release()
  }
}

async function benchRaw(): Promise<void> {
  const level: Level = await openLevel(join(folder, 'raw'), common)
  const encoded = records.map((record, index) => encodeRecord(keys[index] as string, record))
  const writeChained = async (size: number) => {
    for (let index = 0; index < KEYS; index += size) {
      const batch = level.batch()
      for (let at = index; at < index + size; at++) batch.put(dataKey(keys[at] as string), encoded[at] as Buffer)
      await batch.write()
    }
  }
  const writeArray = async (size: number) => {
    for (let index = 0; index < KEYS; index += size) {
      const slots = Array.from({ length: size }, (_, offset) => index + offset)
      await level.batch(
        slots.map((at) => ({ type: 'put', key: dataKey(keys[at] as string), value: encoded[at] as Buffer })),
      )
    }
  }
  for (const size of [50, 1_000]) {
    await measure(`raw: array batch of ${size}`, KEYS, () => writeArray(size))
    await measure(`raw: chained batch of ${size}`, KEYS, () => writeChained(size))
  }
  await measure('raw: getSync', KEYS, () => {
    for (const key of keys) level.getSync(dataKey(key))
  })
  for (let round = 0; round < 3; round++) {
    await measure('raw: a pass in pairs', KEYS, () => passInPairs(level))
    await measure(`raw: over keys, one in ${LOOKED_AT_FOR_ONE} read`, KEYS, () => passOverKeys(level))
  }
  await level.close()
}

/** As a transfer's pass over a store does where it wants few of the records: see `storage/level-scan.ts`. */
async function passInPairs(level: Level): Promise<void> {
  const iterator = level.iterator({ highWaterMarkBytes: PASS_BYTES })
  for (let entries = await iterator.nextv(512); entries.length > 0; entries = await iterator.nextv(512))
    for (const [key] of entries) keyOfData(key)
  await iterator.close()
}

async function passOverKeys(level: Level): Promise<void> {
  const iterator = level.keys<string>({ keyEncoding: 'utf8', highWaterMarkBytes: PASS_BYTES })
  let looked = 0
  for (let texts = await iterator.nextv(1_024); texts.length > 0; texts = await iterator.nextv(1_024))
    for (const text of texts) if (looked++ % LOOKED_AT_FOR_ONE === 0) level.getSync(dataKey(text.slice(1)))
  await iterator.close()
}

async function benchStore(durability: 'process' | 'disk'): Promise<void> {
  const options: LevelStoreOptions = {
    ...common,
    folder: join(folder, durability),
    witnessFile: join(folder, `${durability}.witness`),
    partitions: partitions.length,
    durability,
    expected: 'fresh',
  }
  const { store, report } = await openLevelStore(options)
  console.log(`${`${durability}: open a fresh store`.padEnd(40)} ${report.openMs.toFixed(1)} ms`)
  const counts = durability === 'process' ? [5_000, KEYS, KEYS] : [500, 20_000, KEYS]
  for (const [index, inFlight] of [1, 64, 1_000].entries()) {
    const count = counts[index] as number
    const before = store.sequence
    await measure(`${durability}: write, ${inFlight} in flight`, count, () => writeAll(store, count, inFlight))
    console.log(`${' '.repeat(40)} ${(count / (store.sequence - before)).toFixed(0)} writes a batch`)
  }
  await measure(`${durability}: read`, KEYS, () => {
    for (const key of keys) store.read([key])
  })
  await measure(`${durability}: scan, pages of 500`, KEYS, () => scanAll(store))
  await store.close()
}

async function writeAll(store: Store, count: number, inFlight: number): Promise<void> {
  let next = 0
  const writer = async () => {
    for (let at = next++; at < count; at = next++) {
      await store.write({ keys: [keys[at] as string], records: [records[at] as VersionRecord], liveKeysDelta: 1 })
    }
  }
  await Promise.all(Array.from({ length: inFlight }, writer))
}

async function scanAll(store: Store): Promise<void> {
  let after: string | undefined
  do {
    const range = after === undefined ? { reverse: false } : { reverse: false, from: after, fromExclusive: true }
    after = (await store.scan({ range, limit: 500, bytesMax: 1e9, partitions })).next
  } while (after !== undefined)
}

async function measure(name: string, count: number, body: () => unknown): Promise<void> {
  const processor = process.cpuUsage()
  const startedMs = performance.now()
  await body()
  const wallMs = performance.now() - startedMs
  const { user, system } = process.cpuUsage(processor)
  const processorMs = (user + system) / 1_000
  console.log(
    `${name.padEnd(40)} ${(count / wallMs).toFixed(1).padStart(8)} k/s  (${(count / processorMs).toFixed(1)} k per processor second)`,
  )
}
