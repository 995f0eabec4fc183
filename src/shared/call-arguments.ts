/**
 * What the calls of `KeyValueStore` are given, checked and put into the terms of a store: the same for every engine.
 *
 * Called by the clients of the engines. Errors: INVALID_OPTION, INVALID_KEY, INVALID_VALUE, INVALID_CONTEXT, all thrown.
 */

import type { Key } from '../protocol/ids.js'
import type { KeyRange } from '../protocol/messages.js'
import { contextFor } from '../protocol/versions/context.js'
import type { CausalContext } from '../protocol/versions/dvv.js'
import type { BatchOperation, Bytes, ScanOptions } from './api.js'
import { CoterieError } from './errors.js'
import { boundFromUser, keyFromUser } from './keys.js'
import { invalid } from './options.js'

export const GET_OPTIONS = ['r', 'sloppy', 'timeoutMs']
export const PUT_OPTIONS = ['w', 'sloppy', 'context', 'timeoutMs']
export const BATCH_OPTIONS = ['w', 'sloppy', 'timeoutMs', 'logged']
export const SCAN_OPTIONS = ['gt', 'gte', 'lt', 'lte', 'reverse', 'limit', 'r', 'timeoutMs']

/** The longest deadline that a call may name. */
export const TIMEOUT_MS_MAX = 600_000
/** A page of a scan asks many nodes: it is given so many times the deadline of a read. */
export const SCAN_TIMEOUT_FACTOR = 5

/** Operations of a batch as columns; null: the key is deleted. */
export interface Columns {
  readonly keys: Key[]
  readonly values: (Uint8Array | null)[]
}

export function columnsOf(operations: readonly BatchOperation[], valueFrom: (value: Bytes) => Uint8Array): Columns {
  if (!Array.isArray(operations))
    throw invalid('operations', operations, "an array of { type: 'put' | 'del', key, value? }")
  const keys: Key[] = []
  const values: (Uint8Array | null)[] = []
  for (const operation of operations) {
    if (operation?.type !== 'put' && operation?.type !== 'del')
      throw invalid('operations[].type', operation?.type, 'put or del')
    keys.push(keyFromUser(operation.key))
    values.push(operation.type === 'put' ? valueFrom(operation.value) : null)
  }
  return { keys, values }
}

/** Bytes of its own (small ones in Node's pool, as its own calls give them): a view would keep a whole envelope alive. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = Buffer.allocUnsafe(bytes.byteLength)
  copy.set(bytes)
  return copy
}

export function contextOf(key: Key, context: string): CausalContext {
  const decoded = typeof context === 'string' ? contextFor(key, context) : undefined
  if (decoded === undefined) throw new CoterieError('INVALID_CONTEXT')
  return decoded
}

/** Undefined: there is nothing in it. */
export function rangeOf(options: ScanOptions): KeyRange | undefined {
  if (options.gt !== undefined && options.gte !== undefined)
    throw invalid('gt', 'given together with gte', 'one of the two')
  if (options.lt !== undefined && options.lte !== undefined)
    throw invalid('lt', 'given together with lte', 'one of the two')
  const reverse = booleanOf('reverse', options.reverse)
  const low = options.gt ?? options.gte
  const high = options.lt ?? options.lte
  const lower = low === undefined ? undefined : boundFromUser(low)
  const upper = high === undefined ? undefined : boundFromUser(high)
  if (upper === '' || (lower !== undefined && upper !== undefined && lower > upper)) return undefined
  const from = lower === undefined ? {} : { from: lower, fromExclusive: options.gt !== undefined }
  const to = upper === undefined ? {} : { to: upper, toExclusive: options.lt !== undefined }
  return { ...from, ...to, reverse }
}

/** The rest of a range after a key was reached. */
export function after(range: KeyRange, key: Key): KeyRange {
  return range.reverse ? { ...range, to: key, toExclusive: true } : { ...range, from: key, fromExclusive: true }
}

export function booleanOf(name: string, value: unknown): boolean {
  if (value === undefined) return false
  if (typeof value !== 'boolean') throw invalid(name, value, 'true or false')
  return value
}

/** Rows of a scan that was asked for wrongly. */
// biome-ignore lint/correctness/useYield: it fails before there is a row
export async function* failedRows(error: unknown): AsyncGenerator<never> {
  throw error
}
