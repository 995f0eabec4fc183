/**
 * The program's calls: checked, copied, gathered over one microtask turn, given to the gateway as one batch, and settled
 * exactly once each.
 *
 * It keeps no protocol: deadlines, quorums and refusals are the gateway's. Called by `cluster.ts` and `connect.ts`, which
 * both are a `KeyValueStore` through it and what tells of its calls.
 */

import type { GatewayActor } from '../actors/gateway.actor.js'
import { nowMs } from '../actors/runtime/clock.js'
import { REQUEST_KINDS, type RequestCounters } from '../actors/runtime/request-counters.js'
import { type Answer, answerOf, newestValueOf, type Pending } from './answers.js'
import { Gathering, PlaceOfMany } from './many-gets.js'
import type { CallWatch } from './observe/call-watch.js'
import { RequestSpans } from './observe/request-spans.js'
import { isLogKey } from './protocol/batch-log/log-keys.js'
import type { OperationOutcome, ScanPage } from './protocol/coordinator/request.js'
import type { ClientRequest } from './protocol/gateway.js'
import { IdTable } from './protocol/id-table.js'
import type { Key } from './protocol/ids.js'
import type { KeyRange } from './protocol/messages.js'
import { preferenceList } from './protocol/ring/preference-list.js'
import { partitionOf, slotOf } from './protocol/ring/slot.js'
import { rowOf } from './protocol/ring/table.js'
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
} from './shared/api.js'
import {
  after,
  BATCH_OPTIONS,
  booleanOf,
  columnsOf,
  contextOf,
  copyOf,
  failedRows,
  GET_OPTIONS,
  PUT_OPTIONS,
  rangeOf,
  SCAN_OPTIONS,
  SCAN_TIMEOUT_FACTOR,
  TIMEOUT_MS_MAX,
} from './shared/call-arguments.js'
import { CoterieError, errorOfFailure } from './shared/errors.js'
import { keyFromUser, keyToBytes, valueFromUser } from './shared/keys.js'
import { checkNames, checkWhole, invalid } from './shared/options.js'

export interface ClientConfig {
  readonly partitions: number
  /** The cluster's own, see `Quorums`. */
  readonly r: number
  readonly w: number
  readonly conflict: 'lww' | 'siblings'
  readonly coordination: 'client' | 'server'
  readonly readTimeoutMs: number
  readonly writeTimeoutMs: number
  readonly tombstoneGraceMs: number
  readonly valueBytesMax: number
  readonly requestsInFlightMax: number
}

const NO_OPTIONS = {}

interface ScanPlan {
  readonly range: KeyRange | undefined
  readonly limit: number
  readonly r: number
  readonly timeoutMs: number
}

interface ReadPage {
  readonly page: ScanPage
  /** Undefined: the page was the last. */
  readonly rest: KeyRange | undefined
}

/** Requests given to the gateway at once; stamps of one turn share a clock reading and count up to 65,536. */
const TURN_REQUESTS_MAX = 8_192
/** Keys of one `getMany` that are in flight at a time. */
const MANY_KEYS_MAX = 4_096
/** Rows of one page of a scan: small at first, so that the first row comes soon. */
const SCAN_ROWS_FIRST = 64
const SCAN_ROWS_MAX = 1_024
const SCAN_BYTES_MAX = 1_048_576

/** Every call of `KeyValueStore` but `close`. */
export class Client implements Omit<KeyValueStore, 'id' | 'close' | typeof Symbol.asyncDispose> {
  readonly #config: ClientConfig
  readonly #gateway: () => GatewayActor
  readonly #counters: RequestCounters
  readonly #watch: CallWatch
  readonly #spans = new RequestSpans((observer) => this.#gateway().observe(observer))
  readonly #pending = new IdTable<Pending>()
  #turn: ClientRequest[] = []
  #turnStartMs = 0
  /** The same in microseconds as a 32-bit number, which an object holds without a box of its own; it wraps after 36 minutes each way. */
  #turnUs = 0
  #nextId = 1
  #isClosed = false

  constructor(config: ClientConfig, watch: CallWatch, counters: RequestCounters, gateway: () => GatewayActor) {
    this.#config = config
    this.#watch = watch
    this.#counters = counters
    this.#gateway = gateway
  }

  /** Calls that have not settled. */
  get running(): number {
    return this.#pending.size
  }

  /** Calls of this turn have been gathered. */
  get isTurnOpen(): boolean {
    return this.#turn.length > 0
  }

  /** No more calls; those that run are settled by the gateway's closing. */
  close(): void {
    this.#isClosed = true
    this.#flush()
  }

  /** The gateway's answer, which it has since `nowMs`. */
  settle(id: number, outcome: OperationOutcome, nowMs: number): void {
    const pending = this.#pending.take(id)
    if (pending === undefined) return
    const tookUs = Math.max(0, (wholeUs(nowMs) - pending.sinceUs) | 0)
    const failure = outcome.type === 'failed' ? outcome.failure.code : undefined
    this.#counters.record(pending.kind, tookUs, failure)
    if (this.#spans.isOn) this.#spans.end(id, failure)
    if (outcome.type === 'failed') pending.reject(errorOfFailure(outcome.failure))
    else pending.resolve(answerOf(pending.answer, pending.key ?? '', outcome))
  }

  get(key: Bytes, options?: GetOptions): Promise<Uint8Array | undefined> {
    return this.#get(key, options, 'value')
  }

  read(key: Bytes, options?: GetOptions): Promise<ReadResult> {
    return this.#get(key, options, 'read')
  }

  async getMany(keys: readonly Bytes[], options?: GetOptions): Promise<(Uint8Array | undefined)[]> {
    if (!Array.isArray(keys)) throw invalid('keys', keys, 'an array of keys')
    const binary = keys.map(keyFromUser)
    const window = Math.min(MANY_KEYS_MAX, this.#config.requestsInFlightMax)
    if (binary.length <= window) return this.#getAll(binary, options)
    // One window after the other, all within one deadline: more than may be in flight would be refused.
    const endMs = nowMs() + this.#timeoutOf(options ?? NO_OPTIONS, this.#config.readTimeoutMs)
    const values: (Uint8Array | undefined)[] = []
    for (let from = 0; from < binary.length; from += window) {
      const timeoutMs = Math.max(1, Math.ceil(endMs - nowMs()))
      const some = binary.slice(from, from + window)
      for (const value of await this.#getAll(some, { ...options, timeoutMs })) values.push(value)
    }
    return values
  }

  #getAll(keys: readonly Key[], options: GetOptions | undefined): Promise<(Uint8Array | undefined)[]> {
    return new Promise((resolve, reject) => {
      this.#assertOpen()
      const gathering = new Gathering(keys.length, resolve, reject)
      for (let place = 0; place < keys.length; place++) {
        const request = this.#getRequest(keys[place] as Key, options)
        this.#admit(request, new PlaceOfMany(gathering, place, this.#turnUs))
      }
    })
  }

  put(key: Bytes, value: Bytes, options?: PutOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#assertOpen()
      const request = this.#putRequest([keyFromUser(key)], [this.#valueOf(value)], options, PUT_OPTIONS)
      this.#admit(request, { answer: 'nothing', kind: REQUEST_KINDS.put, sinceUs: this.#turnUs, resolve, reject })
    })
  }

  delete(key: Bytes, options?: PutOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#assertOpen()
      const request = this.#putRequest([keyFromUser(key)], [null], options, PUT_OPTIONS)
      this.#admit(request, { answer: 'nothing', kind: REQUEST_KINDS.delete, sinceUs: this.#turnUs, resolve, reject })
    })
  }

  batch(operations: readonly BatchOperation[], options?: BatchOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#assertOpen()
      const { keys, values } = columnsOf(operations, (value) => this.#valueOf(value))
      const request = this.#putRequest(keys, values, options, BATCH_OPTIONS)
      this.#admit(this.#isLogged(options) ? { ...request, logged: true } : request, {
        answer: 'nothing',
        kind: REQUEST_KINDS.batch,
        sinceUs: this.#turnUs,
        resolve,
        reject,
      })
    })
  }

  #isLogged(options: BatchOptions | undefined): boolean {
    const isLogged = booleanOf('logged', options?.logged)
    if (isLogged && this.#config.conflict === 'siblings')
      throw invalid('logged', isLogged, "false: only a cluster with conflict: 'lww' can log a batch")
    return isLogged
  }

  /** Bounds are read at the call; what is wrong with them rejects the first row. */
  scan(options: ScanOptions = {}): AsyncGenerator<[Uint8Array, Uint8Array]> {
    try {
      return this.#rows(this.#scanPlan(options))
    } catch (error) {
      return failedRows(error)
    }
  }

  #scanPlan(options: ScanOptions): ScanPlan {
    checkNames(options, SCAN_OPTIONS)
    return {
      range: rangeOf(options),
      limit:
        options.limit === undefined
          ? Number.POSITIVE_INFINITY
          : checkWhole('limit', options.limit, 0, Number.MAX_SAFE_INTEGER),
      r: options.r === undefined ? this.#config.r : checkWhole('r', options.r, 1, this.#gateway().table.n),
      timeoutMs: this.#timeoutOf(options, this.#config.readTimeoutMs * SCAN_TIMEOUT_FACTOR),
    }
  }

  async *#rows(plan: ScanPlan): AsyncGenerator<[Uint8Array, Uint8Array]> {
    const { range, limit } = plan
    let left = limit
    let rows = SCAN_ROWS_FIRST
    let reading = range === undefined || left <= 0 ? undefined : this.#readPage(plan, range, Math.min(rows, left))
    while (reading !== undefined) {
      const { page, rest } = await reading
      rows = Math.min(SCAN_ROWS_MAX, rows * 2)
      // One page ahead, and not before the first one has been read to its end: many want no more.
      const ahead =
        rows > 2 * SCAN_ROWS_FIRST ? this.#readAhead(plan, rest, Math.min(rows, left - page.keys.length)) : undefined
      for (let index = 0; index < page.keys.length; index++) {
        const key = page.keys[index] as Key
        const value = newestValueOf(page.records[index])
        if (value === undefined || isLogKey(key)) continue
        yield [keyToBytes(key), value]
        left -= 1
        if (left <= 0) return
      }
      reading = ahead ?? (rest === undefined ? undefined : this.#readPage(plan, rest, Math.min(rows, left)))
    }
  }

  /** Undefined: there is no more, or no more is wanted for certain. What it fails with is told when it is asked for. */
  #readAhead(plan: ScanPlan, range: KeyRange | undefined, rows: number): Promise<ReadPage> | undefined {
    if (range === undefined || rows <= 0) return undefined
    const reading = this.#readPage(plan, range, rows)
    reading.catch(() => undefined)
    return reading
  }

  async #readPage({ r, timeoutMs }: ScanPlan, range: KeyRange, limit: number): Promise<ReadPage> {
    const scanned = () => this.#scanPage(range, { limit, r, timeoutMs })
    const page = await (this.#watch.isOn ? this.#watch.run('scan', limit, scanned) : scanned())
    return { page, rest: page.next === undefined ? undefined : after(range, page.next) }
  }

  locate(key: Bytes): Location {
    const binary = keyFromUser(key)
    const partition = partitionOf(binary, this.#config.partitions)
    const owners = [...preferenceList(rowOf(this.#gateway().table, partition))]
    return { slot: slotOf(binary), partition, owners }
  }

  #get<T>(key: Bytes, options: GetOptions | undefined, answer: Answer): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#assertOpen()
      const request = this.#getRequest(keyFromUser(key), options)
      this.#admit(request, {
        answer,
        kind: REQUEST_KINDS.get,
        sinceUs: this.#turnUs,
        key: request.key,
        resolve,
        reject,
      })
    })
  }

  #getRequest(key: Key, options: GetOptions = NO_OPTIONS): ClientRequest & { kind: 'get' } {
    if (options !== NO_OPTIONS) checkNames(options, GET_OPTIONS)
    const r = options.r === undefined ? this.#config.r : checkWhole('r', options.r, 1, this.#gateway().table.n)
    const deadlineMs = this.#turnMs() + this.#timeoutOf(options, this.#config.readTimeoutMs)
    return { kind: 'get', id: this.#takeId(), key, r, sloppy: booleanOf('sloppy', options.sloppy), deadlineMs }
  }

  #putRequest(
    keys: readonly Key[],
    values: readonly (Uint8Array | null)[],
    options: PutOptions = NO_OPTIONS,
    names: readonly string[],
  ): ClientRequest & { kind: 'put' } {
    if (options !== NO_OPTIONS) checkNames(options, names)
    const w = options.w === undefined ? this.#config.w : checkWhole('w', options.w, 1, this.#gateway().table.n)
    const sloppy = booleanOf('sloppy', options.sloppy)
    const deadlineMs = this.#turnMs() + this.#timeoutOf(options, this.#config.writeTimeoutMs)
    const put = { kind: 'put' as const, id: this.#takeId(), keys, values, w, sloppy, deadlineMs }
    if (options.context === undefined) return put
    return { ...put, context: contextOf(keys[0] as Key, options.context) }
  }

  #scanPage(range: KeyRange, options: { limit: number; r: number; timeoutMs: number }): Promise<ScanPage> {
    const { limit, r, timeoutMs } = options
    return new Promise((resolve, reject) => {
      this.#assertOpen()
      const deadlineMs = this.#turnMs() + timeoutMs
      const request = {
        kind: 'scan' as const,
        id: this.#takeId(),
        range,
        limit,
        bytesMax: SCAN_BYTES_MAX,
        r,
        deadlineMs,
      }
      this.#admit(request, { answer: 'page', kind: REQUEST_KINDS.scan, sinceUs: this.#turnUs, resolve, reject })
    })
  }

  /** All calls of a microtask turn are one batch. A wrong argument has thrown before, which rejects the call's promise. */
  #admit(request: ClientRequest, pending: Pending): void {
    this.#pending.add(request.id, pending)
    const { current } = this.#watch
    if (current !== undefined) this.#spans.add(request.id, current, this.#isForwarded(request))
    this.#turn.push(request)
    if (this.#turn.length === 1) queueMicrotask(this.#flush)
    else if (this.#turn.length >= TURN_REQUESTS_MAX) this.#flush()
  }

  /** A node coordinates it. */
  #isForwarded({ kind }: ClientRequest): boolean {
    const { coordination, conflict } = this.#config
    return kind === 'put'
      ? coordination === 'server' || conflict === 'siblings'
      : kind === 'get' && coordination === 'server'
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new CoterieError('CLOSED')
  }

  #takeId(): number {
    return this.#nextId++
  }

  /** The time of this turn: read once. */
  #turnMs(): number {
    if (this.#turn.length === 0) {
      this.#turnStartMs = nowMs()
      this.#turnUs = wholeUs(this.#turnStartMs)
    }
    return this.#turnStartMs
  }

  readonly #flush = (): void => {
    if (this.#turn.length === 0) return
    const requests = this.#turn
    this.#turn = []
    this.#gateway().submit(requests)
  }

  /** The caller may overwrite its bytes as soon as the call returns: they are copied. */
  #valueOf(value: Bytes): Uint8Array {
    const bytes = valueFromUser(value, this.#config.valueBytesMax)
    return typeof value === 'string' ? bytes : copyOf(bytes)
  }

  #timeoutOf(options: { readonly timeoutMs?: number }, byDefault: number): number {
    const { tombstoneGraceMs } = this.#config
    // Nothing may be under way for longer than deletes are remembered for.
    const most = tombstoneGraceMs === 0 ? TIMEOUT_MS_MAX : Math.min(TIMEOUT_MS_MAX, tombstoneGraceMs)
    return options.timeoutMs === undefined ? byDefault : checkWhole('timeoutMs', options.timeoutMs, 1, most)
  }
}

function wholeUs(ms: number): number {
  return (ms * 1_000) | 0
}
