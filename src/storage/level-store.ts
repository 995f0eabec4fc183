/**
 * A node's store on LevelDB.
 *
 * Opening decides whether the store may be believed (`open-verdict.ts`); what was found is in the report. An amnesiac store
 * is opened only to be read (a salvage may want it); `open-node-store.ts` sets it aside and starts a fresh one.
 *
 * Called by the node's own thread, and only by it. The files must have been verified (`verify-store.ts`) before: LevelDB
 * aborts the whole process over some damage.
 */

import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Key } from '../protocol/ids.js'
import type { StoredRecord, StorePage, StoreScan, StoreWrite } from '../protocol/store-contract.js'
import type { Durability } from '../shared/options.js'
import { readBootId } from './boot-id.js'
import { encodeIdentity, type StoredIdentity } from './entry-codec.js'
import { type FoundStore, readFoundStore } from './found-store.js'
import { GroupCommit } from './group-commit.js'
import { dataKey, IDENTITY_KEY } from './keyspace.js'
import { scanLevel } from './level-scan.js'
import { type Level, type LevelOptions, openLevel } from './open-level.js'
import { type Judgement, judgeOpening, needsNewStoreId, type OpeningFacts } from './open-verdict.js'
import { RecordCache } from './record-cache.js'
import { decodeRecord, decodeUnchecked } from './record-codec.js'
import { RecordSlab } from './record-slab.js'
import type { Store, StoreIdentity } from './store.js'
import { StoreError } from './store-error.js'
import { StoreSnapshot } from './store-snapshot.js'
import { syncFolder } from './sync-folder.js'
import { readWitness, type Witness, WitnessFile } from './witness.js'
import type { NodeMarks } from './write-marks.js'

/** Larger records that LevelDB gives stay where they are. */
const SLAB_RECORD_BYTES_MAX = 4_096

export interface LevelStoreOptions extends LevelOptions {
  /** LevelDB's own folder; made if absent. */
  readonly folder: string
  /** Outside `folder`, so that no older copy of the folder brings an older witness along. */
  readonly witnessFile: string
  /** The cluster's partition count. */
  readonly partitions: number
  readonly durability: Durability
  /** Of records read or written lately, beside LevelDB's block cache; 0: none. */
  readonly recordCacheBytes: number
  readonly expected: OpeningFacts['expected']
  readonly expectedStoreId?: string
  readonly expectedSequence?: number
  /** Verdict of `verifyStoreFiles`, if it ran. */
  readonly files?: OpeningFacts['files']
  /** True: the disk is to be as good as full. For faults. */
  readonly isFilled?: () => boolean
  /** For tests that restart the machine. Default: `readBootId`. */
  readonly bootId?: string
  /** The node's wall clock. Default: `Date.now`. */
  readonly wallMs?: () => number
  /** Where its writes are counted, for readers in other threads. */
  readonly marks?: NodeMarks
}

/** What opening found, as plain data. */
export interface OpenReport extends Judgement {
  readonly folder: string
  readonly storeId: string
  readonly sequence: number
  readonly witness: Witness | 'absent' | 'damaged'
  /** Nothing at all was in it. */
  readonly isEmpty: boolean
  /** Hints that cannot be read: what they stood for must come by an exchange. */
  readonly hintsDamaged: readonly number[]
  readonly metaDamaged: readonly string[]
  readonly openMs: number
}

/**
 * Opens a store, or makes one.
 *
 * Shape:  `report.verdict` `'amnesiac'`: the store can be read and scanned and refuses writes.
 * Errors: StoreError STORE_LOCKED, STORE_OPEN_FAILED; those of fs for the witness.
 */
export async function openLevelStore(options: LevelStoreOptions): Promise<{ store: LevelStore; report: OpenReport }> {
  const startedMs = performance.now()
  mkdirSync(options.folder, { recursive: true })
  const level = await openLevel(options.folder, options)
  try {
    const found = await readFoundStore(level)
    const witness = readWitness(options.witnessFile)
    const bootId = options.bootId ?? readBootId((options.wallMs ?? Date.now)())
    const judgement = judgeOpening({
      identity: found.identity,
      isEmpty: found.isEmpty,
      witness,
      files: options.files,
      expected: options.expected,
      expectedStoreId: options.expectedStoreId,
      expectedSequence: options.expectedSequence,
      bootId,
    })
    const identity = await settleIdentity(level, found, judgement, options)
    const commit = judgement.verdict === 'amnesiac' ? undefined : await beginCommits(level, identity, bootId, options)
    const store = new LevelStore(level, found, identity, commit, options)
    const { isEmpty, hintsDamaged, metaDamaged } = found
    const { storeId, sequence } = identity
    const openMs = performance.now() - startedMs
    const facts = { folder: options.folder, storeId, sequence, witness, isEmpty, hintsDamaged, metaDamaged, openMs }
    return { store, report: { ...judgement, ...facts } }
  } catch (error) {
    await level.close()
    throw error
  }
}

/** See `Store`. */
export class LevelStore implements Store {
  readonly identity: StoreIdentity
  readonly #level: Level
  readonly #slab = new RecordSlab()
  readonly #commit: Commits | undefined
  readonly #options: LevelStoreOptions
  #closing: Promise<void> | undefined
  /** Reads that LevelDB could not do and that were answered `'damaged'`; volatile. */
  readErrors = 0
  /** The newest of them. */
  lastReadError: unknown

  constructor(
    level: Level,
    found: FoundStore,
    identity: StoredIdentity,
    commit: Commits | undefined,
    options: LevelStoreOptions,
  ) {
    const { storeId, sequence, liveKeys } = identity
    this.identity = { storeId, sequence, liveKeys, meta: found.meta, hints: found.hints }
    this.#level = level
    this.#commit = commit
    this.#options = options
  }

  get liveKeys(): number {
    return this.#commit?.group.identity.liveKeys ?? this.identity.liveKeys
  }

  get sequence(): number {
    return this.#commit?.group.identity.sequence ?? this.identity.sequence
  }

  /** Why every write is refused; undefined while the store is well. */
  get failure(): StoreError | undefined {
    return this.#commit?.group.failure
  }

  /** Errors: StoreError STORE_CLOSED. What LevelDB cannot read is `'damaged'`: unknown, never absent. */
  read(keys: readonly Key[]): StoredRecord[] {
    this.#assertOpen()
    const cache = this.#commit?.cache
    const hashes = cache?.prepare(keys)
    const records = new Array<StoredRecord>(keys.length)
    for (let index = 0; index < keys.length; index++) {
      const key = keys[index] as Key
      const place = cache?.find(key, hashes?.[index]) ?? -1
      records[index] = cache === undefined || place < 0 ? this.#readFrom(key, cache) : this.#copyFrom(cache, place)
    }
    return records
  }

  #copyFrom(cache: RecordCache, place: number): StoredRecord {
    const bytes = cache.bytesAt(place)
    const at = this.#slab.take(bytes)
    cache.copyTo(this.#slab, at, place)
    return decodeUnchecked(this.#slab.bytes, at, at + bytes)
  }

  #readFrom(key: Key, cache: RecordCache | undefined): StoredRecord {
    try {
      const bytes: Buffer | undefined = this.#level.getSync(dataKey(key))
      if (bytes === undefined) return undefined
      const record = decodeRecord(key, bytes)
      if (record === 'damaged') return record
      cache?.put(key, bytes)
      if (bytes.length > SLAB_RECORD_BYTES_MAX) return record
      const at = this.#slab.take(bytes.length)
      this.#slab.bytes.set(bytes, at)
      return decodeUnchecked(this.#slab.bytes, at, at + bytes.length)
    } catch (error) {
      this.readErrors++
      this.lastReadError = error
      return 'damaged'
    }
  }

  /** Errors: StoreError STORE_FAILED, STORE_FULL (see their `kept`), STORE_CLOSED, STORE_AMNESIAC. */
  async write(write: StoreWrite): Promise<void> {
    this.#assertOpen()
    if (this.#commit === undefined) throw new StoreError('STORE_AMNESIAC', 'this store is open only to be read')
    return this.#commit.group.add(write)
  }

  /** Errors: StoreError STORE_CLOSED, STORE_READ_FAILED. */
  async scan(scan: StoreScan): Promise<StorePage> {
    this.#assertOpen()
    try {
      const page = await scanLevel(this.#level, scan, this.#options.partitions)
      this.#dropDamaged(page)
      return page
    } catch (cause) {
      throw new StoreError('STORE_READ_FAILED', 'LevelDB could not read a range', { cause })
    }
  }

  /** What rotted on the disk may be intact in memory: whoever is to heal it must see that it is damaged. */
  #dropDamaged({ keys, records }: StorePage): void {
    for (let index = 0; index < keys.length; index++) {
      if (records[index] === 'damaged') this.#commit?.cache.drop(keys[index] as Key)
    }
  }

  /** Resolves once everything given to it so far is accepted or refused. Never rejects. */
  async drained(): Promise<void> {
    await this.#commit?.group.drain()
  }

  /** Data and hints as they are now. Errors: StoreError STORE_CLOSED. */
  snapshot(): StoreSnapshot {
    this.#assertOpen()
    return new StoreSnapshot(this.#level)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#commit?.group.drain()
    await this.#level.close()
    if (this.#commit === undefined) return
    const { group, witness } = this.#commit
    if (group.failure === undefined) {
      syncLogs(this.#options.folder)
      witness.write({ sequence: group.identity.sequence, durability: this.#options.durability, closed: true })
      await witness.sync()
    }
    await witness.close()
  }

  #assertOpen(): void {
    if (this.#closing !== undefined) throw new StoreError('STORE_CLOSED', 'the store is closed or closing')
  }
}

interface Commits {
  readonly cache: RecordCache
  readonly group: GroupCommit
  readonly witness: WitnessFile
}

/** A new store gets its id, one that lost its tail another: on the disk before anything else. */
async function settleIdentity(
  level: Level,
  found: FoundStore,
  judgement: Judgement,
  options: LevelStoreOptions,
): Promise<StoredIdentity> {
  const old = typeof found.identity === 'string' ? undefined : found.identity
  const isFresh = judgement.verdict === 'fresh'
  if (!isFresh && !needsNewStoreId(judgement)) return old ?? NOBODY
  const identity = {
    storeId: randomBytes(8).toString('hex'),
    // Of several renewals that nobody recorded, the cluster still knows the first.
    previousStoreId: isFresh ? '' : (options.expectedStoreId ?? old?.storeId ?? ''),
    sequence: (old?.sequence ?? 0) + 1,
    liveKeys: old?.liveKeys ?? 0,
  }
  await level.batch([{ type: 'put', key: IDENTITY_KEY, value: encodeIdentity(identity) }], { sync: true })
  // The names too, up to the node's folder in the location.
  for (const folder of [options.folder, dirname(options.folder), dirname(dirname(options.folder))]) syncFolder(folder)
  return identity
}

/** An amnesiac store that does not even know its name. */
const NOBODY: StoredIdentity = { storeId: '', previousStoreId: '', sequence: 0, liveKeys: 0 }

async function beginCommits(
  level: Level,
  identity: StoredIdentity,
  bootId: string,
  options: LevelStoreOptions,
): Promise<Commits> {
  const { durability, isFilled = () => false } = options
  const { storeId, sequence } = identity
  const cache = new RecordCache(options.recordCacheBytes)
  const witness = await WitnessFile.open(options.witnessFile, { storeId, sequence, bootId, durability, closed: false })
  return {
    group: new GroupCommit({ level, identity, witness, durability, cache, isFilled, marks: options.marks }),
    witness,
    cache,
  }
}

/**
 * The logs reach the disk; tables and MANIFEST are there already. A last synced batch would not do: it syncs the newest log
 * only, and an older one may still wait for its table (google/leveldb#193).
 */
function syncLogs(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!name.endsWith('.log')) continue
    const fd = openSync(join(folder, name), 'r+')
    try {
      fsyncSync(fd)
    } finally {
      closeSync(fd)
    }
  }
  syncFolder(folder)
}
