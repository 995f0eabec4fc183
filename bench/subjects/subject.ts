/** What the benchmark asks of a store, so that all of them are driven by the same code. */

import { makeChance } from '../harness.js'

/** The records of a benchmark: the same for every subject. */
export interface Data {
  readonly records: number
  readonly valueBytes: number
  /** Also of records that are inserted later. */
  keyOf(record: number): string
  /** Bytes that no compression makes smaller; records that lie side by side have different ones. */
  valueOf(record: number): Uint8Array
}

/** A way to call a store under measurement. Every call says how many operations it did, and throws if an answer is wrong. */
export interface Subject {
  readonly name: string
  /** It has its keys in order. */
  readonly scans: boolean
  /** A batch can be made to take effect as a whole or not at all. */
  readonly hasAtomicBatches: boolean
  /** Another subject of its host writes just as this one does. */
  readonly isTwinInWrites: boolean
  /** It has threads that compile their code each for itself: so long is every workload driven before any is measured. */
  readonly warmUpMs: number
  get(key: string): Promise<number>
  put(key: string, value: Uint8Array): Promise<number>
  /** A record that was not there. */
  insert(key: string, value: Uint8Array): Promise<number>
  getMany(keys: readonly string[]): Promise<number>
  /** `logged`: as a whole or not at all, where that is not so anyway. Only where there are atomic batches. */
  batch(keys: readonly string[], value: Uint8Array, logged?: boolean): Promise<number>
  /** Up to `limit` pairs from `from` on. */
  scan(from: string, limit: number): Promise<number>
}

/** A store that runs: processes, threads, files. It may be called in several ways. */
export interface Host {
  readonly subjects: readonly Subject[]
  load(data: Data): Promise<void>
  /** Ends everything that was started. */
  close(): Promise<void>
}

/** What a host is opened with. */
export interface HostInput {
  /** A folder of its own. */
  readonly folder: string
  readonly data: Data
}

/** A peer that this machine does not have: it is left out, and that is said. */
export class PeerMissing extends Error {
  override readonly name = 'PeerMissing'
}

const LOAD_BATCH = 1_000

/** Different values that there are: more than records in any block of a store. */
const VALUES = 256
const VALUE_SEED = 11
/** So many keys are made beforehand; those beyond, each time. */
const KEYS_KEPT = 1_000_000

/** `records` keys of sixteen bytes and values of `valueBytes`. */
export function makeData(records: number, valueBytes: number): Data {
  const chance = makeChance(VALUE_SEED)
  const values = Array.from({ length: VALUES }, () => {
    const value = Buffer.allocUnsafeSlow(valueBytes)
    for (let at = 0; at < valueBytes; at++) value[at] = Math.floor(chance() * 256)
    return value
  })
  const first = values[0] ?? Buffer.alloc(0)
  const keys = Array.from({ length: Math.min(records, KEYS_KEPT) }, (_, record) => makeKey(record))
  return {
    records,
    valueBytes,
    keyOf: (record) => keys[record] ?? makeKey(record),
    valueOf: (record) => values[record % VALUES] ?? first,
  }
}

/** All records, in the order of their keys, a thousand at a time. */
export function* loadBatches(data: Data): Generator<{ key: string; value: Uint8Array }[]> {
  for (let from = 0; from < data.records; from += LOAD_BATCH) {
    const length = Math.min(LOAD_BATCH, data.records - from)
    yield Array.from({ length }, (_, at) => ({ key: data.keyOf(from + at), value: data.valueOf(from + at) }))
  }
}

/** The answer must be there and of the right length: a benchmark of wrong answers is worth nothing. */
export function checkValue(value: Uint8Array | null | undefined, data: Data): void {
  if (value?.byteLength !== data.valueBytes) throw new Error(`expected a record, got ${value?.byteLength} bytes`)
}

/** The same bytes, not a copy. */
export function asBuffer(value: Uint8Array): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

function makeKey(record: number): string {
  return `record:${String(record).padStart(9, '0')}`
}
