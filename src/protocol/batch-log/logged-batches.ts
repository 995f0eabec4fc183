/**
 * Batches over several partitions that take effect as a whole or not at all, in the end, whoever dies in between:
 *
 *   1. logging   What is to be done is written to a majority as a record of its own (`log-keys.ts`). Until it is there, nothing is.
 *   2. writing   Each partition's keys are written, all with the batch's one stamp. What fails is tried again, for as long as it takes.
 *   3. clearing  The log's record is deleted, with the stamp that follows the batch's: never a later batch's in the same slot.
 *
 * The caller is answered after 2; or, where that takes longer than its deadline, with *outcome unknown*. The batches of a gateway that
 * is no more are taken over from the log, by whoever is told of it (`batch-replay.ts`), and begin with 2 again: what is there
 * already has the same stamp, and what was written since has a later one. So it is Cassandra's logged batch, without its clock.
 * Nobody is kept from seeing a part of it: isolated it is in each partition only.
 *
 * While a batch is under way past its deadline, deletes must not be forgotten (`late`): a part that is written again would bring back
 * what was deleted meanwhile. Called by `Gateway` only.
 */

import type { Failure } from '../failure.js'
import type { GatewayId, Key } from '../ids.js'
import type { Outcome, RequestId } from '../messages.js'
import { MAJORITY } from '../ring/quorum.js'
import { partitionOf } from '../ring/slot.js'
import { nextStamp, type Stamp } from '../versions/stamp.js'
import { encodeEntry } from './log-codec.js'
import { chunkKey, type LogOwner, logOwner, slotKey } from './log-keys.js'
import type { BatchGroup } from './split-batch.js'

export interface WriteOptions {
  readonly w: number
  readonly sloppy: boolean
  readonly deadlineMs: number
}

/** What a batch needs of its gateway. */
export interface BatchHost {
  takeId(): RequestId
  /** Ends with `onEnd` of the same id. `caller`: who waits for the batch, if anybody does. */
  write(
    group: BatchGroup & { readonly id: RequestId; readonly caller: number | undefined },
    stamp: Stamp,
    options: WriteOptions,
  ): void
  reply(id: number, outcome: Outcome): void
}

/** Between two attempts. */
const PAUSE_MS_MIN = 100
const PAUSE_MS_MAX = 10_000
/** How long another attempt may take. */
const ATTEMPT_MS = 5_000
/** Batches of one gateway under way. */
const BATCHES_MAX = 4_096

interface Batch {
  /** Undefined: nobody waits for it. */
  caller: number | undefined
  readonly stamp: Stamp
  /** Undefined: another gateway's. */
  readonly slot: number | undefined
  readonly logKeys: readonly Key[]
  readonly options: WriteOptions
  readonly bytes: number
  stage: 'logging' | 'writing' | 'clearing'
  /** Parts that are not known to be written. */
  groups: readonly BatchGroup[]
  /** Under way: writes of this stage. */
  readonly under: Map<RequestId, BatchGroup>
  failure: Failure | undefined
  pauseMs: number
  /** Infinity: it does not wait. */
  againAtMs: number
}

export class LoggedBatches {
  /** Of this gateway's log. */
  readonly owner: LogOwner
  readonly #partitions: number
  readonly #host: BatchHost
  readonly #batches = new Set<Batch>()
  readonly #byWrite = new Map<RequestId, Batch>()
  readonly #freeSlots: number[] = []
  #slots = 0
  #bytes = 0
  #waiting = 0
  #isClosed = false

  constructor(gateway: GatewayId, config: { readonly life: string; readonly partitions: number }, host: BatchHost) {
    this.owner = logOwner(config.life, gateway)
    this.#partitions = config.partitions
    this.#host = host
  }

  /** Whose caller has not been answered. */
  get waiting(): number {
    return this.#waiting
  }

  get writesUnderWay(): number {
    return this.#byWrite.size
  }

  /** What they keep alive. */
  get bytes(): number {
    return this.#bytes
  }

  /** Answered, and not through. Without those that wait for nodes that are down for good: only a person can end that. */
  get lingering(): number {
    let count = 0
    for (const { caller, failure } of this.#batches) if (caller === undefined && !isHopeless(failure)) count += 1
    return count
  }

  get isFull(): boolean {
    return this.#batches.size >= BATCHES_MAX
  }

  /** Some batch should have ended by now. */
  isLate(nowMs: number): boolean {
    for (const { options } of this.#batches) if (options.deadlineMs <= nowMs) return true
    return false
  }

  nextDeadlineMs(): number {
    let next = Number.POSITIVE_INFINITY
    for (const { againAtMs } of this.#batches) if (againAtMs < next) next = againAtMs
    return next
  }

  begin(caller: number, stamp: Stamp, groups: readonly BatchGroup[], options: WriteOptions): void {
    const keys = groups.flatMap((group) => group.keys)
    const values = groups.flatMap((group) => group.values)
    const chunks = encodeEntry({ keys, values })
    const slot = this.#freeSlots.pop() ?? this.#slots++
    const log = slotKey(this.owner, slot)
    const logKeys = chunks.map((_, index) => chunkKey(log, index))
    const bytes = chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0)
    const batch = this.#add({ caller, stamp, slot, logKeys, options, bytes, stage: 'logging', groups })
    for (const [index, chunk] of chunks.entries()) this.#writeLog(batch, index, chunk, stamp)
  }

  /** Of a gateway that is no more: a batch that is in the log as a whole; or, without groups, one that never was, and only takes room. */
  adopt(stamp: Stamp, logKeys: readonly Key[], groups: readonly BatchGroup[], w: number, nowMs: number): void {
    const [first] = logKeys
    for (const batch of this.#batches) if (batch.stamp === stamp && batch.logKeys[0] === first) return
    const options = { w, sloppy: false, deadlineMs: nowMs }
    const stage = groups.length === 0 ? 'clearing' : 'writing'
    const batch = this.#add({ caller: undefined, stamp, slot: undefined, logKeys, options, bytes: 0, stage, groups })
    this.#attempt(batch, nowMs)
  }

  isOurs(id: RequestId): boolean {
    return this.#byWrite.has(id)
  }

  onEnd(id: RequestId, outcome: Outcome, nowMs: number): void {
    const batch = this.#byWrite.get(id)
    if (batch === undefined) return
    const group = batch.under.get(id)
    this.#byWrite.delete(id)
    batch.under.delete(id)
    if (outcome.type !== 'failed') batch.groups = batch.groups.filter((candidate) => candidate !== group)
    else if (batch.failure?.code !== 'OUTCOME_UNKNOWN') batch.failure = outcome.failure
    if (batch.under.size > 0) return
    if (batch.stage === 'logging') this.#onLogged(batch, nowMs)
    else if (batch.stage === 'writing') this.#onWritten(batch, nowMs)
    else this.#onCleared(batch, nowMs)
  }

  onTimer(nowMs: number): void {
    for (const batch of [...this.#batches]) {
      if (batch.againAtMs > nowMs) continue
      batch.againAtMs = Number.POSITIVE_INFINITY
      this.#attempt(batch, nowMs)
    }
  }

  /** A node or the table has changed: what failed for want of owners need not wait. */
  onChange(nowMs: number): void {
    for (const batch of this.#batches)
      if (batch.againAtMs !== Number.POSITIVE_INFINITY && isHopeless(batch.failure)) batch.againAtMs = nowMs
    this.onTimer(nowMs)
  }

  /** What is in the log stays there, for the next life. */
  close(): void {
    this.#isClosed = true
    for (const batch of this.#batches) batch.againAtMs = Number.POSITIVE_INFINITY
  }

  #add(begun: Omit<Batch, 'under' | 'failure' | 'pauseMs' | 'againAtMs'>): Batch {
    const waiting = { failure: undefined, pauseMs: PAUSE_MS_MIN, againAtMs: Number.POSITIVE_INFINITY }
    const batch: Batch = { ...begun, under: new Map(), ...waiting }
    this.#batches.add(batch)
    this.#bytes += batch.bytes
    if (batch.caller !== undefined) this.#waiting += 1
    return batch
  }

  #onLogged(batch: Batch, nowMs: number): void {
    const { failure } = batch
    if (failure === undefined) {
      batch.stage = 'writing'
      for (const group of batch.groups) this.#write(batch, group, batch.stamp, batch.options)
      return
    }
    // Definite: one chunk is nowhere, and never will be. The others are of no use to anybody.
    this.#answer(batch, { type: 'failed', failure })
    batch.groups = []
    this.#clear(batch, nowMs)
  }

  #onWritten(batch: Batch, nowMs: number): void {
    const { failure, groups } = batch
    if (groups.length === 0) {
      this.#answer(batch, { type: 'written' })
      this.#clear(batch, nowMs)
      return
    }
    if (failure !== undefined) {
      const detail = `the batch is logged, and takes effect as a whole once it can; for now it failed with ${failure.code}`
      this.#answer(batch, { type: 'failed', failure: { ...failure, code: 'OUTCOME_UNKNOWN', detail } })
    }
    this.#pause(batch, nowMs)
  }

  #onCleared(batch: Batch, nowMs: number): void {
    if (batch.failure !== undefined) return this.#pause(batch, nowMs)
    this.#batches.delete(batch)
    this.#bytes -= batch.bytes
    if (batch.slot !== undefined) this.#freeSlots.push(batch.slot)
  }

  #clear(batch: Batch, nowMs: number): void {
    batch.stage = 'clearing'
    batch.pauseMs = PAUSE_MS_MIN
    if (this.#isClosed) this.#batches.delete(batch)
    else this.#attempt(batch, nowMs)
  }

  #pause(batch: Batch, nowMs: number): void {
    if (this.#isClosed) return
    batch.againAtMs = nowMs + batch.pauseMs
    batch.pauseMs = Math.min(PAUSE_MS_MAX, batch.pauseMs * 2)
  }

  #attempt(batch: Batch, nowMs: number): void {
    batch.failure = undefined
    const deadlineMs = nowMs + ATTEMPT_MS
    if (batch.stage === 'writing') {
      for (const group of batch.groups) this.#write(batch, group, batch.stamp, { ...batch.options, deadlineMs })
      return
    }
    const options = { w: MAJORITY, sloppy: false, deadlineMs }
    batch.logKeys.forEach((key) => {
      const group = { partition: partitionOf(key, this.#partitions), keys: [key], values: [null] }
      this.#write(batch, group, nextStamp(batch.stamp), options)
    })
  }

  #writeLog(batch: Batch, chunk: number, value: Uint8Array, stamp: Stamp): void {
    const key = batch.logKeys[chunk] as Key
    const group = { partition: partitionOf(key, this.#partitions), keys: [key], values: [value] }
    this.#write(batch, group, stamp, { w: MAJORITY, sloppy: false, deadlineMs: batch.options.deadlineMs })
  }

  #write(batch: Batch, group: BatchGroup, stamp: Stamp, options: WriteOptions): void {
    const id = this.#host.takeId()
    this.#byWrite.set(id, batch)
    batch.under.set(id, group)
    this.#host.write({ ...group, id, caller: batch.caller }, stamp, options)
  }

  #answer(batch: Batch, outcome: Outcome): void {
    if (batch.caller === undefined) return
    this.#host.reply(batch.caller, outcome)
    batch.caller = undefined
    this.#waiting -= 1
  }
}

/** Too few owners are left, for all that is known. */
export function isHopeless(failure: Failure | undefined): boolean {
  return failure?.code === 'PARTITION_LOST' || failure?.code === 'QUORUM_UNAVAILABLE'
}
