/**
 * The calls of one thread while its cluster may move: to the cluster or, after the cutover, to the store that it has moved to. In between
 * writes wait, for as long as a quick breath, and never past their deadline; reads never wait.
 *
 * Called by `open-cluster.ts` and `connect.ts`, as the `KeyValueStore` that they are.
 */

import type { Client } from '../client.js'
import type { BatchOperation, Bytes, KeyValueStore } from '../shared/api.js'
import { copyOf } from '../shared/call-arguments.js'
import { CoterieError } from '../shared/errors.js'

/** Of a timer. */
const TIMEOUT_MS_MAX = 2_147_483_647

export type Calls = Omit<KeyValueStore, 'id' | 'close' | typeof Symbol.asyncDispose>

export interface DoorLimits {
  readonly writeTimeoutMs: number
  readonly requestsInFlightMax: number
  readonly bytesInFlightMax: number
}

interface Waiting {
  go(): void
  end(error: CoterieError): void
}

export class Door implements Calls {
  readonly #client: Client
  readonly #limits: DoorLimits
  #calls: Calls
  /** Undefined: writes are not held. */
  #held: Set<Waiting> | undefined
  /** Keys and values of those that are held. */
  #heldBytes = 0

  constructor(client: Client, calls: Calls, limits: DoorLimits) {
    this.#client = client
    this.#limits = limits
    this.#calls = calls
  }

  get waiting(): number {
    return this.#held?.size ?? 0
  }

  get: Calls['get'] = (...call) => this.#calls.get(...call)
  read: Calls['read'] = (...call) => this.#calls.read(...call)
  getMany: Calls['getMany'] = (...call) => this.#calls.getMany(...call)
  scan: Calls['scan'] = (...call) => this.#calls.scan(...call)
  locate: Calls['locate'] = (...call) => this.#calls.locate(...call)

  put: Calls['put'] = (key, value, options) => {
    if (this.#held === undefined) return this.#calls.put(key, value, options)
    const [heldKey, heldValue] = [bytesOf(key), bytesOf(value)]
    return this.#hold(options, sizeOf(heldKey) + sizeOf(heldValue), (left) => this.#calls.put(heldKey, heldValue, left))
  }

  delete: Calls['delete'] = (key, options) => {
    if (this.#held === undefined) return this.#calls.delete(key, options)
    const heldKey = bytesOf(key)
    return this.#hold(options, sizeOf(heldKey), (left) => this.#calls.delete(heldKey, left))
  }

  batch: Calls['batch'] = (operations, options) => {
    if (this.#held === undefined || !Array.isArray(operations)) return this.#calls.batch(operations, options)
    const held = operations.map(operationOf)
    const bytes = held.reduce((sum, one) => sum + sizeOf(one.key) + (one.type === 'put' ? sizeOf(one.value) : 0), 0)
    return this.#hold(options, bytes, (left) => this.#calls.batch(held, left))
  }

  hold(): void {
    this.#held ??= new Set()
  }

  letGo(): void {
    const held = this.#held
    this.#held = undefined
    for (const waiting of held ?? []) waiting.go()
  }

  /** Reads go there at once, writes once they are let go; a scan from its next page on. */
  moveTo(successor: KeyValueStore): void {
    this.#calls = successor
    this.#client.moveTo(successor)
  }

  close(): void {
    const held = this.#held
    this.#held = undefined
    for (const waiting of held ?? []) waiting.end(new CoterieError('CLOSED'))
  }

  /** `call` is given what is left of its time. */
  #hold<Options extends { readonly timeoutMs?: number }>(
    options: Options | undefined,
    bytes: number,
    call: (options: Options | undefined) => Promise<void>,
  ): Promise<void> {
    const held = this.#held as Set<Waiting>
    const { requestsInFlightMax, bytesInFlightMax } = this.#limits
    if (held.size >= requestsInFlightMax || this.#heldBytes >= bytesInFlightMax)
      return Promise.reject(new CoterieError('OVERLOADED'))
    this.#heldBytes += bytes
    const timeoutMs: unknown = options?.timeoutMs ?? this.#limits.writeTimeoutMs
    // What is no time is refused when its turn comes.
    const isTime =
      Number.isSafeInteger(timeoutMs) && (timeoutMs as number) > 0 && (timeoutMs as number) <= TIMEOUT_MS_MAX
    const ms = isTime ? (timeoutMs as number) : this.#limits.writeTimeoutMs
    const endMs = performance.now() + ms
    return new Promise((resolve, reject) => {
      const end = (error: CoterieError): void => {
        clearTimeout(timer)
        this.#heldBytes -= bytes
        held.delete(waiting)
        reject(error)
      }
      const waiting: Waiting = {
        go: () => {
          clearTimeout(timer)
          this.#heldBytes -= bytes
          const leftMs = Math.max(1, Math.ceil(endMs - performance.now()))
          resolve(call(isTime ? ({ ...options, timeoutMs: Math.min(ms, leftMs) } as Options) : options))
        },
        end,
      }
      const timer = setTimeout(() => end(new CoterieError('TIMEOUT', 'the cluster moves, and takes long')), ms)
      held.add(waiting)
    })
  }
}

/** The caller may overwrite its bytes as soon as the call returns. What is no bytes is refused when its turn comes. */
function bytesOf(bytes: Bytes): Bytes {
  return bytes instanceof Uint8Array ? copyOf(bytes) : bytes
}

/** What is no bytes has none. */
function sizeOf(bytes: unknown): number {
  return typeof bytes === 'string' || bytes instanceof Uint8Array ? bytes.length : 0
}

function operationOf(operation: BatchOperation): BatchOperation {
  const key = bytesOf(operation?.key)
  return operation?.type === 'put' ? { ...operation, key, value: bytesOf(operation.value) } : { ...operation, key }
}
