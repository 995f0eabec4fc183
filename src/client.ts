/**
 * The program's calls: checked, copied, gathered over one microtask turn, given to the gateway as one batch, and settled
 * exactly once each.
 *
 * It keeps no protocol: deadlines, quorums and refusals are the gateway's. Called by `open-cluster.ts` and `connect.ts`, which
 * both are a `KeyValueStore` through it and what tells of its calls, and by a migration, which reads records with their stamps.
 */

import { nowMs } from '../actors/runtime/clock.js'
import { REQUEST_KINDS, type RequestCounters } from '../actors/runtime/request-counters.js'
import { type Answer, answerOf, isWrite, type KeptFor, type Pending } from './answers.js'
import { CallChecks, type ReadOptions } from './call-checks.js'
import type { ClientConfig, ClientParts, Entrance, RecordReading } from './client-parts.js'
import { Gathering, PlaceOfMany } from './many-gets.js'
import { MISSED, type NearCache } from './near-cache.js'
import type { CallWatch } from './observe/call-watch.js'
import { RequestSpans } from './observe/request-spans.js'
import type { OperationOutcome, ScanPage } from './protocol/coordinator/request.js'
import type { ClientRequest } from './protocol/gateway-contract.js'
import { IdTable } from './protocol/id-table.js'
import type { Epoch, Key } from './protocol/ids.js'
import type { KeyRange } from './protocol/messages.js'
import { preferenceList } from './protocol/ring/preference-list.js'
import { partitionOf, slotOf } from './protocol/ring/slot.js'
import { rowOf } from './protocol/ring/table.js'
import type { VersionRecord } from './protocol/versions/record.js'
import { ScanRows } from './scan-rows.js'
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
import { BATCH_OPTIONS, booleanOf, columnsOf, contextOf, failedRows, PUT_OPTIONS } from './shared/call-arguments.js'
import { CoterieError, errorOfFailure } from './shared/errors.js'
import { keyFromUser } from './shared/keys.js'
import { invalid } from './shared/options.js'

/** Requests given to the gateway at once; stamps of one turn share a clock reading and count up to 65,536. */
const TURN_REQUESTS_MAX = 8_192
/** Keys of one `getMany` that are in flight at a time. */
const MANY_KEYS_MAX = 4_096
/** Of one page of a scan. */
const SCAN_BYTES_MAX = 1_048_576
/** Answers from the near cache before one waits for a turn of the event loop: a program that only reads such keys would stop it. */
const HITS_PER_TURN = 512

/** Every call of `KeyValueStore` but `close`. */
export class Client implements Omit<KeyValueStore, 'id' | 'close' | typeof Symbol.asyncDispose> {
  readonly #config: ClientConfig
  readonly #gateway: () => Entrance
  readonly #counters: RequestCounters
  readonly #near: NearCache | undefined
  #hitsOfTurn = 0
  readonly #checks: CallChecks
  readonly #watch: CallWatch
  readonly #spans = new RequestSpans((observer) => this.#gateway().observe(observer))
  readonly #pending = new IdTable<Pending>()
  #turn: ClientRequest[] = []
  #turnStartMs = 0
  /** The same in microseconds as a 32-bit number, which an object holds without a box of its own; it wraps after 36 minutes each way. */
  #turnUs = 0
  #nextId = 1
  #writing = 0
  /** Where the store has moved to. */
  #successor: KeyValueStore | undefined
  #isClosed = false

  constructor(config: ClientConfig, parts: ClientParts) {
    const { counters, watch, near, gateway } = parts
    this.#config = config
    this.#near = near
    this.#checks = new CallChecks(config, () => gateway().table.n)
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

  /** Of those that have not settled, writes. */
  get writing(): number {
    return this.#writing
  }

  /** Scans go on there, from their next page. */
  moveTo(successor: KeyValueStore): void {
    this.#successor = successor
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
    if (isWrite(pending)) this.#writing -= 1
    const tookUs = Math.max(0, (wholeUs(nowMs) - pending.sinceUs) | 0)
    const failure = outcome.type === 'failed' ? outcome.failure.code : undefined
    this.#counters.record(pending.kind, tookUs, failure)
    if (this.#spans.isOn) this.#spans.end(id, failure)
    if (outcome.type === 'failed') pending.reject(errorOfFailure(outcome.failure))
    else this.#resolve(pending, outcome)
  }

  #resolve(pending: Pending, outcome: OperationOutcome): void {
    const { answer, key = '', keptFor } = pending
    const shown = answerOf(answer, key, outcome)
    if (keptFor !== undefined) this.#near?.keep(key, keptFor.r, keptFor.mark, shown as Uint8Array | undefined)
    pending.resolve(shown)
  }

  get(key: Bytes, options?: GetOptions): Promise<Uint8Array | undefined> {
    try {
      this.#assertOpen()
      const binary = keyFromUser(key)
      const read = this.#checks.read(options)
      const found = this.#findNear(binary, read, this.#epoch)
      return found === MISSED ? this.#get(binary, read, 'value') : this.#hit(found)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  read(key: Bytes, options?: GetOptions): Promise<ReadResult> {
    try {
      this.#assertOpen()
      return this.#get(keyFromUser(key), this.#checks.read(options), 'read')
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async getMany(keys: readonly Bytes[], options?: GetOptions): Promise<(Uint8Array | undefined)[]> {
    this.#assertOpen()
    if (!Array.isArray(keys)) throw invalid('keys', keys, 'an array of keys')
    const binary = keys.map(keyFromUser)
    const read = this.#checks.read(options)
    const window = Math.min(MANY_KEYS_MAX, this.#config.requestsInFlightMax)
    if (binary.length <= window) return this.#getAll(binary, read)
    // One window after the other, all within one deadline: more than may be in flight would be refused.
    const endMs = nowMs() + read.timeoutMs
    const values: (Uint8Array | undefined)[] = []
    for (let from = 0; from < binary.length; from += window) {
      const timeoutMs = Math.max(1, Math.ceil(endMs - nowMs()))
      const some = binary.slice(from, from + window)
      for (const value of await this.#getAll(some, { ...read, timeoutMs })) values.push(value)
    }
    return values
  }

  #getAll(keys: readonly Key[], read: ReadOptions): Promise<(Uint8Array | undefined)[]> {
    // Here, where it rejects the call: a promise that is looked at after a turn of the loop must not be rejected before.
    this.#assertOpen()
    const epoch = this.#epoch
    let isHere = true
    const hashes = read.sloppy ? undefined : this.#near?.prepare(keys)
    const values = new Promise<(Uint8Array | undefined)[]>((resolve, reject) => {
      const gathering = new Gathering(keys.length, resolve, reject)
      for (let place = 0; place < keys.length; place++) {
        const key = keys[place] as Key
        const found = this.#findNear(key, read, epoch, hashes?.[place])
        if (found !== MISSED) {
          this.#countHit()
          gathering.settle(place, found)
          continue
        }
        isHere = false
        const request = this.#getRequest(key, read)
        const keptFor = this.#keptFor(request)
        this.#admit(request, new PlaceOfMany(gathering, place, { sinceUs: this.#turnUs, key, keptFor }))
      }
    })
    return isHere && this.#hitsOfTurn >= HITS_PER_TURN ? this.#afterTurn(values) : values
  }

  /** With its stamp, also a tombstone. Errors: as for get. */
  record(key: Key, { r, timeoutMs }: RecordReading): Promise<VersionRecord | undefined> {
    return new Promise((resolve, reject) => {
      this.#assertOpen()
      const deadlineMs = this.#turnMs() + timeoutMs
      const request = { kind: 'get' as const, id: this.#takeId(), key, r, sloppy: false, deadlineMs }
      const pending = {
        kind: REQUEST_KINDS.get,
        sinceUs: this.#turnUs,
        key,
        resolve: resolve as Pending['resolve'],
        reject,
      }
      this.#admit(request, { answer: 'record', ...pending })
    })
  }

  /** Live records in order, with their stamps. Errors: as for a scan. */
  records(range: KeyRange, reading: RecordReading & { readonly limit: number }): Promise<ScanPage> {
    return this.#scanPage(range, reading)
  }

  put(key: Bytes, value: Bytes, options?: PutOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#assertOpen()
      const request = this.#putRequest([keyFromUser(key)], [this.#checks.value(value)], options, PUT_OPTIONS)
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
      const { keys, values } = columnsOf(operations, (value) => this.#checks.value(value))
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
  scan(options: ScanOptions = {}): AsyncIterableIterator<[Uint8Array, Uint8Array]> {
    try {
      const { range, limit, r, timeoutMs } = this.#checks.scan(options)
      const page = (part: KeyRange, rows: number) => this.#scanPage(part, { limit: rows, r, timeoutMs })
      const read = (part: KeyRange, rows: number) =>
        this.#watch.isOn ? this.#watch.run('scan', rows, () => page(part, rows)) : page(part, rows)
      return new ScanRows({ read, successor: () => this.#successor }, range, limit)
    } catch (error) {
      return failedRows(error)
    }
  }

  locate(key: Bytes): Location {
    const binary = keyFromUser(key)
    const partition = partitionOf(binary, this.#config.partitions)
    const owners = [...preferenceList(rowOf(this.#gateway().table, partition))]
    return { slot: slotOf(binary), partition, owners }
  }

  #get<T>(key: Key, read: ReadOptions, answer: Answer): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#assertOpen()
      const request = this.#getRequest(key, read)
      const keptFor = answer === 'value' ? this.#keptFor(request) : undefined
      const sinceUs = this.#turnUs
      this.#admit(request, { answer, kind: REQUEST_KINDS.get, sinceUs, key, keptFor, resolve, reject })
    })
  }

  #findNear(key: Key, { r, sloppy }: ReadOptions, epoch: Epoch, hash?: number): Uint8Array | undefined | typeof MISSED {
    return this.#near === undefined || sloppy ? MISSED : this.#near.find(key, r, epoch, hash)
  }

  get #epoch(): Epoch {
    return this.#gateway().table.epoch
  }

  /** Undefined: what is answered is not kept here. Taken before any replica is asked. */
  #keptFor({ key, r, sloppy }: ClientRequest & { kind: 'get' }): KeptFor | undefined {
    return this.#near === undefined || sloppy ? undefined : { r, mark: this.#near.markOf(key, this.#epoch) }
  }

  #hit(found: Uint8Array | undefined): Promise<Uint8Array | undefined> {
    this.#countHit()
    return this.#hitsOfTurn < HITS_PER_TURN ? Promise.resolve(found) : this.#afterTurn(found)
  }

  #countHit(): void {
    this.#hitsOfTurn += 1
    this.#counters.recordHit(REQUEST_KINDS.get)
  }

  /** Lets the event loop turn before the call is settled. */
  #afterTurn<T>(value: T | Promise<T>): Promise<T> {
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#hitsOfTurn = 0
        resolve(value)
      })
    })
  }

  #getRequest(key: Key, { r, sloppy, timeoutMs }: ReadOptions): ClientRequest & { kind: 'get' } {
    return { kind: 'get', id: this.#takeId(), key, r, sloppy, deadlineMs: this.#turnMs() + timeoutMs }
  }

  #putRequest(
    keys: readonly Key[],
    values: readonly (Uint8Array | null)[],
    options: PutOptions | undefined,
    names: readonly string[],
  ): ClientRequest & { kind: 'put' } {
    const { w, sloppy, timeoutMs } = this.#checks.write(options, names)
    const deadlineMs = this.#turnMs() + timeoutMs
    const put = { kind: 'put' as const, id: this.#takeId(), keys, values, w, sloppy, deadlineMs }
    if (options?.context === undefined) return put
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
    if (isWrite(pending)) this.#writing += 1
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
}

function wholeUs(ms: number): number {
  return (ms * 1_000) | 0
}
