/**
 * One page of a store's keys, in order, of some partitions only.
 *
 * A page ends at its limit, its bytes, or after ENTRIES_LOOKED_AT_MAX entries, whichever comes first: one that finds
 * nothing of its partitions must not hold the node for the whole range. Then `next` says where to go on.
 *
 * Called by the level store.
 */

import type { Key, LeafId, PartitionId } from '../protocol/ids.js'
import { KeyHash } from '../protocol/key-hash.js'
import { fanOf, leafIdOf } from '../protocol/repair/merkle-tree.js'
import { partitionOf } from '../protocol/ring/slot.js'
import type { StoredRecord, StorePage, StoreScan } from '../protocol/store-contract.js'
import { tombstoneOf } from '../protocol/versions/record.js'
import { dataBounds, keyOfData } from './keyspace.js'
import type { Level } from './open-level.js'
import { decodeRecord } from './record-codec.js'

/** Entries that one page looks at. */
const ENTRIES_LOOKED_AT_MAX = 4096

const CHUNK_MIN = 32
const CHUNK_MAX = 1024
/** Of keys and values that one chunk may bring, roughly. */
const CHUNK_BYTES = 256 * 1024

/** Errors: those of abstract-level. */
export async function scanLevel(level: Level, scan: StoreScan, partitions: number): Promise<StorePage> {
  const page = new PageBuilder(scan, partitions)
  const iterator = level.iterator({ ...dataBounds(scan.range), highWaterMarkBytes: CHUNK_BYTES })
  try {
    for (;;) {
      const entries = await iterator.nextv(Math.min(CHUNK_MAX, Math.max(CHUNK_MIN, scan.limit + 1)))
      if (entries.length === 0) return page.page(undefined)
      for (const [stored, bytes] of entries) {
        const key = keyOfData(stored)
        if (page.isFull) return page.page(page.last)
        page.look(key, bytes)
      }
    }
  } finally {
    await iterator.close()
  }
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

  look(key: Key, bytes: Uint8Array): void {
    this.#looked++
    this.last = key
    const partition = partitionOf(key, this.#partitions)
    if (!this.#wanted.has(partition)) return
    if (this.#leaves !== undefined && !this.#leaves.has(leafIdOf(partition, this.#hash.of(key), this.#fan))) return
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
