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
import type { Address, Key } from './ids.js'
import { Merging } from './merging.js'
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
import { NOTHING, tombstoneOf, type VersionRecord } from './versions/record.js'
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
  readonly #forest: MerkleForest
  readonly #merging: Merging
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
    this.#keeper = options.keeper
    this.#store = options.store
    this.#partitions = options.partitions
    this.#takeToken = options.takeToken
    this.#forest = options.forest
    this.#merging = new Merging({
      forest: options.forest,
      bootStamp: options.bootStamp,
      partitions: options.partitions,
      currentOf: (keys) => this.#currentOf(keys),
      bringing: (key) => this.#writing.bringing(key),
      onDamaged: (key) => this.#output.push({ type: 'damaged', key }),
    })
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
      if (held[index] === true) this.#merging.drop(key, stored[index], fresh)
    })
    if (dropped.length > 0) this.#startWrite(fresh)
    else this.#output.push({ type: 'local', id: local, status: REPLY.ok, records: [] })
  }

  /** See `Merging`. */
  forget(keys: readonly Key[]): void {
    this.#merging.forget(keys)
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
    const fresh = this.#merging.draftOf(waiting)
    if (fresh.keys.length > 0) this.#startWrite(fresh)
    else if (fresh.standsOn !== undefined) fresh.standsOn.waiting.push(waiting)
    else this.#answer(waiting)
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
