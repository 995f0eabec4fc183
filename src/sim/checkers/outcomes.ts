/** What the end of a call says of keys. Called by the checkers of what clients saw. */

import type { OperationOutcome } from '../../protocol/coordinator/request.js'
import type { Key } from '../../protocol/ids.js'
import type { VersionRecord } from '../../protocol/versions/record.js'
import { type Call, isCovered } from '../call.js'

/** A definite failure: nothing of the write is anywhere. Undefined: the caller vanished, and nobody knows. */
export function isRefused(outcome: OperationOutcome | undefined): boolean {
  return outcome?.type === 'failed' && outcome.failure.code !== 'OUTCOME_UNKNOWN'
}

/** Of a key that a batch names more than once, only what it says last is written. */
export function isLastOfKey(keys: readonly Key[], place: number): boolean {
  return keys.indexOf(keys[place] as Key, place + 1) < 0
}

/** What was read of a key; undefined: it is absent. */
export interface KeyRead {
  readonly key: Key
  readonly record: VersionRecord | undefined
}

/**
 * What a call says of keys that it has read. A page of a scan has read every key of its range up to where it ends: those of
 * `known` that it does not give are absent.
 */
export function readsOf(call: Call, outcome: OperationOutcome | undefined, known: Iterable<Key>): KeyRead[] {
  if (outcome?.type === 'value') return [{ key: call.keys[0] ?? '', record: outcome.record }]
  if (outcome?.type !== 'page') return []
  const { keys, records, next } = outcome.page
  const reads = keys.map((key, place) => ({ key, record: records[place] }))
  for (const key of known)
    if (!keys.includes(key) && isCovered(key, call.page.range, next)) reads.push({ key, record: undefined })
  return reads
}
