/**
 * A store in memory, for the simulator and for tests: the same interface and the same bytes as on LevelDB, so that nothing
 * that works here by sharing an object fails there.
 *
 * A `MemoryDisk` is what lies on the disk: it outlives its store, can be opened again, copied (a power cut, an older
 * backup) or thrown away. Everything is synchronous underneath (`accept`, `page`), so that a simulator decides when a
 * write is done; `write` and `scan` wrap that in promises for the contract.
 *
 * Called by `src/sim` and tests. It never gives out a reference to what it keeps.
 */

import type { Key } from '../protocol/ids.js'
import type { Hint, StoredRecord, StorePage, StoreScan, StoreWrite } from '../protocol/store-contract.js'
import { decodeHint, encodeHint } from './entry-codec.js'
import { PageBuilder } from './level-scan.js'
import { decodeRecord, encodeRecord } from './record-codec.js'
import type { Store, StoreIdentity } from './store.js'
import { StoreError } from './store-error.js'

/** What a memory store leaves behind. Durable for the simulator. */
export interface MemoryDisk {
  storeId: string
  sequence: number
  liveKeys: number
  readonly records: Map<Key, Uint8Array>
  readonly hints: Map<number, Uint8Array>
  readonly meta: Map<string, string>
}

/** An empty disk. Shape of `storeId`: 16 hex digits, chosen by the caller so that a simulation can be repeated. */
export function createMemoryDisk(storeId: string): MemoryDisk {
  return { storeId, sequence: 0, liveKeys: 0, records: new Map(), hints: new Map(), meta: new Map() }
}

/** The disk as it is now. */
export function copyMemoryDisk(disk: MemoryDisk): MemoryDisk {
  // What is kept under a key is replaced, never changed: the bytes may be shared.
  return { ...disk, records: new Map(disk.records), hints: new Map(disk.hints), meta: new Map(disk.meta) }
}

/** See `Store`. */
export class MemoryStore implements Store {
  readonly identity: StoreIdentity
  readonly #disk: MemoryDisk
  readonly #partitions: number
  /** All keys in order; made when a scan needs it, dropped when a key comes or goes. */
  #sorted: readonly Key[] | undefined
  #isClosed = false

  constructor({ disk, partitions }: { disk: MemoryDisk; partitions: number }) {
    this.#disk = disk
    this.#partitions = partitions
    const { storeId, sequence, liveKeys } = disk
    const ids = [...disk.hints.keys()].sort((a, b) => a - b)
    const hints = ids.map((id) => decodeHint(id, Buffer.from(disk.hints.get(id) ?? [])))
    this.identity = {
      storeId,
      sequence,
      liveKeys,
      meta: Object.fromEntries(disk.meta),
      hints: hints.filter((hint): hint is Hint => hint !== 'damaged'),
    }
  }

  get liveKeys(): number {
    return this.#disk.liveKeys
  }

  get sequence(): number {
    return this.#disk.sequence
  }

  read(keys: readonly Key[]): StoredRecord[] {
    this.#assertOpen()
    return keys.map((key) => {
      const bytes = this.#disk.records.get(key)
      return bytes === undefined ? undefined : decodeRecord(key, Buffer.from(bytes))
    })
  }

  /** Accepts a write now. Errors: StoreError STORE_CLOSED. */
  accept(write: StoreWrite): void {
    this.#assertOpen()
    const { records, hints, meta } = this.#disk
    const encoded = write.keys.map((key, index) => {
      const record = write.records[index]
      if (record === undefined) throw new RangeError('a write has a record for each key')
      return encodeRecord(key, record)
    })
    write.keys.forEach((key, index) => {
      if (!records.has(key)) this.#sorted = undefined
      records.set(key, encoded[index] as Uint8Array)
    })
    for (const key of write.keysDropped ?? []) if (records.delete(key)) this.#sorted = undefined
    for (const hint of write.hintsKept ?? []) hints.set(hint.id, encodeHint(hint))
    for (const hint of write.hintsDropped ?? []) hints.delete(hint.id)
    for (const [name, text] of Object.entries(write.meta ?? {})) meta.set(name, text)
    this.#disk.liveKeys += write.liveKeysDelta
    this.#disk.sequence++
  }

  /** A page now. Errors: StoreError STORE_CLOSED. */
  page(scan: StoreScan): StorePage {
    this.#assertOpen()
    const page = new PageBuilder(scan, this.#partitions)
    for (const key of this.#keysOf(scan)) {
      if (page.isFull) return page.page(page.last)
      if (page.isOf(key)) page.add(key, Buffer.from(this.#disk.records.get(key) ?? []))
    }
    return page.page(undefined)
  }

  async write(write: StoreWrite): Promise<void> {
    this.accept(write)
  }

  async scan(scan: StoreScan): Promise<StorePage> {
    return this.page(scan)
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  *#keysOf({ range }: StoreScan): Generator<Key> {
    this.#sorted ??= [...this.#disk.records.keys()].sort((a, b) => (a < b ? -1 : 1))
    const { from, to } = range
    const first = from === undefined ? 0 : firstIndex(this.#sorted, from, range.fromExclusive === true)
    const end = to === undefined ? this.#sorted.length : firstIndex(this.#sorted, to, range.toExclusive !== true)
    const keys = this.#sorted
    if (range.reverse) for (let index = end - 1; index >= first; index--) yield keys[index] as Key
    else for (let index = first; index < end; index++) yield keys[index] as Key
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new StoreError('STORE_CLOSED', 'the store is closed or closing')
  }
}

/** Where the keys at or above `bound` begin, or those above it. */
function firstIndex(keys: readonly Key[], bound: Key, above: boolean): number {
  let low = 0
  let high = keys.length
  while (low < high) {
    const middle = (low + high) >>> 1
    const key = keys[middle] as Key
    if (key < bound || (above && key === bound)) low = middle + 1
    else high = middle
  }
  return low
}
