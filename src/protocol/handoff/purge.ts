/**
 * Drops the records of partitions that this node is nothing to any more: its space is given back, and, if it is ever to own
 * such a partition again, what it held before must not come along:
 *   1. A owns P and holds key k   2. P moves away from A   3. k is deleted, its tombstone is reaped   4. P moves back to A
 * A fill brings what the others have; of k they know nothing, and A's old record would be alive again. So a row that is not
 * clean yet takes no write and is not filled (`isUnclean`).
 *
 * What must be dropped is noted in the same store write as the table that says so (`meta.unclean`): a crash does not forget it. Nor
 * may a note outlive what it says: the next life would drop what has come back since. Tables and drops are on their way to the
 * store at one time, so each of them writes what is true behind everything that was given to the store before.
 * The pass over the store begins once every write that was given to it before has been accepted: it sees all of them.
 *
 * Called by `DynamoNode`. Paced, so that it never hurts the front.
 */

import type { Key, NodeId, PartitionId } from '../ids.js'
import { pauseMs } from '../pacing.js'
import { isFullOwner, type PartitionTable, type Row } from '../ring/table.js'
import type { StorePage, StoreScan, StoreWrite } from '../store-contract.js'
import { isLive } from '../versions/record.js'

/** Of one page. */
const PAGE_KEYS = 1_024
const PAGE_BYTES = 262_144
/** Between two pages, at least. */
const PAUSE_MS_MIN = 4

const NOTHING_NOTED = '[]'

export type PurgeOutput =
  | { readonly type: 'store/write'; readonly token: number; readonly write: StoreWrite }
  | { readonly type: 'store/scan'; readonly token: number; readonly scan: StoreScan }
  /** These are in the store no more, or are about to be. */
  | { readonly type: 'dropped'; readonly keys: readonly Key[] }

/** One run over the store. */
interface Pass {
  readonly partitions: readonly PartitionId[]
  after: Key | undefined
  isLast: boolean
  /** What the store is doing for us; 0: nothing. */
  token: number
  /** When the store was given that. */
  sinceMs: number
  notBeforeMs: number
}

export class Purge {
  readonly #take: () => number
  readonly #unclean: Set<PartitionId>
  #pass: Pass | undefined
  /** Lost by the table that is on its way into the store. */
  #coming: ReadonlySet<PartitionId> = new Set()
  /** The last note that the store was given; undefined: that of an earlier life. */
  #given: string | undefined
  #output: PurgeOutput[] = []

  constructor(options: { unclean: Iterable<PartitionId>; take: () => number }) {
    this.#unclean = new Set(options.unclean)
    this.#given = this.#unclean.size === 0 ? NOTHING_NOTED : undefined
    this.#take = options.take
  }

  /** Partitions that still have records here. */
  get remaining(): number {
    return this.#unclean.size
  }

  isUnclean(partition: PartitionId): boolean {
    return this.#unclean.size > 0 && this.#unclean.has(partition)
  }

  /**
   * To be noted beside a table under which these are ours no more, if anything is. A table that is given to the store while an
   * earlier one is on its way replaces that one: nobody will have acted on it.
   */
  noteBeside(lost: Iterable<PartitionId>): string | undefined {
    this.#coming = new Set(lost)
    return this.#noteIfNew()
  }

  /** The table under which these are ours no more is in the store, and the last that was given to it. */
  onLost(lost: Iterable<PartitionId>): void {
    this.#coming = new Set()
    for (const partition of lost) this.#unclean.add(partition)
  }

  takeOutput(): readonly PurgeOutput[] {
    const output = this.#output
    if (output.length > 0) this.#output = []
    return output
  }

  advance(nowMs: number): void {
    if (this.#unclean.size === 0) return
    if (this.#pass === undefined) {
      const partitions = [...this.#unclean].sort((a, b) => a - b)
      this.#pass = { partitions, after: undefined, isLast: false, token: 0, sinceMs: nowMs, notBeforeMs: nowMs }
      return this.#write(this.#pass, { keys: [], records: [], liveKeysDelta: 0, meta: { unclean: this.#note() } })
    }
    const pass = this.#pass
    if (pass.token !== 0 || nowMs < pass.notBeforeMs) return
    pass.token = this.#take()
    pass.sinceMs = nowMs
    const range = { reverse: false, ...(pass.after === undefined ? {} : { from: pass.after, fromExclusive: true }) }
    const { partitions } = pass
    const scan: StoreScan = { range, limit: PAGE_KEYS, bytesMax: PAGE_BYTES, partitions }
    this.#output.push({ type: 'store/scan', token: pass.token, scan })
  }

  /** True if the page was ours. */
  onScanned(token: number, page: StorePage, nowMs: number): boolean {
    const pass = this.#pass
    if (pass === undefined || pass.token !== token) return false
    pass.token = 0
    pass.after = page.next
    pass.isLast = page.next === undefined
    pass.notBeforeMs = nowMs + Math.max(PAUSE_MS_MIN, pauseMs(pass.sinceMs, nowMs))
    if (page.keys.length === 0 && !pass.isLast) return true
    const live = page.records.filter((record) => record === 'damaged' || isLive(record)).length
    this.#output.push({ type: 'dropped', keys: page.keys })
    const write = { keys: [], records: [], keysDropped: page.keys, liveKeysDelta: -live }
    if (!pass.isLast) this.#write(pass, write)
    else this.#write(pass, { ...write, meta: { unclean: this.#note(pass.partitions) } })
    return true
  }

  /** True if the write was ours. */
  onWritten(token: number, nowMs: number): boolean {
    const pass = this.#pass
    if (pass === undefined || pass.token !== token) return false
    pass.token = 0
    // The scan and the write.
    pass.notBeforeMs = nowMs + Math.max(PAUSE_MS_MIN, pauseMs(pass.sinceMs, nowMs))
    if (!pass.isLast) return true
    for (const partition of pass.partitions) this.#unclean.delete(partition)
    this.#pass = undefined
    // A table that went into the store behind the last drop has noted what that dropped. Before anything of it comes back.
    const unclean = this.#noteIfNew()
    if (unclean === undefined) return true
    const write = { keys: [], records: [], liveKeysDelta: 0, meta: { unclean } }
    this.#output.push({ type: 'store/write', token: this.#take(), write })
    return true
  }

  /** The store has refused: this life ends, or its disk is full; another begins anew. True if the write was ours. */
  onFailed(token: number): boolean {
    if (this.#pass?.token !== token) return false
    this.#pass.notBeforeMs = Number.POSITIVE_INFINITY
    this.#pass.token = 0
    return true
  }

  /** When `advance` may do something although nothing happened; Infinity: not. */
  nextDeadlineMs(): number {
    const pass = this.#pass
    return pass === undefined || pass.token !== 0 ? Number.POSITIVE_INFINITY : pass.notBeforeMs
  }

  /** What there will be to drop, once all that the store was given is in it, and these have been dropped. */
  #note(dropped: readonly PartitionId[] = []): string {
    const left = [...new Set([...this.#unclean, ...this.#coming])].filter((partition) => !dropped.includes(partition))
    this.#given = JSON.stringify(left.sort((a, b) => a - b))
    return this.#given
  }

  #noteIfNew(): string | undefined {
    const before = this.#given
    const note = this.#note()
    return note === before ? undefined : note
  }

  #write(pass: Pass, write: StoreWrite): void {
    pass.token = this.#take()
    this.#output.push({ type: 'store/write', token: pass.token, write })
  }
}

/**
 * Partitions that the node was something to under the one table, and is nothing to under the other; or is being filled where
 * it was full: it has missed that it was nothing to them in between.
 */
export function lostPartitions(before: PartitionTable, after: PartitionTable, self: NodeId): readonly PartitionId[] {
  const lost: PartitionId[] = []
  before.rows.forEach((row, partition) => {
    const now = after.rows[partition]
    if (row === now || now === undefined || !hasPart(row, self)) return
    if (!hasPart(now, self) || (isFullOwner(row, self) && now.pending.includes(self))) lost.push(partition)
  })
  return lost
}

/** What a store that is opened again must drop, by what was noted in it and by the tables of then and now. */
export function uncleanAtBoot(
  meta: Readonly<Record<string, string>>,
  table: PartitionTable,
  self: NodeId,
): readonly PartitionId[] {
  const noted = meta['unclean'] === undefined ? [] : (JSON.parse(meta['unclean']) as readonly PartitionId[])
  if (meta['table'] === undefined) return noted
  const stored = JSON.parse(meta['table']) as PartitionTable
  return [...noted, ...lostPartitions(stored, table, self)]
}

function hasPart(row: Row, self: NodeId): boolean {
  return isFullOwner(row, self) || row.pending.includes(self) || row.standbys.includes(self)
}
