/** A call of a simulated client: what it asked, and when. Made by `SimGateway`, seen by observers. */

import type { GatewayId, Key } from '../protocol/ids.js'
import type { KeyRange } from '../protocol/messages.js'
import { MAJORITY } from '../protocol/ring/quorum.js'
import type { CausalContext } from '../protocol/versions/dvv.js'

export interface Call {
  /** Counts the calls of a world. */
  readonly number: number
  readonly gateway: GatewayId
  readonly kind: 'get' | 'put' | 'scan'
  readonly keys: readonly Key[]
  /** Of a put; null: delete. */
  readonly texts: readonly (string | null)[]
  /** Of a scan: the page that is asked for. */
  readonly page: PageAsked
  /** r of a get or a scan, w of a put; MAJORITY: as the row has it. */
  readonly quorum: number
  readonly sloppy: boolean
  /** Of a put with several keys. */
  readonly logged: boolean
  readonly context: CausalContext | undefined
  /** What the caller had read with the context. */
  readonly seen: readonly string[]
  readonly calledAtMs: number
  readonly deadlineMs: number
}

/** One page of a scan. */
export interface PageAsked {
  readonly range: KeyRange
  readonly limit: number
  readonly bytesMax: number
}

export interface CallOptions {
  readonly page?: PageAsked
  readonly quorum?: number
  readonly sloppy?: boolean
  readonly logged?: boolean
  readonly timeoutMs?: number
  readonly context?: CausalContext
  readonly seen?: readonly string[]
}

/** Every key, in one page. */
export const WHOLE_PAGE: PageAsked = { range: { reverse: false }, limit: 1_000, bytesMax: 1e6 }

/** Is the key one of the range? */
export function isInRange(key: Key, { from, fromExclusive, to, toExclusive }: KeyRange): boolean {
  if (from !== undefined && (key < from || (fromExclusive === true && key === from))) return false
  return to === undefined || key < to || (toExclusive !== true && key === to)
}

/** What is left of a range once a key was reached, as the public scan asks for its next page. */
export function rangeAfter(range: KeyRange, key: Key): KeyRange {
  return range.reverse ? { ...range, to: key, toExclusive: true } : { ...range, from: key, fromExclusive: true }
}

/** Where a page ends, nothing later in the order of the scan is known by it. */
export function isCovered(key: Key, range: KeyRange, next: Key | undefined): boolean {
  return isInRange(key, range) && (next === undefined || !isInRange(key, rangeAfter(range, next)))
}

/** It asked for no less than the cluster's own read quorum. */
export function isWholeQuorum({ quorum }: Pick<Call, 'quorum'>, r: number): boolean {
  return quorum === MAJORITY || (r !== MAJORITY && quorum >= r)
}
