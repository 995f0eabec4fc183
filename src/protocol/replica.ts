/**
 * What an owner does with replicated reads, writes and scans.
 *
 * A write is merged with what the store has and with what is on its way into the store (the overlay); it is acknowledged
 * when the store has accepted everything that it stands on. A read shows accepted versions only. A damaged record is
 * "unknown": it is not read, not overwritten by a plain write (that could bring back an older version than one this
 * replica has acknowledged), and reported so that it is healed.
 *
 * It must never acknowledge what the store has not accepted. Called by `DynamoNode`.
 */

import { Draft, type Unit, type Waiting } from './draft.js'
import type { Address, Key, PartitionId } from './ids.js'
import { KeyHash } from './key-hash.js'
import { LiveKeyFilter } from './live-key-filter.js'
import {
  type DataReply,
  PURPOSE,
  type Purpose,
  REPLY,
  type ReplicaRead,
  type ReplicaScan,
  type ReplicaWrite,
  type ReplyStatus,
} from './messages.js'
import type { MerkleForest, OnItsWay } from './repair/merkle-forest.js'
import { ReplicaScans } from './replica-scans.js'
import { partitionOf } from './ring/slot.js'
import type { StoredRecord, StorePage, StoreReader, StoreScan, StoreWrite, WriteKept } from './store-contract.js'
import { STATUS_OF, type TableKeeper } from './table-keeper.js'
import {
  isLive,
  mergeRecords,
  NOTHING,
  recordCovers,
  tombstoneOf,
  type VersionRecord,
  versionHash,
} from './versions/record.js'
import type { Stamp } from './versions/stamp.js'
import { WritesUnderWay } from './writes-under-way.js'

/** What a replica asks of its node. */
export type ReplicaOutput =
  | { readonly type: 'reply'; readonly to: Address; readonly message: DataReply }
  | { readonly type: 'write'; readonly token: number; readonly write: StoreWrite }
  | { readonly type: 'scan'; readonly token: number; readonly scan: StoreScan }
  /** Something there has a wrong checksum. */
  | { readonly type: 'damaged'; readonly key: Key }
  /** A local write has ended, its worst record with this status; `records` are what was to be written. */
  | {
      readonly type: 'local'
      readonly id: number
      readonly status: ReplyStatus
      readonly records: readonly VersionRecord[]
    }

export class Replica {
  readonly #keeper: TableKeeper
  readonly #store: StoreReader
  readonly #partitions: number
  readonly #takeToken: () => number
  readonly #writing = new WritesUnderWay()
  readonly #scans: ReplicaScans
  /** No record that this replica holds, or held in an earlier life, has a higher stamp. */
  #highestStamp: Stamp
  readonly #live = new LiveKeyFilter()
  readonly #hash = new KeyHash()
  readonly #forest: MerkleForest
  #output: ReplicaOutput[] = []

  constructor(options: {
    keeper: TableKeeper
    store: StoreReader
    partitions: number
    takeToken: () => number
    /** Told of every write. */
    forest: MerkleForest
    /** A stamp above all that the store can hold: the shared clock at boot. */
    bootStamp: Stamp
  }) {
    this.#highestStamp = options.bootStamp
    this.#keeper = options.keeper
    this.#store = options.store
    this.#partitions = options.partitions
    this.#takeToken = options.takeToken
    this.#forest = options.forest
    this.#scans = new ReplicaScans(options.keeper, options.takeToken, (output) => this.#output.push(output))
  }

  takeOutput(): readonly ReplicaOutput[] {
    const output = this.#output
    if (output.length > 0) this.#output = []
    return output
  }

  /** False: made for a newer table than ours; park it. */
  onRead(from: Address, message: ReplicaRead, nowMs: number): boolean {
    const count = message.keys.length
    // Filled by `push`: see `actors/runtime/columns.ts`.
    const statuses: ReplyStatus[] = []
    const keys: Key[] = []
    for (let index = 0; index < count; index++) {
      const key = message.keys[index] as Key
      const verdict = this.#keeper.judgeRead(partitionOf(key, this.#partitions), message.rowEpochs[index] ?? 0)
      if (verdict === 'behind') return false
      const status = (message.deadlinesMs[index] ?? 0) < nowMs ? REPLY.expired : STATUS_OF[verdict]
      statuses.push(status)
      if (status === REPLY.ok) keys.push(key)
    }
    const stored = this.#store.read(keys)
    const records = new Array<VersionRecord | undefined>(count)
    let next = 0
    for (let index = 0; index < count; index++) {
      if (statuses[index] !== REPLY.ok) continue
      const record = stored[next++]
      if (record === 'damaged') {
        statuses[index] = REPLY.unknown
        this.#output.push({ type: 'damaged', key: message.keys[index] as Key })
      } else records[index] = record
    }
    const { id: replyTo } = message
    const reply = { type: 'replica/read-reply' as const, replyTo, epoch: this.#keeper.epoch, statuses, records }
    this.#output.push({ type: 'reply', to: from, message: reply })
    return true
  }

  /** What the store has accepted of a key, whoever owns it. */
  inspect(key: Key): StoredRecord {
    return this.#store.read([key])[0]
  }

  /** The same; a damaged record is reported and not shown. */
  peek(key: Key): VersionRecord | undefined {
    const record = this.inspect(key)
    if (record !== 'damaged') return record
    this.#output.push({ type: 'damaged', key })
    return undefined
  }

  /** Nothing that is on its way replaces it. */
  isDamaged(key: Key): boolean {
    return this.#currentOf([key])[0] === 'damaged'
  }

  /** False: made for a newer table than ours; park it. */
  onWrite(from: Address, message: ReplicaWrite, nowMs: number): boolean {
    const { keys, records, counts, partitions, rowEpochs, deadlinesMs, purposes } = message
    const units = new Array<Unit>(counts.length)
    let end = 0
    for (let index = 0; index < counts.length; index++) {
      const partition = partitions[index] ?? 0
      const verdict = this.#keeper.judgeWrite(partition, rowEpochs[index] ?? 0)
      if (verdict === 'behind') return false
      const first = end
      end += counts[index] ?? 0
      const status = (deadlinesMs[index] ?? 0) < nowMs ? REPLY.expired : STATUS_OF[verdict]
      units[index] = { from: first, end, partition, purpose: purposes[index] ?? PURPOSE.write, status }
    }
    this.#write({ keys, records, units, answer: { to: from, message } })
    return true
  }

  /**
   * Records that this node itself brings: a fill, an exchange, a heal. One store write, but each record is a unit of its
   * own: one that is damaged here, or of a partition that is not ours (any more), does not keep the others out. Ends with
   * a `local` output.
   */
  writeLocally(local: number, keys: readonly Key[], records: readonly VersionRecord[], purpose: Purpose): void {
    const units = keys.map((key, index) => {
      const partition = partitionOf(key, this.#partitions)
      const status = STATUS_OF[this.#keeper.judgeOwn(partition)]
      return { from: index, end: index + 1, partition, purpose, status }
    })
    this.#write({ keys, records, units, answer: { local } })
  }

  /**
   * Read, modify, write: `update` makes each new record from the current one, accepted or on its way. Ends with a `local`
   * output. Errors: undefined from `update` refuses the whole update with `full`.
   */
  updateLocally(
    local: number,
    keys: readonly Key[],
    update: (current: VersionRecord | undefined, index: number) => VersionRecord | undefined,
  ): void {
    const current = this.#currentOf(keys)
    const records: VersionRecord[] = []
    let status: ReplyStatus = REPLY.ok
    current.forEach((record, index) => {
      const made = record === 'damaged' ? undefined : update(record, index)
      if (record === 'damaged') this.#output.push({ type: 'damaged', key: keys[index] as Key })
      if (made === undefined) status = record === 'damaged' ? REPLY.unknown : REPLY.full
      else records.push(made)
    })
    if (status !== REPLY.ok) this.#output.push({ type: 'local', id: local, status, records: [] })
    else {
      const partition = partitionOf(keys[0] as Key, this.#partitions)
      const unit = { from: 0, end: keys.length, partition, purpose: PURPOSE.write, status }
      this.#write({ keys, records, units: [unit], answer: { local } })
    }
  }

  /** Of these tombstones, those that the store holds, and nothing newer is on its way to. */
  holding(keys: readonly Key[], tombstones: readonly string[]): boolean[] {
    const stored = this.#store.read(keys)
    return keys.map((key, index) => {
      const record = stored[index]
      // Else a damaged one that nobody reads would keep everybody from forgetting it.
      if (record === 'damaged') this.#output.push({ type: 'damaged', key })
      const isOnItsWay = this.#writing.bringing(key) !== undefined
      return !isOnItsWay && typeof record === 'object' && tombstoneOf(record) === tombstones[index]
    })
  }

  /** Forgets those of these tombstones that are all there is of their keys. Ends with a `local` output. */
  reap(local: number, keys: readonly Key[], tombstones: readonly string[]): void {
    const held = this.holding(keys, tombstones)
    const stored = this.#store.read(keys)
    const dropped = keys.filter((_, index) => held[index] === true)
    const fresh = new Draft({ keys: dropped, records: dropped.map(() => NOTHING), units: [], answer: { local } })
    keys.forEach((key, index) => {
      if (held[index] !== true) return
      const partition = partitionOf(key, this.#partitions)
      this.#forest.change(partition, this.#hash.of(key), hashOf(knownOf(stored[index])), 0)
      fresh.add(key, NOTHING, 0)
    })
    if (dropped.length > 0) this.#startWrite(fresh)
    else this.#output.push({ type: 'local', id: local, status: REPLY.ok, records: [] })
  }

  /** These records have been dropped: the partition is not ours any more. */
  forget(keys: readonly Key[]): void {
    for (const key of keys) this.#live.remove(this.#hash.of(key))
  }

  /** Writes that the store has not accepted yet, oldest first. */
  get onItsWay(): OnItsWay {
    return this.#writing.drafts
  }

  /** False: made for a newer table than ours; park it. */
  onScan(from: Address, message: ReplicaScan, nowMs: number): boolean {
    return this.#scans.onScan(from, message, nowMs)
  }

  /** True if the page was one of ours. */
  onScanned(token: number, page: StorePage): boolean {
    return this.#scans.onScanned(token, page)
  }

  /** The store has accepted a write. True if it was one of ours. */
  onWritten(token: number): boolean {
    return this.#endWrite(token, REPLY.ok)
  }

  /** The store has refused a write. True if it was one of ours. */
  onFailed(token: number, kept: WriteKept): boolean {
    if (this.#writing.has(token)) this.#forest.distrustAll()
    const isNowhere = kept === 'nothing' && !this.#writing.isBuiltUpon(token)
    return this.#endWrite(token, isNowhere ? REPLY.refused : REPLY.failed)
  }

  /** What each key will hold once everything on its way has been accepted. */
  #currentOf(keys: readonly Key[]): readonly StoredRecord[] {
    const stored = this.#store.read(keys)
    if (this.#writing.isEmpty) return stored
    return keys.map((key, index) => {
      const onItsWay = this.#writing.bringing(key)?.find(key)
      return onItsWay === NOTHING ? undefined : (onItsWay ?? stored[index])
    })
  }

  #write(waiting: Waiting): void {
    const fresh = new Draft(waiting)
    const merging: Unit[] = []
    for (const unit of waiting.units) {
      if (unit.status !== REPLY.ok) continue
      if (this.#isNewest(unit, waiting)) this.#overwrite(unit, waiting, fresh)
      else merging.push(unit)
    }
    if (merging.length > 0) this.#merge(merging, waiting, fresh)
    if (fresh.keys.length > 0) this.#startWrite(fresh)
    else if (fresh.standsOn !== undefined) fresh.standsOn.waiting.push(waiting)
    else this.#answer(waiting)
  }

  /**
   * Is it newer than everything this replica has ever held, and are its keys known to be live? Then nothing that is there
   * matters (not even if it is damaged), and nothing need be read.
   */
  #isNewest({ purpose, from, end }: Unit, { keys, records }: Waiting): boolean {
    if (purpose !== PURPOSE.write) return false
    for (let place = from; place < end; place++) {
      const record = records[place] as VersionRecord
      if (record.kind !== 'lww' || record.stamp < this.#highestStamp) return false
      if (this.#live.versionOf(this.#hash.of(keys[place] as Key)) === 0) return false
    }
    return true
  }

  #overwrite({ from, end, partition }: Unit, { keys, records }: Waiting, fresh: Draft): void {
    for (let place = from; place < end; place++) {
      const key = keys[place] as Key
      const record = records[place] as VersionRecord & { kind: 'lww' }
      const hash = this.#hash.of(key)
      const before = this.#live.versionOf(hash)
      // Of several of the key in one unit, an earlier one may have been its delete.
      const wasLive = before !== 0
      const isLiveNow = record.value !== null
      this.#count(partition, record, wasLive ? before : hashOf(fresh.find(key)), isLiveNow)
      fresh.add(key, record, Number(isLiveNow) - Number(wasLive))
      if (record.stamp > this.#highestStamp) this.#highestStamp = record.stamp
    }
  }

  /** The key that was hashed last is to hold this. `before`: hash of the version that it replaces; 0: nothing. */
  #count(partition: PartitionId, record: VersionRecord, before: number, live: boolean): void {
    const after = versionHash(record)
    if (live) this.#live.add(this.#hash, after)
    else this.#live.remove(this.#hash)
    this.#forest.change(partition, this.#hash, before, after)
  }

  /** Read, compare, keep what is newer. */
  #merge(units: readonly Unit[], { keys, records }: Waiting, fresh: Draft): void {
    const current = this.#currentOf(units.flatMap(({ from, end }) => keys.slice(from, end)))
    let next = 0
    for (const unit of units) {
      // Where the unit's places stand in `current`.
      const offset = next - unit.from
      next += unit.end - unit.from
      if (!this.#mayMerge(unit, { keys, records }, current, offset)) continue
      for (let place = unit.from; place < unit.end; place++) {
        const key = keys[place] as Key
        const record = records[place] as VersionRecord
        const stored = current[place + offset]
        const made = fresh.find(key)
        const there = made ?? knownOf(stored)
        if (recordCovers(there, record)) {
          fresh.standOn(this.#writing.bringing(key))
          continue
        }
        const merged = there === undefined ? record : mergeRecords(there, record)
        // Was a damaged record live? Nobody knows; most likely it was what it is healed to.
        const isHealed = stored === 'damaged' && made === undefined
        if (isHealed) this.#forest.onReplaced(unit.partition, key)
        this.#take(unit.partition, key, { merged, there, wasLive: isLive(isHealed ? merged : there) }, fresh)
      }
    }
  }

  /** This is what the key will hold. */
  #take(
    partition: PartitionId,
    key: Key,
    change: { merged: VersionRecord; there: VersionRecord | undefined; wasLive: boolean },
    fresh: Draft,
  ): void {
    const { merged, there, wasLive } = change
    const live = isLive(merged)
    fresh.add(key, merged, Number(live) - Number(wasLive))
    this.#hash.of(key)
    this.#count(partition, merged, hashOf(there), live)
    if (merged.kind === 'lww' && merged.stamp > this.#highestStamp) this.#highestStamp = merged.stamp
  }

  /** A damaged record takes nothing but what heals it, and what is newer than everything this replica has ever held. */
  #mayMerge(
    unit: Unit,
    { keys, records }: Pick<Waiting, 'keys' | 'records'>,
    current: readonly StoredRecord[],
    offset: number,
  ): boolean {
    if (unit.purpose === PURPOSE.heal) return true
    for (let place = unit.from; place < unit.end; place++) {
      if (current[place + offset] !== 'damaged') continue
      const record = records[place] as VersionRecord
      if (unit.purpose === PURPOSE.write && record.kind === 'lww' && record.stamp > this.#highestStamp) continue
      unit.status = REPLY.unknown
      this.#output.push({ type: 'damaged', key: keys[place] as Key })
    }
    return unit.status === REPLY.ok
  }

  #startWrite(draft: Draft): void {
    draft.token = this.#takeToken()
    this.#writing.push(draft)
    const { keys, records, liveKeysDelta } = draft
    if (records[0] === NOTHING) {
      const write = { keys: [], records: [], keysDropped: keys, liveKeysDelta }
      this.#output.push({ type: 'write', token: draft.token, write })
      return
    }
    this.#output.push({ type: 'write', token: draft.token, write: { keys, records, liveKeysDelta } })
  }

  #endWrite(token: number, status: ReplyStatus): boolean {
    const draft = this.#writing.take(token)
    if (draft === undefined) return false
    for (const waiting of draft.waiting) {
      if (status !== REPLY.ok) for (const unit of waiting.units) if (unit.status === REPLY.ok) unit.status = status
      this.#answer(waiting)
    }
    return true
  }

  #answer(waiting: Waiting): void {
    if ('local' in waiting.answer) {
      const bad = waiting.units.filter((unit) => unit.status !== REPLY.ok)
      const worst = bad.find((unit) => unit.status === REPLY.failed) ?? bad[0]
      const status = worst?.status ?? REPLY.ok
      this.#output.push({ type: 'local', id: waiting.answer.local, status, records: waiting.records })
      return
    }
    const { to, message } = waiting.answer
    const statuses: ReplyStatus[] = []
    for (const unit of waiting.units) statuses.push(unit.status)
    const { id: replyTo } = message
    this.#output.push({
      type: 'reply',
      to,
      message: { type: 'replica/write-reply', replyTo, epoch: this.#keeper.epoch, statuses },
    })
  }
}

function hashOf(record: VersionRecord | undefined): number {
  return record === undefined ? 0 : versionHash(record)
}

function knownOf(record: StoredRecord): VersionRecord | undefined {
  return record === 'damaged' ? undefined : record
}
