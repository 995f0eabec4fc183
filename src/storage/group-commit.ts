/**
 * Writes of a store, grouped: while one batch is being written, all that arrive gather in the next. Decides what goes into
 * which batch, in which order it is acknowledged, and when a store has failed.
 *
 * 1. A write is encoded on arrival, while LevelDB is busy in its own thread: the caller may then change what it gave.
 * 2. Each batch carries the store's identity with its own sequence number.
 * 3. Accepted by LevelDB, the batch's sequence goes to the witness; under `'disk'` that is synced too, while LevelDB
 *    already writes the next batch.
 * 4. Only then is it acknowledged, in the order of the calls.
 *
 * A failed batch is final, a full disk's too: a handle that failed once may go on behind a half-written log record, and everything after that
 * is lost when the store is opened again. Reads go on; opening the store again is the way back.
 *
 * It must never acknowledge before the witness, nor write the witness before LevelDB. Called by the level store.
 */

import type { Key } from '../protocol/ids.js'
import type { StoreWrite } from '../protocol/store-contract.js'
import type { Durability } from '../shared/options.js'
import { isDiskFull, newDiskFullError } from './disk-room.js'
import { encodeHint, encodeIdentity, encodeMeta, type StoredIdentity } from './entry-codec.js'
import { dataKey, hintKey, IDENTITY_KEY, metaKey } from './keyspace.js'
import type { Level } from './open-level.js'
import type { RecordCache } from './record-cache.js'
import { encodeRecord } from './record-codec.js'
import { StoreError } from './store-error.js'
import type { WitnessFile } from './witness.js'
import type { NodeMarks } from './write-marks.js'

/** A batch that has grown past this takes no more writes; the next ones wait for the one after it. */
const BATCH_BYTES_MAX = 4 * 1024 * 1024

interface Group {
  readonly batch: ReturnType<Level['batch']>
  readonly waiters: Waiter[]
  /** The records in it as they are stored: parallel columns, for the cache. */
  readonly keys: Key[]
  readonly records: Buffer[]
  readonly keysDropped: Key[]
  bytes: number
  liveKeysDelta: number
  sync: boolean
}

interface Waiter {
  resolve(): void
  reject(error: StoreError): void
}

export class GroupCommit {
  readonly #level: Level
  readonly #durability: Durability
  readonly #witness: WitnessFile
  readonly #cache: RecordCache
  readonly #isFilled: () => boolean
  readonly #marks: NodeMarks | undefined
  #identity: StoredIdentity
  /** Not yet given to LevelDB, oldest first; only the last one still gathers. */
  readonly #queue: Group[] = []
  /** Accepted by LevelDB, waiting for the witness to be synced. */
  #unwitnessed: Group[] = []
  #writing: Promise<void> | undefined
  #syncing: Promise<void> | undefined
  #failure: StoreError | undefined

  constructor(options: {
    level: Level
    identity: StoredIdentity
    witness: WitnessFile
    durability: Durability
    cache: RecordCache
    /** True: LevelDB is to say that the disk is full. For faults. */
    isFilled: () => boolean
    /** Undefined: nobody keeps what was read here. */
    marks?: NodeMarks | undefined
  }) {
    this.#level = options.level
    this.#identity = options.identity
    this.#witness = options.witness
    this.#durability = options.durability
    this.#cache = options.cache
    this.#isFilled = options.isFilled
    this.#marks = options.marks
  }

  /** As of the last batch that LevelDB accepted. */
  get identity(): StoredIdentity {
    return this.#identity
  }

  /** Why every write is refused; undefined while the store is well. */
  get failure(): StoreError | undefined {
    return this.#failure
  }

  /** See `Store.write`. Errors: StoreError STORE_FAILED, STORE_FULL. */
  add(write: StoreWrite): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(refusedAfter(this.#failure))
    const records = recordsOf(write)
    const entries = entriesOf(write)
    const group = this.#gathering()
    // Nothing below throws: half a write in a batch would be accepted with it.
    for (let index = 0; index < records.length; index++) {
      const key = write.keys[index] as Key
      const record = records[index] as Buffer
      this.#marks?.begin(key)
      group.batch.put(dataKey(key), record)
      group.keys.push(key)
      group.records.push(record)
      group.bytes += key.length + record.length
    }
    for (const { key, value } of entries) {
      if (value === undefined) group.batch.del(key)
      else group.batch.put(key, value)
      group.bytes += key.length + (value?.length ?? 0)
    }
    for (const key of write.keysDropped ?? []) group.keysDropped.push(key)
    group.liveKeysDelta += write.liveKeysDelta
    group.sync ||= write.sync === true
    // A microtask later, so that all writes of one turn share the first batch.
    if (this.#writing === undefined) this.#writing = Promise.resolve().then(() => this.#writeAll())
    return new Promise((resolve, reject) => group.waiters.push({ resolve, reject }))
  }

  /** Resolves once everything taken so far is acknowledged or refused. Never rejects. */
  async drain(): Promise<void> {
    while (this.#writing !== undefined || this.#syncing !== undefined) {
      await this.#writing
      await this.#syncing
    }
  }

  #gathering(): Group {
    const last = this.#queue.at(-1)
    if (last !== undefined && last.bytes < BATCH_BYTES_MAX) return last
    const group = {
      batch: this.#level.batch(),
      waiters: [],
      keys: [],
      records: [],
      keysDropped: [],
      bytes: 0,
      liveKeysDelta: 0,
      sync: this.#durability === 'disk',
    }
    this.#queue.push(group)
    return group
  }

  async #writeAll(): Promise<void> {
    for (let group = this.#queue.shift(); group !== undefined; group = this.#queue.shift()) {
      const identity = {
        ...this.#identity,
        sequence: this.#identity.sequence + 1,
        liveKeys: this.#identity.liveKeys + group.liveKeysDelta,
      }
      try {
        group.batch.put(IDENTITY_KEY, encodeIdentity(identity))
        if (this.#isFilled()) throw newDiskFullError()
        await group.batch.write({ sync: group.sync })
        this.#identity = identity
        this.#refreshCache(group)
        if (this.#marks !== undefined) for (const key of group.keys) this.#marks.end(key)
        this.#witness.write({ sequence: identity.sequence, durability: this.#durability, closed: false })
      } catch (error) {
        await this.#fail(error, [group])
        break
      }
      // The witness of an earlier batch failed meanwhile: an fsync that works after one that failed proves nothing.
      if (this.#failure === undefined) this.#acknowledge(group)
      else await this.#fail(this.#failure, [group])
    }
    this.#writing = undefined
  }

  /** Not before LevelDB has accepted it: a read in between brings in what was there before, and is replaced here. */
  #refreshCache({ keys, records, keysDropped }: Group): void {
    for (let index = 0; index < keys.length; index++) {
      this.#cache.replace(keys[index] as Key, records[index] as Buffer)
    }
    for (const key of keysDropped) this.#cache.drop(key)
  }

  /** In order: a batch that needs no sync still waits for an earlier one that does. */
  #acknowledge(group: Group): void {
    if (!group.sync && this.#syncing === undefined) {
      for (const waiter of group.waiters) waiter.resolve()
      return
    }
    this.#unwitnessed.push(group)
    if (this.#syncing === undefined) this.#syncing = this.#syncAll()
  }

  async #syncAll(): Promise<void> {
    while (this.#unwitnessed.length > 0) {
      const groups = this.#unwitnessed
      this.#unwitnessed = []
      try {
        await this.#witness.sync()
      } catch (error) {
        await this.#fail(error, [...groups, ...this.#unwitnessed.splice(0)])
        break
      }
      for (const group of groups) for (const waiter of group.waiters) waiter.resolve()
    }
    this.#syncing = undefined
  }

  /** `broken` may or may not be kept; what is still queued is not. */
  async #fail(cause: unknown, broken: readonly Group[]): Promise<void> {
    const code = isDiskFull(cause) ? 'STORE_FULL' : 'STORE_FAILED'
    this.#failure ??= new StoreError(code, 'a batch was not accepted', { cause, kept: 'unknown' })
    const refused = refusedAfter(this.#failure)
    const queued = this.#queue.splice(0)
    for (const group of broken) {
      // What LevelDB kept of it, only LevelDB can tell.
      for (const key of [...group.keys, ...group.keysDropped]) this.#cache.drop(key)
      for (const waiter of group.waiters) waiter.reject(this.#failure)
    }
    for (const group of queued) {
      // LevelDB has never seen them.
      if (this.#marks !== undefined) for (const key of group.keys) this.#marks.end(key)
      for (const waiter of group.waiters) waiter.reject(refused)
    }
    await Promise.all(queued.map((group) => group.batch.close()))
  }
}

function refusedAfter(failure: StoreError): StoreError {
  return new StoreError(failure.code, 'the store refuses writes since one failed', { cause: failure.cause })
}

interface Entry {
  readonly key: Buffer
  /** Undefined: the entry goes. */
  readonly value: Buffer | undefined
}

function recordsOf({ keys, records }: StoreWrite): Buffer[] {
  const encoded = new Array<Buffer>(keys.length)
  for (let index = 0; index < keys.length; index++) {
    const record = records[index]
    if (record === undefined) throw new RangeError('a write has a record for each key')
    encoded[index] = encodeRecord(keys[index] as Key, record)
  }
  return encoded
}

/** Everything of a write but its records. */
function entriesOf(write: StoreWrite): readonly Entry[] {
  const { keysDropped, hintsKept, hintsDropped, meta } = write
  if (keysDropped === undefined && hintsKept === undefined && hintsDropped === undefined && meta === undefined)
    return []
  const entries: Entry[] = []
  for (const key of keysDropped ?? []) entries.push({ key: dataKey(key), value: undefined })
  for (const hint of hintsKept ?? []) entries.push({ key: hintKey(hint.id), value: encodeHint(hint) })
  for (const hint of hintsDropped ?? []) entries.push({ key: hintKey(hint.id), value: undefined })
  for (const [name, text] of Object.entries(meta ?? {})) {
    entries.push({ key: metaKey(name), value: encodeMeta(name, text) })
  }
  return entries
}
