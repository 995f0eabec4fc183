/**
 * The options of calls, checked against what the cluster has and filled with its defaults.
 *
 * Called by the client. Errors: INVALID_OPTION, INVALID_VALUE, all thrown.
 */

import type { KeyRange } from './protocol/messages.js'
import type { Bytes, GetOptions, PutOptions, ScanOptions } from './shared/api.js'
import {
  booleanOf,
  copyOf,
  GET_OPTIONS,
  rangeOf,
  SCAN_OPTIONS,
  SCAN_TIMEOUT_FACTOR,
  TIMEOUT_MS_MAX,
} from './shared/call-arguments.js'
import { valueFromUser } from './shared/keys.js'
import { checkNames, checkWhole } from './shared/options.js'

export interface CallDefaults {
  /** The cluster's own, see `Quorums`. */
  readonly r: number
  readonly w: number
  readonly readTimeoutMs: number
  readonly writeTimeoutMs: number
  readonly tombstoneGraceMs: number
  readonly valueBytesMax: number
}

export type ReadOptions = Required<GetOptions>
export type WriteOptions = Required<Pick<PutOptions, 'w' | 'sloppy' | 'timeoutMs'>>

export interface ScanPlan {
  /** Undefined: nothing can be in it. */
  readonly range: KeyRange | undefined
  readonly limit: number
  readonly r: number
  readonly timeoutMs: number
}

export class CallChecks {
  readonly #defaults: CallDefaults
  /** Copies at this moment: members may come and go. */
  readonly #copies: () => number
  /** Of a read that says nothing. */
  readonly #plainRead: ReadOptions

  constructor(defaults: CallDefaults, copies: () => number) {
    this.#defaults = defaults
    this.#copies = copies
    this.#plainRead = { r: defaults.r, sloppy: false, timeoutMs: defaults.readTimeoutMs }
  }

  read(options?: GetOptions): ReadOptions {
    if (options === undefined) return this.#plainRead
    checkNames(options, GET_OPTIONS)
    const { r, readTimeoutMs } = this.#defaults
    return {
      r: this.#quorum('r', options.r, r),
      sloppy: booleanOf('sloppy', options.sloppy),
      timeoutMs: this.#timeoutOf(options, readTimeoutMs),
    }
  }

  /** `names`: of the options of this kind of write. */
  write(options: PutOptions = {}, names: readonly string[]): WriteOptions {
    checkNames(options, names)
    const { w, writeTimeoutMs } = this.#defaults
    return {
      w: this.#quorum('w', options.w, w),
      sloppy: booleanOf('sloppy', options.sloppy),
      timeoutMs: this.#timeoutOf(options, writeTimeoutMs),
    }
  }

  scan(options: ScanOptions): ScanPlan {
    checkNames(options, SCAN_OPTIONS)
    const { r, readTimeoutMs } = this.#defaults
    return {
      range: rangeOf(options),
      limit:
        options.limit === undefined
          ? Number.POSITIVE_INFINITY
          : checkWhole('limit', options.limit, 0, Number.MAX_SAFE_INTEGER),
      r: this.#quorum('r', options.r, r),
      timeoutMs: this.#timeoutOf(options, readTimeoutMs * SCAN_TIMEOUT_FACTOR),
    }
  }

  /** The caller may overwrite its bytes as soon as the call returns: they are copied. */
  value(value: Bytes): Uint8Array {
    const bytes = valueFromUser(value, this.#defaults.valueBytesMax)
    return typeof value === 'string' ? bytes : copyOf(bytes)
  }

  #quorum(name: 'r' | 'w', asked: number | undefined, byDefault: number): number {
    return asked === undefined ? byDefault : checkWhole(name, asked, 1, this.#copies())
  }

  #timeoutOf(options: { readonly timeoutMs?: number }, byDefault: number): number {
    const { tombstoneGraceMs } = this.#defaults
    // Nothing may be under way for longer than deletes are remembered for.
    const most = tombstoneGraceMs === 0 ? TIMEOUT_MS_MAX : Math.min(TIMEOUT_MS_MAX, tombstoneGraceMs)
    return options.timeoutMs === undefined ? byDefault : checkWhole('timeoutMs', options.timeoutMs, 1, most)
  }
}
