/**
 * What a node's store must be able to do. Two implementations, one contract suite (`test/contract`): LevelDB through
 * classic-level, and memory for the simulator and tests.
 *
 * Only the node's own thread uses its store. Reads are synchronous (a cached LevelDB read costs 3 µs, an awaited one
 * 30); writes are grouped: while one batch is being written, all that arrive gather in the next.
 */

import type { Key } from '../protocol/ids.js'
import type { Hint, StoredRecord, StorePage, StoreScan, StoreWrite } from '../protocol/store-contract.js'

/** What was found when the store was opened. */
export interface StoreIdentity {
  /** Random, 16 hex digits, new for each created store; half of the actor id. */
  readonly storeId: string
  /** Batches accepted since creation. */
  readonly sequence: number
  /** Keys with a live value. */
  readonly liveKeys: number
  /** Named texts: the partition table, … */
  readonly meta: Readonly<Record<string, string>>
  readonly hints: readonly Hint[]
}

export interface Store {
  readonly identity: StoreIdentity
  /** Keys with a live value, now. */
  readonly liveKeys: number
  /** Batches accepted, now. */
  readonly sequence: number
  /** One answer per key, in order. Shows accepted writes only. */
  read(keys: readonly Key[]): StoredRecord[]
  /** Resolves once accepted at the store's durability, in the order of the calls; rejects if refused, then nothing was kept. */
  write(write: StoreWrite): Promise<void>
  scan(scan: StoreScan): Promise<StorePage>
  /** Waits for what was taken, then closes. Idempotent. */
  close(): Promise<void>
}
