/**
 * What a client of a simulated run asks next: drawn from a source of chance of its own, and from what it was told before: the
 * rest of a scan, a write that did not go well, a write with the context that it has read.
 *
 * Keys by their first letter: `k` only strict writes, with the cluster's w; `s` sloppy writes; `o` is read with r = 1. Any key
 * is read with r = 1 at times. Under `siblings` only keys `s` are deleted without a context: what that takes away is
 * anybody's guess. Called by `SimClient`.
 */

import type { OperationOutcome } from '../protocol/coordinator/request.js'
import type { Key } from '../protocol/ids.js'
import type { KeyRange } from '../protocol/messages.js'
import { Prng } from '../protocol/prng.js'
import { type CausalContext, dvvContextOf } from '../protocol/versions/dvv.js'
import { type PageAsked, rangeAfter } from './call.js'
import { textsOf } from './checkers/checker.js'
import type { CallSpec } from './sim-gateway.js'

/** What the calls of a client depend on. */
export interface CallerOptions {
  readonly number: number
  readonly seed: number
  readonly conflict: 'lww' | 'siblings'
  /** May write sloppily. */
  readonly sloppy: boolean
  /** Most batches are logged. */
  readonly logs: boolean
}

/** A call, and how often more it may lead to another: pages of a scan, tries of a write. */
export interface Wish {
  readonly spec: CallSpec
  readonly more: number
}

/** Keys of each kind. */
const STRICT_KEYS = 8
const OTHER_KEYS = 3
/** Where ranges begin and end, beside keys. */
const BOUNDS = ['a', 'k', 'l', 'o', 's', 'z']
const PAGES_MAX = 4
const RETRIES_MAX = 2
/** Rows and bytes of a page that is not small. */
const PAGE_ROWS = 64
const PAGE_BYTES = 1e6

export class ClientCalls {
  readonly #options: CallerOptions
  readonly #prng: Prng
  /** Whether a batch is logged: of its own, so that all else is as it would be. */
  readonly #logging: Prng
  /** What it has read of a key, under `siblings`. */
  readonly #seen = new Map<Key, { readonly context: CausalContext; readonly seen: readonly string[] }>()
  #texts = 0

  constructor(options: CallerOptions) {
    this.#options = options
    this.#prng = new Prng(options.seed * 1_000 + options.number)
    this.#logging = new Prng(options.seed * 1_000 + options.number + 500)
  }

  /** For all else that is the client's choice. Shape: 0…1. */
  chance(): number {
    return this.#prng.next()
  }

  /** Calls that a program makes together: a few gets as one `getMany`, or any one. */
  draw(): Wish[] {
    const prng = this.#prng
    // Some are in a hurry: what they asked for may come too late.
    const timeoutMs = prng.below(6) === 0 ? 5 + prng.below(60) : 200 + prng.below(1_500)
    const key = this.#key()
    const kind = prng.below(40)
    if (kind < 14) return [this.#get(key, timeoutMs)]
    if (kind < 15) return [key, ...this.#others(key)].map((each) => this.#get(each, timeoutMs))
    if (kind < 17) return [this.#scan(timeoutMs)]
    const spec = this.#options.conflict === 'siblings' ? this.#update(key, kind) : this.#write(key, kind)
    return [{ spec: { ...spec, timeoutMs }, more: RETRIES_MAX }]
  }

  /** A call has ended, or (undefined) the gateway has vanished with it. What follows from that, if anything. */
  onEnd({ spec, more }: Wish, outcome: OperationOutcome | undefined): Wish | undefined {
    const [key = ''] = spec.keys
    if (outcome?.type === 'value' && outcome.record?.kind === 'siblings')
      this.#seen.set(key, { context: dvvContextOf(outcome.record.set), seen: textsOf(outcome.record) })
    if (more === 0) return undefined
    if (outcome?.type === 'page') return nextPage(spec, outcome.page.next, more)
    const isRetried = spec.kind === 'put' && outcome?.type !== 'written' && this.#prng.below(3) === 0
    if (!isRetried) return undefined
    // Half of them write the very same, as a program does that cannot know; the others have something new to say by then.
    if (this.#prng.below(2) === 0) return { spec, more: more - 1 }
    return { spec: { ...spec, texts: spec.texts.map((text) => text && this.#text()) }, more: more - 1 }
  }

  #get(key: Key, timeoutMs: number): Wish {
    const sloppy = key.startsWith('s') && this.#isSloppy
    const isOne = key.startsWith('o') || this.#prng.below(16) === 0
    const spec = { kind: 'get' as const, keys: [key], texts: [], sloppy, timeoutMs }
    return { spec: isOne ? { ...spec, quorum: 1 } : spec, more: 0 }
  }

  #scan(timeoutMs: number): Wish {
    const prng = this.#prng
    const page: PageAsked = {
      range: this.#range(),
      limit: prng.below(3) === 0 ? 1 + prng.below(4) : PAGE_ROWS,
      bytesMax: prng.below(4) === 0 ? 60 + prng.below(300) : PAGE_BYTES,
    }
    const spec = { kind: 'scan' as const, keys: [], texts: [], page, timeoutMs }
    return { spec: prng.below(4) === 0 ? { ...spec, quorum: 1 } : spec, more: prng.below(PAGES_MAX) }
  }

  #range(): KeyRange {
    const prng = this.#prng
    const reverse = prng.below(3) === 0
    if (prng.below(2) === 0) return { reverse }
    const [from = '', to = ''] = [this.#bound(), this.#bound()].sort()
    const low = prng.below(4) === 0 ? {} : { from, fromExclusive: prng.below(2) === 0 }
    const high = prng.below(4) === 0 ? {} : { to, toExclusive: prng.below(2) === 0 }
    return { ...low, ...high, reverse }
  }

  #bound(): Key {
    return this.#prng.below(3) === 0 ? (this.#prng.pick(BOUNDS) ?? '') : this.#key()
  }

  #write(key: Key, kind: number): CallSpec {
    const keys = kind >= 36 ? [key, ...this.#others(key)] : [key]
    const isDelete = kind >= 32 && kind < 36
    const texts = keys.map(() => (isDelete || (keys.length > 1 && this.#prng.below(4) === 0) ? null : this.#text()))
    const logged = keys.length > 1 && this.#options.logs && this.#logging.below(4) > 0
    return { kind: 'put', keys, texts, logged, sloppy: key.startsWith('s') && this.#isSloppy }
  }

  /** With what was read last, or concurrent to everything. A batch has no context. */
  #update(key: Key, kind: number): CallSpec {
    const prng = this.#prng
    const mayBeBlind = key.startsWith('s')
    if (kind >= 36) {
      const keys = [key, ...this.#others(key)]
      const texts = keys.map(() => (mayBeBlind && prng.below(4) === 0 ? null : this.#text()))
      return { kind: 'put', keys, texts }
    }
    const read = prng.below(3) === 0 ? undefined : this.#seen.get(key)
    const isDelete = kind >= 32 && (mayBeBlind || read !== undefined)
    return { kind: 'put', keys: [key], texts: [isDelete ? null : this.#text()], ...read }
  }

  /** Nobody can give a sloppy write its dot but an owner. */
  get #isSloppy(): boolean {
    return this.#options.sloppy && this.#options.conflict === 'lww'
  }

  #key(): Key {
    const family = this.#prng.below(10)
    if (family < 7) return `k${this.#prng.below(STRICT_KEYS)}`
    return `${family < 9 || this.#options.conflict === 'siblings' ? 's' : 'o'}${this.#prng.below(OTHER_KEYS)}`
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

function nextPage({ page, ...spec }: CallSpec, next: Key | undefined, more: number): Wish | undefined {
  if (page === undefined || next === undefined) return undefined
  return { spec: { ...spec, page: { ...page, range: rangeAfter(page.range, next) } }, more: more - 1 }
}
