/**
 * The calls of `KeyValueStore` on a Redis Cluster: checked, copied, bounded, given to the store with a deadline, and counted. Decides
 * no more than `src/client.ts` does for the embedded engine.
 */

import { REQUEST_KINDS, type RequestCounters, type RequestKind } from '../../../actors/runtime/request-counters.js'
import type { CallWatch } from '../../observe/call-watch.js'
import { FAILURE_CODES, type FailureCode } from '../../protocol/failure.js'
import type { Key, PartitionId } from '../../protocol/ids.js'
import { partitionOf, slotOf } from '../../protocol/ring/slot.js'
import { contextTextFor } from '../../protocol/versions/context.js'
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
} from '../../shared/api.js'
import {
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
} from '../../shared/call-arguments.js'
import { CoterieError } from '../../shared/errors.js'
import { keyFromUser, keyToBytes, valueFromUser } from '../../shared/keys.js'
import { checkNames, checkWhole, invalid } from '../../shared/options.js'
import type { Batches } from './batches.js'
import { mergedRows } from './rows.js'
import type { Reading, RedisStore, Writing } from './store.js'

export interface RedisClientConfig {
  readonly partitions: number
  readonly n: number
  readonly r: number
  readonly w: number
  readonly readTimeoutMs: number
  readonly writeTimeoutMs: number
  readonly valueBytesMax: number
  readonly requestsInFlightMax: number
  readonly bytesInFlightMax: number
}

interface RedisClientOptions {
  readonly config: RedisClientConfig
  readonly counters: RequestCounters
  readonly store: RedisStore
  readonly batches: Batches
  readonly ownersOf: (partition: PartitionId) => string[]
  readonly watch: CallWatch
}

const NO_OPTIONS = {}
const NO_STAND_INS = 'false: a Redis Cluster has no nodes that stand in'

/** Every call of `KeyValueStore` but `close`. */
export class RedisClient implements Omit<KeyValueStore, 'id' | 'close' | typeof Symbol.asyncDispose> {
  readonly #options: RedisClientOptions
  readonly #config: RedisClientConfig
  /** Nothing is gathered here. */
  readonly isTurnOpen = false
  #requests = 0
  #bytes = 0
  #isClosed = false

  constructor(options: RedisClientOptions) {
    this.#options = options
    this.#config = options.config
  }

  /** Calls that have not settled; a page of a scan is one. */
  get running(): number {
    return this.#requests
  }

  close(): void {
    this.#isClosed = true
  }

  async get(key: Bytes, options?: GetOptions): Promise<Uint8Array | undefined> {
    const binary = keyFromUser(key)
    const reading = this.#readingOf(options, GET_OPTIONS)
    return this.#run(REQUEST_KINDS.get, binary.length, () =>
      this.#options.store.get(this.#partitionOf(binary), binary, reading),
    )
  }

  async read(key: Bytes, options?: GetOptions): Promise<ReadResult> {
    const value = await this.get(key, options)
    return { values: value === undefined ? [] : [value], context: contextTextFor(keyFromUser(key), {}) }
  }

  async getMany(keys: readonly Bytes[], options?: GetOptions): Promise<(Uint8Array | undefined)[]> {
    if (!Array.isArray(keys)) throw invalid('keys', keys, 'an array of keys')
    const binary = keys.map(keyFromUser)
    const reading = this.#readingOf(options, GET_OPTIONS)
    const places = new Map<PartitionId, number[]>()
    for (const [index, key] of binary.entries()) {
      const partition = this.#partitionOf(key)
      places.set(partition, [...(places.get(partition) ?? []), index])
    }
    const values: (Uint8Array | undefined)[] = Array.from({ length: keys.length })
    const bytes = binary.reduce((sum, key) => sum + key.length, 0)
    await this.#run(REQUEST_KINDS.get, bytes, () =>
      Promise.all(
        [...places].map(async ([partition, indexes]) => {
          const some = indexes.map((index) => binary[index] as Key)
          const found = await this.#options.store.getMany(partition, some, reading)
          for (const [at, index] of indexes.entries()) values[index] = found[at]
        }),
      ),
    )
    return values
  }

  async put(key: Bytes, value: Bytes, options?: PutOptions): Promise<void> {
    return this.#write(REQUEST_KINDS.put, keyFromUser(key), this.#valueOf(value), options)
  }

  async delete(key: Bytes, options?: PutOptions): Promise<void> {
    return this.#write(REQUEST_KINDS.delete, keyFromUser(key), null, options)
  }

  async batch(operations: readonly BatchOperation[], options?: BatchOptions): Promise<void> {
    const { keys, values } = columnsOf(operations, (value) => this.#valueOf(value))
    const writing = this.#writingOf(options, BATCH_OPTIONS)
    const isLogged = booleanOf('logged', options?.logged)
    const { batches } = this.#options
    const parts = batches.partsOf(keys, values)
    return this.#run(REQUEST_KINDS.batch, sizeOf(keys, values), () =>
      isLogged ? batches.writeLogged(parts, writing) : batches.write(parts, writing),
    )
  }

  /** Bounds are read at the call; what is wrong with them rejects the first row. */
  scan(options: ScanOptions = {}): AsyncGenerator<[Uint8Array, Uint8Array]> {
    try {
      checkNames(options, SCAN_OPTIONS)
      const range = rangeOf(options)
      const limit =
        options.limit === undefined
          ? Number.POSITIVE_INFINITY
          : checkWhole('limit', options.limit, 0, Number.MAX_SAFE_INTEGER)
      const r = this.#copies('r', options.r, this.#config.r)
      const timeoutMs = timeoutOf(options, this.#config.readTimeoutMs * SCAN_TIMEOUT_FACTOR)
      return this.#rows({ range, limit, r, timeoutMs })
    } catch (error) {
      return failedRows(error)
    }
  }

  locate(key: Bytes): Location {
    const binary = keyFromUser(key)
    const partition = this.#partitionOf(binary)
    return { slot: slotOf(binary), partition, owners: this.#options.ownersOf(partition) }
  }

  async *#rows(plan: {
    readonly range: ReturnType<typeof rangeOf>
    readonly limit: number
    readonly r: number
    readonly timeoutMs: number
  }): AsyncGenerator<[Uint8Array, Uint8Array]> {
    const { range, limit, r, timeoutMs } = plan
    this.#assertOpen()
    if (range === undefined) return
    const { store } = this.#options
    // The pages of all partitions together are one request.
    const rows = mergedRows({ partitions: this.#config.partitions, range, limit }, (wanted) => {
      const reading = { r, deadlineMs: performance.now() + timeoutMs }
      const readAll = () =>
        Promise.all(wanted.map((page) => store.page(page.partition, page.range, page.rows, reading)))
      const { watch } = this.#options
      const run = () => this.#run(REQUEST_KINDS.scan, 0, readAll)
      return watch.isOn ? watch.run('scan', sumOf(wanted.map((page) => page.rows)), run) : run()
    })
    for await (const [key, value] of rows) yield [keyToBytes(key), copyOf(value)]
  }

  async #write(kind: RequestKind, key: Key, value: Uint8Array | null, options: PutOptions | undefined): Promise<void> {
    const writing = this.#writingOf(options, PUT_OPTIONS)
    if (options?.context !== undefined) contextOf(key, options.context)
    const part = { partition: this.#partitionOf(key), keys: [key], values: [value] }
    return this.#run(kind, sizeOf([key], [value]), () => this.#options.store.write(part, writing))
  }

  async #run<T>(kind: RequestKind, bytes: number, work: () => Promise<T>): Promise<T> {
    this.#assertOpen()
    const { requestsInFlightMax, bytesInFlightMax } = this.#config
    if (this.#requests >= requestsInFlightMax || this.#bytes >= bytesInFlightMax) throw new CoterieError('OVERLOADED')
    const startedMs = performance.now()
    this.#requests += 1
    this.#bytes += bytes
    let failure: FailureCode | undefined
    try {
      return await work()
    } catch (error) {
      failure = failureOf(error)
      throw error
    } finally {
      this.#requests -= 1
      this.#bytes -= bytes
      this.#options.counters.record(kind, Math.round((performance.now() - startedMs) * 1_000), failure)
    }
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new CoterieError('CLOSED')
  }

  #partitionOf(key: Key): PartitionId {
    return partitionOf(key, this.#config.partitions)
  }

  #readingOf(options: GetOptions = NO_OPTIONS, names: readonly string[]): Reading {
    this.#assertOpen()
    if (options !== NO_OPTIONS) checkNames(options, names)
    refuseSloppy(options.sloppy)
    const r = this.#copies('r', options.r, this.#config.r)
    return { r, deadlineMs: performance.now() + timeoutOf(options, this.#config.readTimeoutMs) }
  }

  #writingOf(options: PutOptions | BatchOptions = NO_OPTIONS, names: readonly string[]): Writing {
    this.#assertOpen()
    if (options !== NO_OPTIONS) checkNames(options, names)
    refuseSloppy(options.sloppy)
    const w = this.#copies('w', options.w, this.#config.w)
    return { w, deadlineMs: performance.now() + timeoutOf(options, this.#config.writeTimeoutMs) }
  }

  #copies(name: 'r' | 'w', value: number | undefined, byDefault: number): number {
    return value === undefined ? byDefault : checkWhole(name, value, 1, this.#config.n)
  }

  /** The caller may overwrite its bytes as soon as the call returns: they are copied. */
  #valueOf(value: Bytes): Uint8Array {
    const bytes = valueFromUser(value, this.#config.valueBytesMax)
    return typeof value === 'string' ? bytes : copyOf(bytes)
  }
}

function refuseSloppy(sloppy: boolean | undefined): void {
  if (booleanOf('sloppy', sloppy)) throw invalid('sloppy', sloppy, NO_STAND_INS)
}

/** What does not come from Redis is a mistake here, and counted as a store that failed. */
function failureOf(error: unknown): FailureCode {
  const code = FAILURE_CODES.find((known) => error instanceof CoterieError && error.code === known)
  return code ?? 'STORE_FAILED'
}

function timeoutOf(options: { readonly timeoutMs?: number }, byDefault: number): number {
  return options.timeoutMs === undefined ? byDefault : checkWhole('timeoutMs', options.timeoutMs, 1, TIMEOUT_MS_MAX)
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + number, 0)
}

function sizeOf(keys: readonly Key[], values: readonly (Uint8Array | null)[]): number {
  return keys.reduce((sum, key, index) => sum + key.length + (values[index]?.byteLength ?? 0), 0)
}
