/**
 * Tombstones that nobody needs any more are forgotten: a delete is remembered until every owner is known to hold it, and until
 * whatever could still bring an older version back is over.
 *
 * The first owner of a partition sees to it, whenever the supervisor says that everybody is there and nothing moves:
 *   1. It looks for tombstones that are older than the grace, which is longer than any request may take.
 *   2. It asks every node: do you hold them (owners and standbys, in the store and synced), and do you keep no hint for their partition?
 *   3. What everybody agrees to is remembered, and asked about once more after the grace: a request that had read an older version
 *      before some owner got the tombstone has ended by then, with all its repairs; and a backup that was made since has it.
 *   4. If everybody agrees again, owners and standbys are told to forget. Who does not hear of it keeps a tombstone for longer.
 *
 * It must never tell anybody to forget what a single owner, pending owner or standby does not hold. Called by `DynamoNode`.
 */

import type { Address, Epoch, Key, NodeId, PartitionId } from '../ids.js'
import type { Message } from '../messages.js'
import { pauseMs } from '../pacing.js'
import type { ReapAsk, ReapDrop, ReapHeld, ReapStart } from '../reap-messages.js'
import { isJoint, type PartitionTable, type Row, rowOf, writeTargetsOf } from '../ring/table.js'
import type { StorePage, StoreScan, StoreWrite } from '../store-contract.js'
import { tombstoneOf } from '../versions/record.js'
import { type Stamp, stampTimePart } from '../versions/stamp.js'

/** Tombstones that are asked about at a time, and remembered as agreed upon. */
const PAGE_KEYS = 256
const PAGE_BYTES = 262_144
const AGREED_MAX = 65_536
/** What was agreed upon once and is not a tombstone any more, or could not be asked about again, is forgotten after so many graces. */
const AGREED_GRACES = 4
/** Somebody does not answer: another day. */
const ANSWER_TIMEOUT_MS = 5_000

export type ReaperOutput =
  | { readonly type: 'send'; readonly to: Address; readonly message: Message }
  | { readonly type: 'scan'; readonly token: number; readonly scan: StoreScan }
  | { readonly type: 'write'; readonly token: number; readonly write: StoreWrite }
  /** Forget these, if nothing newer is there. */
  | {
      readonly type: 'reap'
      readonly local: number
      readonly keys: readonly Key[]
      readonly tombstones: readonly string[]
    }

/** What the reaper must know of its node. */
export interface ReaperView {
  readonly table: PartitionTable
  /** Which of these tombstones are all that the store has of their keys. */
  holding(keys: readonly Key[], tombstones: readonly string[]): readonly boolean[]
  /** Partitions that a hint is kept for, here. */
  hinted(): ReadonlySet<PartitionId>
}

interface Candidates {
  readonly keys: readonly Key[]
  readonly tombstones: readonly string[]
  readonly partitions: readonly PartitionId[]
  readonly rowEpochs: readonly Epoch[]
}

interface Pass {
  readonly before: Stamp
  readonly everybody: readonly NodeId[]
  after: Key | undefined
  isLast: boolean
  token: number
  /** When its page was asked for. */
  sinceMs: number
  asked:
    | { readonly id: number; readonly candidates: Candidates; readonly waiting: Set<NodeId>; agreed: number[] }
    | undefined
  notBeforeMs: number
}

export class Reaper {
  readonly #self: NodeId
  readonly #graceMs: number
  readonly #take: () => number
  /** The shared clock, in nanoseconds, at a monotonic ms; undefined: there is none, and nothing is ever forgotten. */
  readonly #clockNs: ((nowMs: number) => bigint) | undefined
  #pass: Pass | undefined
  /** Everybody agreed to these, for the first time; `since`: when, as the time part of a stamp. */
  readonly #agreed = new Map<Key, { readonly tombstone: string; readonly since: Stamp }>()
  /** Answers that wait for the disk. */
  readonly #syncing = new Map<number, { readonly to: Address; readonly message: ReapHeld }>()
  #output: ReaperOutput[] = []

  constructor(options: {
    self: NodeId
    graceMs: number
    take: () => number
    clockNs: ((nowMs: number) => bigint) | undefined
  }) {
    this.#self = options.self
    this.#graceMs = options.graceMs
    this.#take = options.take
    this.#clockNs = options.graceMs === 0 ? undefined : options.clockNs
  }

  takeOutput(): readonly ReaperOutput[] {
    const output = this.#output
    if (output.length > 0) this.#output = []
    return output
  }

  /** A write this old comes from a request that is long over: a hint of it could bring a forgotten key back. */
  isTooOld(stamp: Stamp, nowMs: number): boolean {
    return this.#clockNs !== undefined && stamp < this.#gracesAgo(1, this.#clockNs(nowMs))
  }

  onStart({ nodes: everybody, before: noted }: ReapStart, nowMs: number): void {
    if (this.#pass !== undefined || this.#clockNs === undefined) return
    const clockNs = this.#clockNs(nowMs)
    const forgotten = this.#gracesAgo(AGREED_GRACES, clockNs)
    for (const [key, { since }] of this.#agreed) if (since < forgotten) this.#agreed.delete(key)
    const graceEnd = this.#gracesAgo(1, clockNs)
    const before = noted < graceEnd ? noted : graceEnd
    this.#pass = {
      before,
      everybody,
      after: undefined,
      isLast: false,
      token: 0,
      sinceMs: nowMs,
      asked: undefined,
      notBeforeMs: nowMs,
    }
  }

  advance(view: ReaperView, nowMs: number): void {
    const pass = this.#pass
    if (pass === undefined || pass.token !== 0 || nowMs < pass.notBeforeMs) return
    // Somebody did not answer, or it is through.
    if (pass.asked !== undefined || pass.isLast) {
      this.#pass = undefined
      return
    }
    const partitions: PartitionId[] = []
    view.table.rows.forEach((row, partition) => {
      if (row.owners[0] === this.#self && isSettled(row)) partitions.push(partition)
    })
    pass.token = this.#take()
    pass.sinceMs = nowMs
    const { after, before } = pass
    const range = { reverse: false, ...(after === undefined ? {} : { from: after, fromExclusive: true }) }
    const scan = { range, limit: PAGE_KEYS, bytesMax: PAGE_BYTES, partitions, tombstonesBefore: before }
    this.#output.push({ type: 'scan', token: pass.token, scan })
  }

  /** When `advance` may do something although nothing happened; Infinity: not. */
  nextDeadlineMs(): number {
    const pass = this.#pass
    return pass === undefined || pass.token !== 0 ? Number.POSITIVE_INFINITY : pass.notBeforeMs
  }

  /** True if the page was ours. `partitionOf`: of a key. */
  onScanned(
    token: number,
    page: StorePage,
    view: ReaperView,
    partitionOf: (key: Key) => PartitionId,
    nowMs: number,
  ): boolean {
    const pass = this.#pass
    if (pass === undefined || pass.token !== token) return false
    pass.token = 0
    pass.after = page.next
    pass.isLast = page.next === undefined
    pass.notBeforeMs = nowMs + pauseMs(pass.sinceMs, nowMs)
    if (page.keys.length > 0) this.#ask(pass, page, { view, partitionOf, nowMs })
    return true
  }

  /** Somebody wants to know; answered once what is held is on the disk. */
  onAsk(from: Address, message: ReapAsk, view: ReaperView): void {
    const { keys, tombstones, partitions, rowEpochs } = message
    const held = view.holding(keys, tombstones)
    const hinted = view.hinted()
    const places: number[] = []
    let isOurs = false
    partitions.forEach((partition, place) => {
      const row = rowOf(view.table, partition)
      const isTarget = writeTargetsOf(row).includes(this.#self)
      isOurs ||= isTarget
      if (row.epoch !== rowEpochs[place] || !isSettled(row) || hinted.has(partition)) return
      if (!isTarget || held[place] === true) places.push(place)
    })
    const reply = { type: 'reap/held' as const, replyTo: message.id, places }
    if (!isOurs) {
      this.#output.push({ type: 'send', to: from, message: reply })
      return
    }
    const token = this.#take()
    this.#syncing.set(token, { to: from, message: reply })
    this.#output.push({ type: 'write', token, write: { keys: [], records: [], liveKeysDelta: 0, sync: true } })
  }

  /** True if the write was ours. */
  onWritten(token: number): boolean {
    const answer = this.#syncing.get(token)
    if (answer === undefined) return false
    this.#syncing.delete(token)
    this.#output.push({ type: 'send', ...answer })
    return true
  }

  /** Whoever asked gets no answer. True if the write was ours. */
  onFailed(token: number): boolean {
    return this.#syncing.delete(token)
  }

  onHeld(from: NodeId, message: ReapHeld, view: ReaperView, nowMs: number): void {
    const pass = this.#pass
    const asked = pass?.asked
    if (pass === undefined || asked === undefined || asked.id !== message.replyTo) return
    if (!asked.waiting.delete(from)) return
    asked.agreed = asked.agreed.filter((place) => message.places.includes(place))
    if (asked.waiting.size > 0) return
    pass.asked = undefined
    pass.notBeforeMs = nowMs + pauseMs(pass.sinceMs, nowMs)
    this.#settle(pass, asked.candidates, new Set(asked.agreed), { view, nowMs })
  }

  /** Everybody held these for long enough. */
  onDrop({ keys, tombstones, partitions, rowEpochs }: ReapDrop, { table }: ReaperView): void {
    const places = partitions.flatMap((partition, place) => {
      const row = rowOf(table, partition)
      return row.epoch === rowEpochs[place] && isSettled(row) ? [place] : []
    })
    if (places.length === 0) return
    const of = <Item>(column: readonly Item[]): Item[] => places.map((place) => column[place] as Item)
    this.#output.push({ type: 'reap', local: this.#take(), keys: of(keys), tombstones: of(tombstones) })
  }

  #ask(
    pass: Pass,
    page: StorePage,
    { view, partitionOf, nowMs }: { view: ReaperView; partitionOf: (key: Key) => PartitionId; nowMs: number },
  ): void {
    const keys: Key[] = []
    const tombstones: string[] = []
    page.records.forEach((record, index) => {
      const key = page.keys[index] as Key
      const tombstone = typeof record === 'object' ? tombstoneOf(record) : undefined
      if (tombstone === undefined || this.#isWaiting(key, tombstone, pass)) return
      keys.push(key)
      tombstones.push(tombstone)
    })
    if (keys.length === 0) return
    const partitions = keys.map(partitionOf)
    const rowEpochs = partitions.map((partition) => rowOf(view.table, partition).epoch)
    const candidates = { keys, tombstones, partitions, rowEpochs }
    const id = this.#take()
    pass.asked = { id, candidates, waiting: new Set(pass.everybody), agreed: [...keys.keys()] }
    pass.notBeforeMs = nowMs + ANSWER_TIMEOUT_MS
    for (const to of pass.everybody)
      this.#output.push({ type: 'send', to, message: { type: 'reap/ask', id, epoch: 0, ...candidates } })
  }

  /** Everybody has agreed once, and the grace is not over. */
  #isWaiting(key: Key, tombstone: string, { before }: Pass): boolean {
    const agreed = this.#agreed.get(key)
    return agreed?.tombstone === tombstone && agreed.since >= before
  }

  #settle(
    pass: Pass,
    candidates: Candidates,
    agreed: ReadonlySet<number>,
    { view, nowMs }: { readonly view: ReaperView; readonly nowMs: number },
  ): void {
    const since = stampTimePart(this.#clockNs?.(nowMs) ?? 0n)
    const ripe: number[] = []
    candidates.keys.forEach((key, place) => {
      const tombstone = candidates.tombstones[place] ?? ''
      const known = this.#agreed.get(key)
      if (!agreed.has(place)) this.#agreed.delete(key)
      else if (known?.tombstone !== tombstone) {
        if (this.#agreed.size < AGREED_MAX) this.#agreed.set(key, { tombstone, since })
      } else if (!this.#isWaiting(key, tombstone, pass)) {
        ripe.push(place)
        this.#agreed.delete(key)
      }
    })
    if (ripe.length === 0) return
    const of = <Item>(column: readonly Item[]): Item[] => ripe.map((place) => column[place] as Item)
    const { keys, tombstones, partitions, rowEpochs } = candidates
    const message: ReapDrop = {
      ...{ type: 'reap/drop', keys: of(keys), tombstones: of(tombstones) },
      ...{ partitions: of(partitions), rowEpochs: of(rowEpochs) },
    }
    const targets = new Set(message.partitions.flatMap((partition) => writeTargetsOf(rowOf(view.table, partition))))
    for (const to of [...targets].sort()) this.#output.push({ type: 'send', to, message })
  }

  #gracesAgo(graces: number, clockNs: bigint): Stamp {
    return stampTimePart(clockNs - BigInt(graces * this.#graceMs) * 1_000_000n)
  }
}

function isSettled(row: Row): boolean {
  return !isJoint(row) && !row.lost && row.owners.every((owner) => owner !== null)
}
