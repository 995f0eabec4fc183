/**
 * What the protocol asks of a node's store, as data: these travel in effects and events. `storage/store.ts` is the
 * interface that real stores implement on top of it.
 */

import type { Key, LeafId, NodeId, PartitionId } from './ids.js'
import type { KeyRange } from './messages.js'
import type { VersionRecord } from './versions/record.js'
import type { Stamp } from './versions/stamp.js'

/** A record, nothing, or `'damaged'`: there is something whose checksum is wrong. */
export type StoredRecord = VersionRecord | undefined | 'damaged'

/** The part of a node's store that the core reads by itself, synchronously. Shows accepted writes only. */
export interface StoreReader {
  /** One answer per key, in order. */
  read(keys: readonly Key[]): readonly StoredRecord[]
}

/** One kept hint: `target` missed this record. */
export interface Hint {
  /** Number within the keeper's store; only grows. */
  readonly id: number
  readonly target: NodeId
  readonly partition: PartitionId
  readonly key: Key
  readonly record: VersionRecord
}

/** One atomic write. All of it is accepted, or nothing. Writes are accepted in the order in which they were given; once one is refused, so are all after it. */
export interface StoreWrite {
  /** Parallel columns: what to keep under each key. */
  readonly keys: readonly Key[]
  readonly records: readonly VersionRecord[]
  /** Keys whose records go for good: tombstones that everyone holds, keys of a partition that has moved away. */
  readonly keysDropped?: readonly Key[]
  /** By how much the number of keys with a live value changes. */
  readonly liveKeysDelta: number
  readonly hintsKept?: readonly Hint[]
  readonly hintsDropped?: readonly Hint[]
  /** Small named texts beside the data: the partition table, … */
  readonly meta?: Readonly<Record<string, string>>
  /** True: fsync whatever the durability says. */
  readonly sync?: boolean
}

/**
 * What became of a failed write. `nothing`: it never reached the files. `unknown`: it was in the batch that failed, and
 * may be found there after the store has been opened again (its log record may be whole though its fsync failed).
 */
export type WriteKept = 'nothing' | 'unknown'

/** A page of keys in order, only of the given partitions. */
export interface StoreScan {
  readonly range: KeyRange
  readonly limit: number
  readonly bytesMax: number
  /** Which partitions; the partition count is the store's configuration. */
  readonly partitions: readonly PartitionId[]
  /** Entries that will have to be looked at for `limit` of them, more or less. Undefined: so many. */
  readonly entriesExpected?: number
  /** Only keys of these leaves of their partitions' Merkle trees (`leafId`). Undefined: of all. */
  readonly leaves?: readonly LeafId[]
  /** Only tombstones with a lower stamp. Undefined: all records. */
  readonly tombstonesBefore?: Stamp
}

/** A scan's answer. `next`: the last key looked at if there may be more (also of other partitions), else undefined. */
export interface StorePage {
  readonly keys: readonly Key[]
  readonly records: readonly StoredRecord[]
  readonly next?: Key
}
