/**
 * Fills the stores of a new cluster from the databases of a backup, merged key by key, tombstones included.
 *
 * What a database holds of a partition counts only where its node was a full owner in the cut: anything else may be a copy that
 * was left behind and has missed deletes. Hints count from everywhere: for a sloppy write one may be all there is.
 *
 * It must never go on over damage: a record that is taken for absent is a lost write, or a deleted key that is back. Called in
 * a pool thread, for a location whose metadata say that it is being made.
 */

import { join } from 'node:path'
import { assert } from '../protocol/assert.js'
import type { Key, NodeId } from '../protocol/ids.js'
import { partitionOf } from '../protocol/ring/slot.js'
import { type PartitionTable, writeTargetsOf } from '../protocol/ring/table.js'
import { isLive, mergeRecords, type SiblingsRecord, type VersionRecord } from '../protocol/versions/record.js'
import { packEntries } from './backup-chunk.js'
import { ContentsSum } from './backup-database.js'
import type { BackedUpDatabase } from './backup-manifest.js'
import { decodeHint } from './entry-codec.js'
import { fileThatDiffers } from './file-sums.js'
import { idOfHint, isHint, keyOfData } from './keyspace.js'
import type { LevelStore } from './level-store.js'
import { type MergedKey, StoreMerge } from './merge-stores.js'
import { openNodeStore } from './open-node-store.js'
import { decodeRecord } from './record-codec.js'
import { StoreView } from './store-view.js'

/** A store is written to in batches of so much. */
const FLUSH_BYTES = 524_288
/** What a record takes beside its value, more or less. */
const RECORD_BYTES = 40

export interface RestorePlan {
  /** Of the backup. */
  readonly dir: string
  readonly databases: readonly BackedUpDatabase[]
  readonly cutTable: PartitionTable
  /** Of the new cluster. */
  readonly location: string
  readonly table: PartitionTable
  readonly nodes: readonly NodeId[]
  readonly writeBufferBytes: number
}

export interface RestoredStore {
  readonly node: NodeId
  readonly storeId: string
  readonly sequence: number
}

export interface RestoreReport {
  readonly stores: readonly RestoredStore[]
  readonly records: number
  readonly hints: number
  /** What is wrong with which database; then nothing was made that may be used. */
  readonly problem?: { readonly node: NodeId; readonly detail: string }
}

/** How far it is. Every byte is read twice: for the sums, and for the records. */
export interface RestoreProgress {
  bytes: number
  records: number
}

/** A database is not what was written. */
class Damaged extends Error {
  constructor(
    readonly node: NodeId,
    readonly detail: string,
  ) {
    super(`${node}: ${detail}`)
  }
}

/** Errors: those of fs and LevelDB. Damage is a report. */
export async function restoreStores(plan: RestorePlan, progress: RestoreProgress): Promise<RestoreReport> {
  try {
    return await new Restoration(plan, progress).run()
  } catch (error) {
    if (!(error instanceof Damaged)) throw error
    return { stores: [], records: 0, hints: 0, problem: { node: error.node, detail: error.detail } }
  }
}

class Restoration {
  readonly #plan: RestorePlan
  readonly #progress: RestoreProgress
  readonly #partitions: number
  readonly #targets = new Map<NodeId, Target>()
  #records = 0
  #hints = 0

  constructor(plan: RestorePlan, progress: RestoreProgress) {
    this.#plan = plan
    this.#progress = progress
    this.#partitions = plan.table.rows.length
  }

  async run(): Promise<RestoreReport> {
    const { databases, dir, nodes } = this.#plan
    for (const { node, folder, files, bytes } of databases) {
      // Before LevelDB sees any of it.
      const differs = fileThatDiffers(join(dir, folder), files)
      if (differs !== undefined) throw new Damaged(node, differs)
      this.#progress.bytes += bytes
    }
    const views: StoreView[] = []
    try {
      for (const { folder } of databases) views.push(await StoreView.open(join(dir, folder)))
      for (const node of nodes) this.#targets.set(node, await Target.open(node, this.#plan))
      await this.#merge(views)
      const stores: RestoredStore[] = []
      for (const target of this.#targets.values()) stores.push(await target.finish())
      return { stores, records: this.#records, hints: this.#hints }
    } finally {
      for (const target of this.#targets.values()) await target.close()
      for (const view of views) await view.close()
    }
  }

  async #merge(views: readonly StoreView[]): Promise<void> {
    const { databases } = this.#plan
    const sums = databases.map(() => new ContentsSum())
    const merge = new StoreMerge(views, (source, entries) => {
      sums[source]?.add(entries, packEntries(entries))
      for (const [key, value] of entries) this.#progress.bytes += key.length + value.length
    })
    for (let keys = await merge.nextKeys(); keys.length > 0; keys = await merge.nextKeys()) {
      const hinted = new Map<Key, VersionRecord>()
      for (const key of keys) this.#take(key, hinted)
      await this.#flush(hinted.size > 0 ? 0 : FLUSH_BYTES)
      await this.#takeHinted(hinted)
    }
    await this.#flush(0)
    databases.forEach(({ node, sha256, records, hints }, source) => {
      const found = sums[source]?.end()
      if (found?.sha256 !== sha256)
        throw new Damaged(
          node,
          `its ${found?.records} records and ${found?.hints} hints are not the ${records} and ${hints} that were written`,
        )
    })
  }

  #take({ found }: MergedKey, hinted: Map<Key, VersionRecord>): void {
    let merged: VersionRecord | undefined
    let last: Buffer | undefined
    let key: Key | undefined
    for (const { source, entry } of found) {
      const [stored, bytes] = entry
      const { node } = this.#plan.databases[source] as BackedUpDatabase
      if (isHint(stored)) {
        this.#takeHint(node, stored, bytes, hinted)
        continue
      }
      key = keyOfData(stored)
      const partition = partitionOf(key, this.#partitions)
      if (this.#plan.cutTable.rows[partition]?.owners.includes(node) !== true) continue
      // As a rule all copies are one.
      if (last?.equals(bytes)) continue
      last = bytes
      const record = decodeRecord(key, bytes)
      if (record === 'damaged') throw new Damaged(node, `the record of ${JSON.stringify(key)} is damaged`)
      merged = merged === undefined ? record : mergeRecords(merged, record)
    }
    if (key === undefined || merged === undefined) return
    this.#records++
    this.#progress.records++
    for (const owner of this.#ownersOf(key)) owner.put(key, merged, isLive(merged) ? 1 : 0)
  }

  /** Each store numbers its own: those of one number have nothing to do with each other. */
  #takeHint(node: NodeId, stored: Buffer, bytes: Buffer, hinted: Map<Key, VersionRecord>): void {
    const hint = decodeHint(idOfHint(stored), bytes)
    if (hint === 'damaged') throw new Damaged(node, `hint ${idOfHint(stored)} is damaged`)
    const before = hinted.get(hint.key)
    hinted.set(hint.key, before === undefined ? hint.record : mergeRecords(before, hint.record))
    this.#hints++
  }

  /** Hints lie behind all data, so what they are merged with is there. */
  async #takeHinted(hinted: ReadonlyMap<Key, VersionRecord>): Promise<void> {
    for (const [key, record] of hinted) {
      for (const owner of this.#ownersOf(key)) {
        const before = owner.read(key)
        const merged = before === undefined ? record : mergeRecords(before, record)
        owner.put(key, merged, Number(isLive(merged)) - Number(isLive(before)))
      }
    }
    if (hinted.size > 0) await this.#flush(0)
  }

  async #flush(bytesAtLeast: number): Promise<void> {
    const due = [...this.#targets.values()].filter(({ bytes }) => bytes > bytesAtLeast)
    await Promise.all(due.map((target) => target.flush()))
  }

  #ownersOf(key: Key): Target[] {
    const row = this.#plan.table.rows[partitionOf(key, this.#partitions)]
    // Standbys hold everything.
    return (row === undefined ? [] : writeTargetsOf(row)).map((node) => this.#targets.get(node) as Target)
  }
}

function bytesOf({ set }: SiblingsRecord): number {
  const values = set.flatMap(({ siblings }) => siblings.map(({ value }) => RECORD_BYTES + (value?.length ?? 0)))
  return values.reduce((sum, bytes) => sum + bytes, 0)
}

/** A store that is filled. */
class Target {
  readonly #node: NodeId
  readonly #store: LevelStore
  readonly #storeId: string
  #keys: Key[] = []
  #records: VersionRecord[] = []
  #liveKeysDelta = 0
  /** Of what waits to be written, more or less. */
  bytes = 0

  private constructor(node: NodeId, store: LevelStore, storeId: string) {
    this.#node = node
    this.#store = store
    this.#storeId = storeId
  }

  static async open(node: NodeId, { location, table, writeBufferBytes }: RestorePlan): Promise<Target> {
    const { store, report } = await openNodeStore({
      location,
      node,
      partitions: table.rows.length,
      // Closing syncs everything; until then the location is not a cluster.
      durability: 'process',
      recordCacheBytes: 0,
      cacheBytes: 1_048_576,
      openFilesMax: 100,
      writeBufferBytes,
      lockWaitMs: 0,
      files: 'absent',
      expected: 'fresh',
    })
    return new Target(node, store, report.storeId)
  }

  put(key: Key, record: VersionRecord, liveKeysDelta: number): void {
    this.#keys.push(key)
    this.#records.push(record)
    this.#liveKeysDelta += liveKeysDelta
    this.bytes += key.length + RECORD_BYTES + (record.kind === 'lww' ? (record.value?.length ?? 0) : bytesOf(record))
  }

  read(key: Key): VersionRecord | undefined {
    const [record] = this.#store.read([key])
    assert(record !== 'damaged', 'what was just written can be read', { key })
    return record
  }

  async flush(): Promise<void> {
    const write = { keys: this.#keys, records: this.#records, liveKeysDelta: this.#liveKeysDelta }
    this.#keys = []
    this.#records = []
    this.#liveKeysDelta = 0
    this.bytes = 0
    await this.#store.write(write)
  }

  async finish(): Promise<RestoredStore> {
    await this.#store.close()
    return { node: this.#node, storeId: this.#storeId, sequence: this.#store.sequence }
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}
