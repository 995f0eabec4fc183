/**
 * The reads of one `getMany`, each a request of its own: gathers their values, and settles the call's promise once: no key needs a
 * promise of its own.
 *
 * Called by the client.
 */

import { REQUEST_KINDS } from '../actors/runtime/request-counters.js'
import type { KeptFor, Pending } from './answers.js'
import type { Key } from './protocol/ids.js'

type Values = (Uint8Array | undefined)[]

export class Gathering {
  readonly #values: Values = []
  readonly #resolve: (values: Values) => void
  readonly #reject: (error: unknown) => void
  #left: number

  constructor(keys: number, resolve: (values: Values) => void, reject: (error: unknown) => void) {
    this.#left = keys
    this.#resolve = resolve
    this.#reject = reject
    for (let place = 0; place < keys; place++) this.#values.push(undefined)
    if (keys === 0) resolve(this.#values)
  }

  settle(place: number, value: Uint8Array | undefined): void {
    this.#values[place] = value
    this.#left -= 1
    if (this.#left === 0) this.#resolve(this.#values)
  }

  /** The first failure is the call's; what ends after it changes nothing. */
  fail(error: unknown): void {
    this.#reject(error)
  }
}

/** One of the keys. */
export class PlaceOfMany implements Pending {
  readonly answer = 'value'
  readonly kind = REQUEST_KINDS.get

  readonly sinceUs: number
  readonly key: Key
  readonly keptFor: KeptFor | undefined

  constructor(
    private readonly gathering: Gathering,
    private readonly place: number,
    { sinceUs, key, keptFor }: Pick<Pending, 'sinceUs' | 'keptFor'> & { readonly key: Key },
  ) {
    this.sinceUs = sinceUs
    this.key = key
    this.keptFor = keptFor
  }

  resolve(value: unknown): void {
    this.gathering.settle(this.place, value as Uint8Array | undefined)
  }

  reject(error: unknown): void {
    this.gathering.fail(error)
  }
}
