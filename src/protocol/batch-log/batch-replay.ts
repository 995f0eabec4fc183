/**
 * Takes over logged batches of gateways that are no more: looks through the log by ordinary quorum scans, for as long as that takes,
 * and gives what is there to `LoggedBatches`.
 *
 * A batch counts as logged if all its chunks are read; else it never began, for nothing of it was written before. Whichever is found
 * stays so: what a quorum read has shown every later one shows, and what was not whole is deleted.
 *
 * What too few owners have of a batch that never began may be seen by nobody now, and be brought to the others by repairs. It is
 * taken over by a later replay then, which is as good as now; but not once deletes of its time may be forgotten: for a batch that did
 * begin they are kept (`Gateway.hasLateBatches`), so that one that is so old did not. Called by `Gateway` only.
 */

import { assert } from '../assert.js'
import type { OperationOutcome } from '../coordinator/request.js'
import type { Failure } from '../failure.js'
import type { Key } from '../ids.js'
import type { RequestId } from '../messages.js'
import type { Stamp } from '../versions/stamp.js'
import { decodeEntry, type LogEntry } from './log-codec.js'
import { type LogOwner, ownerOfChunk, slotOfChunk } from './log-keys.js'
import { isHopeless } from './logged-batches.js'

const SCAN_MS = 10_000
const PAUSE_MS_MIN = 100
const PAUSE_MS_MAX = 10_000

/** What was found of one batch. */
interface Found {
  readonly slot: Key
  readonly stamp: Stamp
  readonly keys: Key[]
  readonly chunks: Uint8Array[]
}

/** `living`: whose batches are their own business. `forgottenBefore`: deletes that are older may be forgotten. */
export interface ReplayAsked {
  readonly living: readonly LogOwner[]
  readonly forgottenBefore: Stamp
}

interface Asked extends Omit<ReplayAsked, 'living'> {
  readonly living: ReadonlySet<LogOwner>
}

/** Undefined: it is not whole, or not to be. */
export type OnFound = (stamp: Stamp, logKeys: readonly Key[], entry: LogEntry | undefined) => void

/** A page of the log after a key. */
export type AskPage = (after: Key | undefined, deadlineMs: number) => RequestId

export class BatchReplay {
  readonly #ask: AskPage
  readonly #onFound: OnFound
  /** Undefined: nobody has asked for a replay. */
  #asked: Asked | undefined
  #isAgain = false
  #scan: RequestId | undefined
  #after: Key | undefined
  #found: Found[] = []
  #failure: Failure | undefined
  #pauseMs = PAUSE_MS_MIN
  #againAtMs = Number.POSITIVE_INFINITY

  constructor(ask: AskPage, onFound: OnFound) {
    this.#ask = ask
    this.#onFound = onFound
  }

  get isUnderWay(): boolean {
    return this.#asked !== undefined
  }

  /** Under way, and not for want of nodes that are down for good: only a person can end that. */
  get isAwaited(): boolean {
    return this.isUnderWay && !isHopeless(this.#failure)
  }

  get nextDeadlineMs(): number {
    return this.#againAtMs
  }

  start({ living, forgottenBefore }: ReplayAsked, nowMs: number): void {
    this.#isAgain = this.#asked !== undefined
    this.#asked = { living: new Set(living), forgottenBefore }
    if (!this.#isAgain) this.#begin(nowMs)
  }

  isOurs(id: RequestId): boolean {
    return this.#scan === id
  }

  onPage(outcome: OperationOutcome, nowMs: number): void {
    this.#scan = undefined
    this.#failure = outcome.type === 'failed' ? outcome.failure : undefined
    if (outcome.type !== 'page') {
      this.#againAtMs = nowMs + this.#pauseMs
      this.#pauseMs = Math.min(PAUSE_MS_MAX, this.#pauseMs * 2)
      return
    }
    const { keys, records, next } = outcome.page
    keys.forEach((key, place) => {
      const record = records[place]
      if (record?.kind === 'lww' && record.value !== null) this.#onChunk(key, record.stamp, record.value)
    })
    this.#after = next
    if (next !== undefined) this.#page(nowMs)
    else this.#onEnd(nowMs)
  }

  onTimer(nowMs: number): void {
    if (this.#againAtMs > nowMs) return
    this.#againAtMs = Number.POSITIVE_INFINITY
    this.#begin(nowMs)
  }

  /** A node or the table has changed: what failed for want of owners need not wait. */
  onChange(nowMs: number): void {
    if (this.#againAtMs !== Number.POSITIVE_INFINITY && isHopeless(this.#failure)) this.#againAtMs = nowMs
    this.onTimer(nowMs)
  }

  close(): void {
    this.#againAtMs = Number.POSITIVE_INFINITY
  }

  #begin(nowMs: number): void {
    this.#after = undefined
    this.#found = []
    this.#page(nowMs)
  }

  #page(nowMs: number): void {
    this.#scan = this.#ask(this.#after, nowMs + SCAN_MS)
  }

  #onChunk(key: Key, stamp: Stamp, chunk: Uint8Array): void {
    if (this.#asked?.living.has(ownerOfChunk(key)) === true) return
    const slot = slotOfChunk(key)
    // Keys come in order; chunks of an older batch may lie between those of the slot's last one.
    let found = this.#found.find((candidate) => candidate.slot === slot && candidate.stamp === stamp)
    if (found === undefined) {
      for (const other of this.#found) if (other.slot !== slot) this.#settle(other)
      this.#found = this.#found.filter((other) => other.slot === slot)
      found = { slot, stamp, keys: [], chunks: [] }
      this.#found.push(found)
    }
    found.keys.push(key)
    found.chunks.push(chunk)
  }

  #settle({ stamp, keys, chunks }: Found): void {
    const entry = decodeEntry(chunks)
    // A later version's, say: it stays for whoever can read it.
    if (entry === 'unknown') return
    const isTooOld = stamp < (this.#asked?.forgottenBefore ?? '')
    this.#onFound(stamp, keys, isTooOld || entry === 'not-whole' ? undefined : entry)
  }

  #onEnd(nowMs: number): void {
    for (const found of this.#found) this.#settle(found)
    this.#found = []
    this.#pauseMs = PAUSE_MS_MIN
    assert(this.#asked !== undefined, 'a replay is under way')
    if (!this.#isAgain) {
      this.#asked = undefined
      return
    }
    this.#isAgain = false
    this.#begin(nowMs)
  }
}
