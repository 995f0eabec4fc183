/**
 * Concurrent callers that get, put and delete until they are told to stop, and write down what they saw. Every put has a
 * value of its own. Keys are used in generations, so that no key's history grows past what a checker can search.
 *
 * Runs against anything that is a `KeyValueStore`: the opener's cluster, a connected thread's, a model in a test.
 */

import { setTimeout as delay } from 'node:timers/promises'
import { Prng } from '../../src/protocol/prng.js'
import type { GetOptions, KeyValueStore, PutOptions } from '../../src/shared/api.js'
import { History, now } from './history.js'

/** What the callers do. Plain data, so that it can be given to a thread. */
export interface WorkloadOptions {
  readonly callers: number
  readonly seed: number
  /** Numbers operations over all threads of a run: a put's number is its value, and generations follow from it. */
  readonly counter: Int32Array<SharedArrayBuffer>
  /** Keys in use at a time; default 64. */
  readonly keysInUse?: number
  /** Operations on a key before another takes its place, on average; default 300. */
  readonly operationsPerKey?: number
  /** Shares of a hundred operations; default 50 gets, 45 puts, 5 deletes. */
  readonly mix?: { readonly get: number; readonly put: number; readonly delete: number }
  /** Bytes of a value; default 100. */
  readonly valueBytes?: number
  /** Of these callers together; 0 or absent: as fast as they can. */
  readonly requestsPerSecondMax?: number
  readonly getOptions?: GetOptions
  readonly putOptions?: PutOptions
}

/** A request that did not end well. */
export interface RequestFailure {
  readonly kind: 'get' | 'put' | 'delete'
  readonly key: string
  /** A CoterieError's code, or `UNEXPECTED`. */
  readonly code: string
  readonly message: string
  readonly failedAt: number
  readonly latencyMs: number
}

/** What the callers saw. */
export interface WorkloadReport {
  readonly history: History
  readonly requests: number
  readonly failures: readonly RequestFailure[]
}

/** Callers at work. */
export interface Workload {
  /** Lets every caller finish its request. Errors: throws if one is not answered within `withinMs` (default 30,000). */
  stop(options?: { withinMs?: number }): Promise<WorkloadReport>
}

/** A new counter for the threads of one run. */
export function newCounter(): Int32Array<SharedArrayBuffer> {
  return new Int32Array(new SharedArrayBuffer(4))
}

/** The key of a number. */
export function keyOf(number: number): string {
  return `soak:${String(number).padStart(6, '0')}`
}

/** The value of a number. */
export function textOf(number: number, valueBytes: number): string {
  return String(number).padEnd(valueBytes, '.')
}

/** The number of a value; −1 for none, NaN for bytes that no put of a workload has written. */
export function numberOf(value: Uint8Array | undefined, valueBytes: number): number {
  if (value === undefined) return -1
  const text = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')
  const number = Number.parseInt(text, 10)
  return textOf(number, valueBytes) === text ? number : Number.NaN
}

/** Reads keys as operations of a history: what a checker needs to see that nothing was lost. */
export async function readBack(
  store: KeyValueStore,
  numbers: readonly number[],
  options: { readonly history: History; readonly valueBytes: number; readonly getOptions?: GetOptions },
): Promise<void> {
  const { history, valueBytes } = options
  for (let from = 0; from < numbers.length; from += 250) {
    const some = numbers.slice(from, from + 250)
    const rows = some.map((number) => history.begin(number, 'get', -1))
    const values = await store.getMany(some.map(keyOf), options.getOptions)
    for (const [index, row] of rows.entries()) history.end(row, 'answered', numberOf(values[index], valueBytes))
  }
}

/** Starts the callers, which write what they see into `history`. */
export function startWorkload(store: KeyValueStore, options: WorkloadOptions, history = new History()): Workload {
  const run = new Run(store, options, history)
  const callers = Array.from({ length: options.callers }, (_, index) =>
    run.call(new Prng(options.seed * 1_000 + index)),
  )
  return { stop: (stopOptions) => run.stop(callers, stopOptions?.withinMs ?? 30_000) }
}

class Run {
  readonly #store: KeyValueStore
  readonly #options: Required<Omit<WorkloadOptions, 'getOptions' | 'putOptions'>>
  readonly #getOptions: GetOptions
  readonly #putOptions: PutOptions
  readonly #history: History
  readonly #failures: RequestFailure[] = []
  readonly #startedAt = now()
  #waiting = 0
  #stopped = false

  constructor(store: KeyValueStore, { getOptions, putOptions, ...options }: WorkloadOptions, history: History) {
    this.#store = store
    this.#history = history
    this.#getOptions = getOptions ?? {}
    this.#putOptions = putOptions ?? {}
    const byDefault = { keysInUse: 64, operationsPerKey: 300, valueBytes: 100, requestsPerSecondMax: 0 }
    this.#options = { ...byDefault, mix: { get: 50, put: 45, delete: 5 }, ...options }
  }

  async call(prng: Prng): Promise<void> {
    while (!this.#stopped) {
      await this.#pace()
      await this.#request(prng)
    }
  }

  async stop(callers: readonly Promise<void>[], withinMs: number): Promise<WorkloadReport> {
    this.#stopped = true
    const watch = new AbortController()
    const late = delay(withinMs, 'late' as const, { signal: watch.signal }).catch(() => 'ended' as const)
    const first = await Promise.race([Promise.all(callers), late])
    watch.abort()
    if (first === 'late') throw new Error(`${this.#waiting} requests were not answered within ${withinMs} ms`)
    return { history: this.#history, requests: this.#history.length, failures: this.#failures }
  }

  async #pace(): Promise<void> {
    const { requestsPerSecondMax } = this.#options
    if (requestsPerSecondMax === 0) return
    const earlyMs = (this.#history.length / requestsPerSecondMax) * 1e3 - (now() - this.#startedAt) / 1e6
    if (earlyMs >= 1) await delay(earlyMs)
  }

  async #request(prng: Prng): Promise<void> {
    const { counter, keysInUse, operationsPerKey, mix } = this.#options
    const number = Atomics.add(counter, 0, 1)
    const generation = Math.floor(number / (keysInUse * operationsPerKey))
    const key = generation * keysInUse + prng.below(keysInUse)
    const choice = prng.next() * (mix.get + mix.put + mix.delete)
    const kind = choice < mix.get ? 'get' : choice < mix.get + mix.put ? 'put' : 'delete'
    const row = this.#history.begin(key, kind, kind === 'put' ? number : -1)
    this.#waiting += 1
    try {
      const value = await this.#send(kind, keyOf(key), number)
      this.#history.end(row, 'answered', value)
    } catch (error) {
      this.#fail(row, kind, keyOf(key), error)
    } finally {
      this.#waiting -= 1
    }
  }

  /** What a get answered. */
  async #send(kind: 'get' | 'put' | 'delete', key: string, number: number): Promise<number | undefined> {
    const { valueBytes } = this.#options
    if (kind === 'get') return numberOf(await this.#store.get(key, this.#getOptions), valueBytes)
    if (kind === 'put') await this.#store.put(key, textOf(number, valueBytes), this.#putOptions)
    else await this.#store.delete(key, this.#putOptions)
    return undefined
  }

  /** Only a code of the table says that a write took no effect; anything else leaves its outcome unknown. */
  #fail(row: number, kind: 'get' | 'put' | 'delete', key: string, error: unknown): void {
    const code = codeOf(error)
    this.#history.end(row, code === 'OUTCOME_UNKNOWN' || code === 'UNEXPECTED' ? 'unknown' : 'failed')
    const { invokedAt, returnedAt } = this.#history.row(row)
    const message = error instanceof Error ? error.message : String(error)
    const latencyMs = (returnedAt - invokedAt) / 1e6
    this.#failures.push({ kind, key, code, message, failedAt: returnedAt, latencyMs })
    // Failures come without a wait: a caller that only fails would fill the memory and starve the loop.
    if (this.#failures.length >= 10_000) this.#stopped = true
  }
}

function codeOf(error: unknown): string {
  const isCoterieError = error instanceof Error && error.name === 'CoterieError'
  const code = isCoterieError && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : 'UNEXPECTED'
}
