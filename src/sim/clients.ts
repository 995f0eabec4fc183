/**
 * The clients of a simulated run: each calls, waits for the answer, thinks, calls again. Some retry what did not go well. A
 * client whose gateway has vanished goes on at another one.
 *
 * Keys by their first letter: `k` only strict calls with the cluster's quorums; `s` sloppy writes; `o` reads of one replica.
 * Called by `run.ts`.
 */

import type { OperationOutcome } from '../protocol/coordinator/request.js'
import type { Key } from '../protocol/ids.js'
import { Prng } from '../protocol/prng.js'
import type { CausalContext } from '../protocol/versions/dvv.js'
import { dvvContextOf } from '../protocol/versions/dvv.js'
import { textsOf } from './checkers/checker.js'
import type { SimGateway } from './sim-gateway.js'
import type { SimWorld } from './world.js'

/** Told what a write under `siblings` has seen. */
export type OnSiblingWrite = (key: Key, text: string, seen: readonly string[]) => void

export interface ClientOptions {
  readonly number: number
  readonly world: SimWorld
  readonly seed: number
  readonly thinkMs: number
  /** May write sloppily. */
  readonly sloppy: boolean
  /** True: there is another call to be made, and it is taken. */
  readonly takeCall: () => boolean
  readonly gateway: () => SimGateway | undefined
  readonly onSiblingWrite: OnSiblingWrite
}

/** Keys of each kind. */
const STRICT_KEYS = 8
const OTHER_KEYS = 3
/** What waits for a gateway looks for one so often. */
const LOOK_MS = 20

export class SimClient {
  readonly #options: ClientOptions
  readonly #prng: Prng
  /** What it has read of a key, under `siblings`. */
  readonly #seen = new Map<Key, { readonly context: CausalContext; readonly texts: readonly string[] }>()
  #texts = 0
  isDone = false
  #gateway: SimGateway | undefined
  #isWaiting = false

  constructor(options: ClientOptions) {
    this.#options = options
    this.#prng = new Prng(options.seed * 1_000 + options.number)
  }

  start(): void {
    this.#think()
  }

  #think(): void {
    const { world, thinkMs } = this.#options
    world.at(world.nowMs + this.#prng.next() * 2 * thinkMs, () => this.#next())
  }

  #next(): void {
    if (this.#isWaiting) return
    const { world, takeCall } = this.#options
    if (this.#gateway === undefined || this.#gateway.isGone) this.#gateway = this.#options.gateway()
    if (this.#gateway === undefined) {
      world.at(world.nowMs + LOOK_MS, () => this.#next())
      return
    }
    if (!takeCall()) {
      this.isDone = true
      return
    }
    this.#isWaiting = true
    this.#call(this.#gateway)
    this.#watch(this.#gateway)
  }

  /** The answer never comes if the gateway vanishes. */
  #watch(gateway: SimGateway): void {
    const { world } = this.#options
    world.at(world.nowMs + LOOK_MS, () => {
      if (!this.#isWaiting || this.#gateway !== gateway) return
      if (!gateway.isGone) return this.#watch(gateway)
      this.#isWaiting = false
      this.#think()
    })
  }

  #call(gateway: SimGateway): void {
    const prng = this.#prng
    // Some are in a hurry: what they asked for may come too late.
    const timeoutMs = prng.below(6) === 0 ? 5 + prng.below(60) : 200 + prng.below(1_500)
    const isSiblings = this.#options.world.options.config.conflict === 'siblings'
    const mayBeSloppy = this.#options.sloppy && !isSiblings
    const family = prng.below(10)
    const key =
      family < 7
        ? `k${prng.below(STRICT_KEYS)}`
        : family < 9 || isSiblings
          ? `s${prng.below(OTHER_KEYS)}`
          : `o${prng.below(OTHER_KEYS)}`
    // Nobody can give a sloppy write its dot but an owner.
    const sloppy = key.startsWith('s') && mayBeSloppy
    const kind = prng.below(10)
    if (kind < 4) return this.#get(gateway, key, sloppy, timeoutMs)
    if (kind === 4 && prng.below(2) === 0) {
      gateway.call({ kind: 'scan', keys: [], texts: [], timeoutMs }, () => this.#onEnd())
      return
    }
    if (isSiblings) return this.#update(gateway, key, timeoutMs)
    const keys = kind === 9 ? [key, ...this.#others(key)] : [key]
    const text = kind === 8 ? null : this.#text()
    const put = { kind: 'put' as const, keys, texts: keys.map(() => text), sloppy, timeoutMs }
    gateway.call(put, (outcome) => this.#onWritten(gateway, put, outcome, 2))
  }

  /** Retries some of what has an unknown outcome, with the same value: as a client does that cannot know. */
  #onWritten(
    gateway: SimGateway,
    put: Parameters<SimGateway['call']>[0],
    outcome: OperationOutcome,
    retries: number,
  ): void {
    const isRetried = outcome.type === 'failed' && retries > 0 && this.#prng.below(3) === 0 && !gateway.isGone
    if (!isRetried) return this.#onEnd()
    const texts = put.texts.map((text) => (text === null ? null : `${text}'`))
    const again = { ...put, texts }
    gateway.call(again, (next) => this.#onWritten(gateway, again, next, retries - 1))
  }

  #get(gateway: SimGateway, key: Key, sloppy: boolean, timeoutMs: number): void {
    const quorum = key.startsWith('o') ? { quorum: 1 } : {}
    gateway.call({ kind: 'get', keys: [key], texts: [], sloppy, timeoutMs, ...quorum }, (outcome) => {
      if (outcome.type === 'value' && outcome.record?.kind === 'siblings')
        this.#seen.set(key, { context: dvvContextOf(outcome.record.set), texts: textsOf(outcome.record) })
      this.#onEnd()
    })
  }

  /** Under `siblings`: with what was read last, or concurrent to everything. */
  #update(gateway: SimGateway, key: Key, timeoutMs: number): void {
    const seen = this.#prng.below(3) === 0 ? undefined : this.#seen.get(key)
    const text = this.#text()
    this.#options.onSiblingWrite(key, text, seen?.texts ?? [])
    const put = { kind: 'put' as const, keys: [key], texts: [text], timeoutMs }
    gateway.call(seen === undefined ? put : { ...put, context: seen.context }, () => this.#onEnd())
  }

  #onEnd(): void {
    this.#isWaiting = false
    this.#think()
  }

  #others(key: Key): Key[] {
    const family = key.slice(0, 1)
    const count = family === 'k' ? STRICT_KEYS : OTHER_KEYS
    return [`${family}${this.#prng.below(count)}`, `${family}${this.#prng.below(count)}`]
  }

  #text(): string {
    this.#texts += 1
    return `c${this.#options.number}.${this.#texts}`
  }
}
