/**
 * The calls on keys, told to who looks on. Where nobody does, a call costs one look at a flag more; the flag is set anew in each turn of
 * the caller's loop, so that whoever begins to look on sees the next turn's first call already.
 *
 * Stands between the public door and the client of an engine, which tells of the pages of scans itself.
 */

import type {
  BatchOperation,
  BatchOptions,
  Bytes,
  GetOptions,
  KeyValueStore,
  Location,
  PutOptions,
  ReadResult,
  ScanOptions,
} from '../shared/api.js'
import type { CallWatch } from './call-watch.js'

type Calls = Omit<KeyValueStore, 'id' | 'close' | typeof Symbol.asyncDispose>

/** The client of an engine. */
export interface Client extends Calls {
  /** Calls of this turn have been gathered and wait. */
  readonly isTurnOpen: boolean
}

export class WatchedCalls implements Calls {
  readonly #client: Client
  readonly #watch: CallWatch
  #isOn = false

  constructor(client: Client, watch: CallWatch) {
    this.#client = client
    this.#watch = watch
  }

  get(key: Bytes, options?: GetOptions): Promise<Uint8Array | undefined> {
    if (!this.#isWatched()) return this.#client.get(key, options)
    return this.#watch.run('get', 1, () => this.#client.get(key, options))
  }

  read(key: Bytes, options?: GetOptions): Promise<ReadResult> {
    if (!this.#isWatched()) return this.#client.read(key, options)
    return this.#watch.run('read', 1, () => this.#client.read(key, options))
  }

  put(key: Bytes, value: Bytes, options?: PutOptions): Promise<void> {
    if (!this.#isWatched()) return this.#client.put(key, value, options)
    return this.#watch.run('put', 1, () => this.#client.put(key, value, options))
  }

  delete(key: Bytes, options?: PutOptions): Promise<void> {
    if (!this.#isWatched()) return this.#client.delete(key, options)
    return this.#watch.run('delete', 1, () => this.#client.delete(key, options))
  }

  getMany(keys: readonly Bytes[], options?: GetOptions): Promise<(Uint8Array | undefined)[]> {
    if (!this.#isWatched()) return this.#client.getMany(keys, options)
    return this.#watch.run('getMany', lengthOf(keys), () => this.#client.getMany(keys, options))
  }

  batch(operations: readonly BatchOperation[], options?: BatchOptions): Promise<void> {
    if (!this.#isWatched()) return this.#client.batch(operations, options)
    return this.#watch.run('batch', lengthOf(operations), () => this.#client.batch(operations, options))
  }

  scan(options?: ScanOptions): AsyncIterableIterator<[Uint8Array, Uint8Array]> {
    return this.#client.scan(options)
  }

  locate(key: Bytes): Location {
    return this.#client.locate(key)
  }

  #isWatched(): boolean {
    if (!this.#client.isTurnOpen) this.#isOn = this.#watch.isOn
    return this.#isOn
  }
}

/** It has not been checked yet. */
function lengthOf(list: unknown): number {
  return Array.isArray(list) ? list.length : 0
}
