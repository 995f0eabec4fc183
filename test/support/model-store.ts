/**
 * A `KeyValueStore` in memory that answers after a few turns of the event loop and can be told to break a rule: it proves that
 * workload and checker together catch what they are for. Only the calls of a workload work.
 */

import { setImmediate as turn } from 'node:timers/promises'
import { Prng } from '../../src/protocol/prng.js'
import type { Bytes, KeyValueStore } from '../../src/shared/api.js'
import { CoterieError, type CoterieErrorCode } from '../../src/shared/errors.js'

/** Which rule is broken; each with the share of the operations that it happens to. */
export interface ModelFaults {
  readonly seed: number
  /** Gets that answer what was there before the last write. */
  readonly staleReads?: number
  /** Acknowledged puts that are not kept. */
  readonly lostPuts?: number
  /** Acknowledged deletes that are undone by a later write to another key. */
  readonly undoneDeletes?: number
  /** Writes that reject with this code; half of them take effect if the code says that this is possible. */
  readonly failures?: { readonly code: CoterieErrorCode; readonly share: number }
}

/** The model: correct but for its faults. */
export class ModelStore implements KeyValueStore {
  readonly id = 'model'
  readonly #values = new Map<string, Uint8Array>()
  readonly #before = new Map<string, Uint8Array | undefined>()
  readonly #undeleted: [string, Uint8Array][] = []
  readonly #faults: ModelFaults
  readonly #prng: Prng

  constructor(faults: ModelFaults) {
    this.#faults = faults
    this.#prng = new Prng(faults.seed)
  }

  async get(key: Bytes): Promise<Uint8Array | undefined> {
    await this.#turns()
    const stale = this.#happens(this.#faults.staleReads)
    const value = (stale ? this.#before : this.#values).get(String(key))
    await this.#turns()
    return value
  }

  async put(key: Bytes, value: Bytes): Promise<void> {
    const name = String(key)
    await this.#turns()
    if (this.#refuses()) throw await this.#failure(() => this.#set(name, Buffer.from(value)))
    if (!this.#happens(this.#faults.lostPuts)) this.#set(name, Buffer.from(value))
    const back = this.#undeleted.shift()
    if (back !== undefined) this.#set(...back)
    await this.#turns()
  }

  async delete(key: Bytes): Promise<void> {
    const name = String(key)
    await this.#turns()
    if (this.#refuses()) throw await this.#failure(() => this.#set(name, undefined))
    const value = this.#values.get(name)
    if (value !== undefined && this.#happens(this.#faults.undoneDeletes)) this.#undeleted.push([name, value])
    this.#set(name, undefined)
    await this.#turns()
  }

  read(): never {
    throw new Error('the model has no read')
  }

  getMany(): never {
    throw new Error('the model has no getMany')
  }

  batch(): never {
    throw new Error('the model has no batch')
  }

  scan(): never {
    throw new Error('the model has no scan')
  }

  locate(): never {
    throw new Error('the model has no locate')
  }

  async close(): Promise<void> {
    await this.#turns()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #set(key: string, value: Uint8Array | undefined): void {
    this.#before.set(key, this.#values.get(key))
    if (value === undefined) this.#values.delete(key)
    else this.#values.set(key, value)
  }

  #refuses(): boolean {
    return this.#happens(this.#faults.failures?.share)
  }

  /** Takes effect after the caller was told, where the code leaves that open. */
  async #failure(takeEffect: () => void): Promise<Error> {
    const code = this.#faults.failures?.code ?? 'TIMEOUT'
    if (code === 'OUTCOME_UNKNOWN' && this.#happens(0.5)) void this.#turns().then(takeEffect)
    await this.#turns()
    return new CoterieError(code)
  }

  #happens(share = 0): boolean {
    return this.#prng.next() < share
  }

  async #turns(): Promise<void> {
    for (let left = this.#prng.below(4); left > 0; left--) await turn()
  }
}
