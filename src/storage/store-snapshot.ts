/**
 * A store's data and hints as they were at one moment, read page by page while the store goes on.
 *
 * LevelDB keeps what a snapshot shows until it is closed, also what was overwritten since: it costs room, not time. Closing the
 * store closes its snapshots too.
 *
 * Called by the node's thread for backups.
 */

import type { StoredEntry } from './backup-chunk.js'
import { throughIteratorGate } from './iterator-gate.js'
import { BACKUP_BOUNDS } from './keyspace.js'
import type { Level, LevelIterator, LevelSnapshot } from './open-level.js'

/** Entries of one page at most. */
const PAGE_ENTRIES = 1_024

export class StoreSnapshot {
  readonly #level: Level
  readonly #snapshot: LevelSnapshot
  #iterator: LevelIterator | undefined

  /** Taken when this returns. */
  constructor(level: Level) {
    this.#level = level
    this.#snapshot = throughIteratorGate(() => level.snapshot())
  }

  /** The next entries, in the order of their stored keys, of roughly so many bytes; none at the end. Errors: those of abstract-level. */
  nextPage(bytesMax: number): Promise<StoredEntry[]> {
    const options = { ...BACKUP_BOUNDS, snapshot: this.#snapshot, highWaterMarkBytes: bytesMax }
    this.#iterator ??= throughIteratorGate(() => this.#level.iterator(options))
    return this.#iterator.nextv(PAGE_ENTRIES)
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.#iterator?.close()
    await this.#snapshot.close()
  }
}
