/**
 * What a call's promise is settled with: the outcome of its request as the program is shown it. Everything in it belongs to the
 * caller. Called by the client.
 */

import { REQUEST_KINDS, type RequestKind } from '../actors/runtime/request-counters.js'
import type { ReadMark } from './near-cache.js'
import type { OperationOutcome } from './protocol/coordinator/request.js'
import type { Key } from './protocol/ids.js'
import { contextTextFor } from './protocol/versions/context.js'
import { dvvContextOf, dvvSiblings } from './protocol/versions/dvv.js'
import type { VersionRecord } from './protocol/versions/record.js'
import type { ReadResult } from './shared/api.js'
import { copyOf } from './shared/call-arguments.js'

export type Answer = 'value' | 'read' | 'record' | 'page' | 'nothing'

/** How many replicas are asked, and what the answer is kept under. */
export interface KeptFor {
  readonly r: number
  readonly mark: ReadMark
}

/** A call that waits for its request. */
export interface Pending {
  readonly answer: Answer
  readonly kind: RequestKind
  /** Of the turn of the call, as the client counts it. */
  readonly sinceUs: number
  /** Of a get. */
  readonly key?: Key
  /** Of a get whose answer is to be kept in this thread. */
  readonly keptFor?: KeptFor | undefined
  resolve(value: unknown): void
  reject(error: unknown): void
}

export function isWrite({ kind }: Pending): boolean {
  return kind !== REQUEST_KINDS.get && kind !== REQUEST_KINDS.scan
}

/** Of a request that did not fail. `key`: of a get. */
export function answerOf(answer: Answer, key: Key, outcome: OperationOutcome): unknown {
  switch (answer) {
    case 'value':
      return newestValueOf(outcome.type === 'value' ? outcome.record : undefined)
    case 'read':
      return readResultOf(key, outcome.type === 'value' ? outcome.record : undefined)
    case 'record':
      return outcome.type === 'value' ? outcome.record : undefined
    case 'page':
      return outcome.type === 'page' ? outcome.page : { keys: [], records: [] }
    case 'nothing':
      return undefined
  }
}

function readResultOf(key: Key, record: VersionRecord | undefined): ReadResult {
  if (record === undefined) return { values: [], context: contextTextFor(key, {}) }
  if (record.kind === 'lww') {
    return { values: record.value === null ? [] : [copyOf(record.value)], context: contextTextFor(key, {}) }
  }
  const values = dvvSiblings(record.set).flatMap(({ value }) => (value === null ? [] : [copyOf(value)]))
  return { values, context: contextTextFor(key, dvvContextOf(record.set)) }
}

/** What `get` shows: the newest of the live values. Always a copy that belongs to the caller. */
export function newestValueOf(record: VersionRecord | undefined): Uint8Array | undefined {
  if (record === undefined) return undefined
  if (record.kind === 'lww') return record.value === null ? undefined : copyOf(record.value)
  const newest = dvvSiblings(record.set).find((sibling) => sibling.value !== null)
  return newest?.value == null ? undefined : copyOf(newest.value)
}
