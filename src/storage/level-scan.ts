/**
 * One page of a store's keys, in order, of some partitions only.
 *
 * A page ends at its limit, its bytes, or after ENTRIES_LOOKED_AT_MAX entries, whichever comes first: one that finds
 * nothing of its partitions must not hold the node for the whole range. Then `next` says where to go on.
 *
 * Keys lie in user order, so that a transfer, or a scan that asks each owner for its share, looks at many entries for each that
 * it wants, and what LevelDB's binding makes of an entry that nobody wants (two buffers) is most of its cost. Where few are wanted,
 * only keys are iterated over, as strings, and what is wanted is read by itself: two thirds of the time with values of 100 bytes
 * (`bench/micro/store-micro.ts`), half of it with a kilobyte. Strings are decoded from UTF-8, which keeps only ASCII as it is: a
 * page with other keys is read in pairs.
 *
 * Called by the level store.
 */

import type { Key, LeafId, PartitionId } from '../protocol/ids.js'
import { KeyHash } from '../protocol/key-hash.js'
import { fanOf, leafIdOf } from '../protocol/repair/merkle-tree.js'
import { partitionOf } from '../protocol/ring/slot.js'
import type { StoredRecord, StorePage, StoreScan } from '../protocol/store-contract.js'
import { tombstoneOf } from '../protocol/versions/record.js'
import { throughIteratorGate } from './iterator-gate.js'
import { type ByteBounds, dataBounds, dataKey, keyOfData } from './keyspace.js'
import type { Level } from './open-level.js'
import { decodeRecord } from './record-codec.js'

/** Entries that one page looks at. */
const ENTRIES_LOOKED_AT_MAX = 4096

const CHUNK_MIN = 32
const CHUNK_MAX = 1024
/** Keys alone: making strings of them holds the thread for less than a millisecond. */
const KEYS_AT_A_TIME = 256
/** Of keys and values that one chunk may bring, roughly. */
const CHUNK_BYTES = 256 * 1024
/** Few are wanted: less than one in so many, of at least so many that were looked at. */
const LOOKED_AT_FOR_ONE = 4
const LOOKED_AT_MIN = 128

/** A pass over a whole store must not push out what is read often. */
const WITHOUT_CACHE = { fillCache: false }

/** Why a part of a page ended: the range did, the page is full, or the rest is to be looked at in the other way. */
type Ending = 'end' | 'full' | 'few' | 'not-ascii'

/** Errors: those of abstract-level. */
export async function scanLevel(level: Level, scan: StoreScan, partitions: number): Promise<StorePage> {
  const page = new PageBuilder(scan, partitions)
  const bounds = dataBounds(scan.range)
  let mayReadKeys = !bounds.reverse && isAscii(bounds.lt ?? bounds.lte)
  for (;;) {
    let ending = await lookAtPairs(level, boundsAfter(bounds, page.last), page, mayReadKeys)
    if (ending === 'few') ending = await lookAtKeys(level, boundsAfter(bounds, page.last), page)
    if (ending === 'end') return page.page(undefined)
    if (ending === 'full') return page.page(page.last)
    mayReadKeys = false
  }
}

function boundsAfter({ gt, gte, ...to }: ByteBounds, last: Key | undefined): ByteBounds {
  if (last === undefined) return { ...to, ...(gt === undefined ? {} : { gt }), ...(gte === undefined ? {} : { gte }) }
  return { ...to, gt: dataKey(last) }
}

async function lookAtPairs(level: Level, bounds: ByteBounds, page: PageBuilder, mayReadKeys: boolean): Promise<Ending> {
  const iterator = throughIteratorGate(() => level.iterator({ ...bounds, highWaterMarkBytes: CHUNK_BYTES }))
  try {
    for (;;) {
      const entries = await iterator.nextv(page.chunk)
      if (entries.length === 0) return 'end'
      for (const [stored, bytes] of entries) {
        if (page.isFull) return 'full'
        const key = keyOfData(stored)
        if (page.isOf(key)) page.add(key, bytes)
      }
      if (mayReadKeys && page.hasFew && isAscii(entries.at(-1)?.[0])) return 'few'
    }
  } finally {
    await iterator.close()
  }
}

async function lookAtKeys(level: Level, bounds: ByteBounds, page: PageBuilder): Promise<Ending> {
  const options = { ...(bounds as object), keyEncoding: 'utf8' as const, highWaterMarkBytes: CHUNK_BYTES }
  const iterator = throughIteratorGate(() => level.keys<string>(options))
  try {
    for (;;) {
      const stored = await iterator.nextv(KEYS_AT_A_TIME)
      if (stored.length === 0) return 'end'
      for (const text of stored) {
        if (NOT_ASCII.test(text)) return 'not-ascii'
        if (page.isFull) return 'full'
        const key = text.slice(1)
        if (!page.isOf(key)) continue
        const bytes: Buffer | undefined = level.getSync(dataKey(key), WITHOUT_CACHE)
        // Undefined: dropped meanwhile.
        if (bytes !== undefined) page.add(key, bytes)
      }
    }
  } finally {
    await iterator.close()
  }
}

const NOT_ASCII = /[\u0080-\uffff]/

function isAscii(bytes: Buffer | undefined): boolean {
  return bytes === undefined || bytes.every((byte) => byte < 128)
}

/** Gathers a page from entries in order; the memory store uses it too. */
export class PageBuilder {
  readonly #scan: StoreScan
  readonly #partitions: number
  readonly #wanted: ReadonlySet<PartitionId>
  readonly #leaves: ReadonlySet<LeafId> | undefined
  readonly #fan: number
  readonly #hash = new KeyHash()
  readonly #keys: Key[] = []
  readonly #records: StoredRecord[] = []
  #bytes = 0
  #looked = 0
  #matched = 0
  /** The last key looked at. */
  last: Key | undefined

  constructor(scan: StoreScan, partitions: number) {
    this.#scan = scan
    this.#partitions = partitions
    this.#wanted = new Set(scan.partitions)
    this.#leaves = scan.leaves === undefined ? undefined : new Set(scan.leaves)
    this.#fan = fanOf(partitions)
  }

  /** Always room for one: a record larger than `bytesMax` must be seen some day. */
  get isFull(): boolean {
    const { limit, bytesMax } = this.#scan
    const isFilled = this.#keys.length > 0 && (this.#keys.length >= limit || this.#bytes >= bytesMax)
    return isFilled || this.#looked >= ENTRIES_LOOKED_AT_MAX
  }

  /** Entries to be asked for at a time: each time costs two changes of threads. */
  get chunk(): number {
    const { limit, entriesExpected = limit } = this.#scan
    return Math.min(CHUNK_MAX, Math.max(CHUNK_MIN, entriesExpected + 1 - this.#looked))
  }

  /** Of those that were looked at. */
  get hasFew(): boolean {
    return this.#looked >= LOOKED_AT_MIN && this.#matched * LOOKED_AT_FOR_ONE < this.#looked
  }

  /** Is the next key one that is looked for? */
  isOf(key: Key): boolean {
    this.#looked++
    this.last = key
    const partition = partitionOf(key, this.#partitions)
    if (!this.#wanted.has(partition)) return false
    if (this.#leaves !== undefined && !this.#leaves.has(leafIdOf(partition, this.#hash.of(key), this.#fan)))
      return false
    this.#matched++
    return true
  }

  /** The record of a key that is. */
  add(key: Key, bytes: Uint8Array): void {
    const record = decodeRecord(key, bytes)
    if (!this.#isWanted(record)) return
    this.#keys.push(key)
    this.#records.push(record)
    this.#bytes += key.length + bytes.length
  }

  #isWanted(record: StoredRecord): boolean {
    const before = this.#scan.tombstonesBefore
    if (before === undefined) return true
    const tombstone = typeof record === 'object' ? tombstoneOf(record) : undefined
    return tombstone !== undefined && tombstone < before
  }

  page(next: Key | undefined): StorePage {
    const found = { keys: this.#keys, records: this.#records }
    return next === undefined ? found : { ...found, next }
  }
}
