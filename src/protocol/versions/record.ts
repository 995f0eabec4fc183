/**
 * What a replica keeps for a key: one record. Under `lww` it is a stamp and a value; under `siblings` a dotted version
 * vector set. A value of null is a tombstone: a delete that must be remembered until every owner holds it.
 *
 * `mergeRecords` is the one rule of reconciliation, used by replicas (write against store), coordinators (reply against
 * reply), hints and fills. It is commutative, associative and idempotent; a property test checks it.
 *
 * Records are immutable values: merging never changes its inputs.
 */

import { assert } from '../assert.js'
import { mix } from '../key-hash.js'
import { type DvvSet, dvvDescends, dvvEquals, dvvMerge, dvvSiblings } from './dvv.js'
import type { Stamp } from './stamp.js'

/** Last write wins. */
export interface LwwRecord {
  readonly kind: 'lww'
  readonly stamp: Stamp
  /** null: tombstone. */
  readonly value: Uint8Array | null
  /** Of a record that can tell sooner than by its `stamp` whether `other` has the same. */
  hasStampOf?(other: LwwRecord): boolean
}

/** All concurrent values with their causal history. */
export interface SiblingsRecord {
  readonly kind: 'siblings'
  readonly set: DvvSet
}

export type VersionRecord = LwwRecord | SiblingsRecord

/** How a cluster settles concurrent writes; fixed when it is created. */
export type ConflictMode = 'lww' | 'siblings'

/** The record that knows everything that both know. Errors: asserts one kind. */
export function mergeRecords(a: VersionRecord, b: VersionRecord): VersionRecord {
  if (a.kind === 'lww' && b.kind === 'lww') return sameStamp(a, b) || a.stamp > b.stamp ? a : b
  assert(a.kind === 'siblings' && b.kind === 'siblings', 'one cluster keeps one kind of record', {
    a: a.kind,
    b: b.kind,
  })
  if (dvvDescends(a.set, b.set)) return a
  if (dvvDescends(b.set, a.set)) return b
  return { kind: 'siblings', set: dvvMerge(a.set, b.set) }
}

/** True if `a` already knows everything in `b`: writing `b` over `a` would change nothing. */
export function recordCovers(a: VersionRecord | undefined, b: VersionRecord): boolean {
  if (a === undefined) return false
  if (a.kind === 'lww' && b.kind === 'lww') return a.stamp >= b.stamp
  assert(a.kind === 'siblings' && b.kind === 'siblings', 'one cluster keeps one kind of record', {
    a: a.kind,
    b: b.kind,
  })
  return dvvDescends(a.set, b.set)
}

/** Same version? Undefined (absent) equals only undefined. */
export function sameVersion(a: VersionRecord | undefined, b: VersionRecord | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  if (a.kind === 'lww' && b.kind === 'lww') return sameStamp(a, b)
  return a.kind === 'siblings' && b.kind === 'siblings' && dvvEquals(a.set, b.set)
}

function sameStamp(a: LwwRecord, b: LwwRecord): boolean {
  return a.hasStampOf === undefined ? a.stamp === b.stamp : a.hasStampOf(b)
}

/** True if the record holds at least one value that is not a tombstone. */
export function isLive(record: VersionRecord | undefined): boolean {
  if (record === undefined) return false
  if (record.kind === 'lww') return record.value !== null
  return dvvSiblings(record.set).some((sibling) => sibling.value !== null)
}

/** A short text that is equal for equal versions, for digests of ranges. */
export function versionText(record: VersionRecord): string {
  if (record.kind === 'lww') return record.stamp
  return record.set.map((entry) => `${entry.actor}:${entry.counter}:${entry.siblings.length}`).join(',')
}

/**
 * Names a delete that is all that a record holds: equal for equal versions, and sorted by their time. Undefined: something lives.
 *
 * Shape:  a stamp; of siblings, the newest stamp and the version after it.
 */
export function tombstoneOf(record: VersionRecord): string | undefined {
  if (record.kind === 'lww') return record.value === null ? record.stamp : undefined
  return isLive(record) ? undefined : `${newestStampOf(record)} ${versionText(record)}`
}

/** The stamp of the last write that the record shows. */
export function newestStampOf(record: VersionRecord): Stamp {
  return record.kind === 'lww' ? record.stamp : (dvvSiblings(record.set)[0]?.stamp ?? '')
}

/** Stands for a key that is being forgotten: older than every version, and no record of any store. */
export const NOTHING: LwwRecord = { kind: 'lww', stamp: '', value: null }

/** Of a version, for trees and lists; 0 of `NOTHING` only. */
export function versionHash(record: VersionRecord): number {
  if (record === NOTHING) return 0
  const text = versionText(record)
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return mix(hash) >>> 0 || 1
}
