/**
 * Dotted version vector sets: which concurrent values of a key are still values, and which a later write has seen and
 * replaced (Almeida, Baquero, Gonçalves, Preguiça, Fonte: "Scalable and Accurate Causality Tracking for Eventually
 * Consistent Stores", 2014).
 *
 * A dot (actor, counter) names one write. An entry knows the dots 1…counter of its actor; those above its *floor*
 * (counter − siblings.length) are still values, those up to it are superseded. So an entry is two numbers that only
 * grow, a merge takes the larger of each, and every law below follows from `max` being a join.
 *
 * That holds while two things do, and neither can be checked here: a dot names one value for ever (the actor's own store
 * accepts a dot before anyone else sees it; a store that may have forgotten one becomes a new actor), and sets travel
 * whole (a replica that was sent one sibling alone would claim to know dots that it never saw).
 *
 * Called by `record.ts` and by whoever coordinates a `put` under `siblings`. Never changes a set in place, never lets a
 * stamp decide causality.
 */

import { assert } from '../assert.js'
import type { ActorId } from '../ids.js'
import type { Stamp } from './stamp.js'

/** One concurrent value. */
export interface Sibling {
  /** When it was written; only orders siblings for `get` and for display, never decides causality. */
  readonly stamp: Stamp
  /** null: tombstone. */
  readonly value: Uint8Array | null
}

/** The dots of one actor: counters 1…counter are known; the newest `siblings.length` of them are still values. */
export interface DvvEntry {
  readonly actor: ActorId
  readonly counter: number
  /** Newest first; the value with dot (actor, counter − i) stands at i. length ≤ counter. */
  readonly siblings: readonly Sibling[]
}

/** Sorted by actor; no actor twice. */
export type DvvSet = readonly DvvEntry[]

/** The causal context a client hands back: actor → counter. */
export type CausalContext = Readonly<Record<ActorId, number>>

export const DVV_EMPTY: DvvSet = []

/**
 * The set that knows everything both know: a value stays unless one side has superseded it.
 *
 * Shape:  sorted by actor; entries that did not change are the inputs' own objects.
 * Errors: none.
 * Source: Almeida et al. 2014, `sync`.
 */
export function dvvMerge(a: DvvSet, b: DvvSet): DvvSet {
  if (a === b || b.length === 0) return a
  if (a.length === 0) return b
  const merged: DvvEntry[] = []
  let inA = 0
  let inB = 0
  for (;;) {
    const left = a[inA]
    const right = b[inB]
    if (left === undefined) return merged.concat(b.slice(inB))
    if (right === undefined) return merged.concat(a.slice(inA))
    merged.push(left.actor === right.actor ? mergeEntries(left, right) : left.actor < right.actor ? left : right)
    if (left.actor <= right.actor) inA++
    if (right.actor <= left.actor) inB++
  }
}

/** True if merging `b` into `a` gives `a`: it knows every dot of `b` and keeps no value that `b` has superseded. */
export function dvvDescends(a: DvvSet, b: DvvSet): boolean {
  if (a === b) return true
  let inA = 0
  for (const theirs of b) {
    while (inA < a.length && (a[inA] as DvvEntry).actor < theirs.actor) inA++
    const ours = a[inA]
    if (ours === undefined || ours.actor !== theirs.actor) return false
    if (ours.counter < theirs.counter || floorOf(ours) < floorOf(theirs)) return false
  }
  return true
}

/** True if both know the same dots and keep the same of them; then, dots being unique, the values are the same too. */
export function dvvEquals(a: DvvSet, b: DvvSet): boolean {
  if (a === b) return true
  return a.length === b.length && a.every((entry, index) => sameEntry(entry, b[index] as DvvEntry))
}

/** Everything the set knows, for the client to hand back: a write with it supersedes every value of the set. */
export function dvvContextOf(set: DvvSet): CausalContext {
  return Object.fromEntries(set.map((entry) => [entry.actor, entry.counter]))
}

/**
 * One write: discards what `context` covers, then adds `sibling` under the next dot of `actor`.
 *
 * Dots that the context names and the set has never met count as known and superseded from now on; without that a value
 * that the client has replaced would come back from a slower replica. `undefined` (a put without a read) covers nothing.
 *
 * Units:  counters are per key and actor, from 1.
 * Errors: asserts that the counter stays a safe integer (`decodeContext` lets none come near).
 * Source: Almeida et al. 2014, `update` = `sync`, `discard`, `event`.
 */
export function dvvUpdate(set: DvvSet, context: CausalContext | undefined, sibling: Sibling, actor: ActorId): DvvSet {
  const known = context === undefined ? set : dvvMerge(set, supersededBy(context))
  const place = known.findIndex((entry) => entry.actor >= actor)
  const before = place === -1 ? known : known.slice(0, place)
  const own = place === -1 ? undefined : known[place]
  if (own?.actor !== actor) {
    return [...before, { actor, counter: 1, siblings: [sibling] }, ...known.slice(before.length)]
  }
  assert(own.counter < Number.MAX_SAFE_INTEGER, 'a key has no dots left', { actor, counter: own.counter })
  const next = { actor, counter: own.counter + 1, siblings: [sibling, ...own.siblings] }
  return [...before, next, ...known.slice(before.length + 1)]
}

/** All current values, tombstones included. Shape: newest stamp first; of equal stamps the lower actor, then the newer dot. */
export function dvvSiblings(set: DvvSet): readonly Sibling[] {
  const siblings = set.flatMap((entry) => entry.siblings)
  return siblings.sort((a, b) => (a.stamp === b.stamp ? 0 : a.stamp > b.stamp ? -1 : 1))
}

/** How many values the set keeps, tombstones included: what a bound on siblings counts. */
export function dvvDotCount(set: DvvSet): number {
  let count = 0
  for (const entry of set) count += entry.siblings.length
  return count
}

/** The larger counter and the larger floor; the side with the larger counter has every value between the two. */
function mergeEntries(a: DvvEntry, b: DvvEntry): DvvEntry {
  const longer = b.counter > a.counter ? b : a
  const kept = longer.counter - Math.max(floorOf(a), floorOf(b))
  return kept === longer.siblings.length ? longer : { ...longer, siblings: longer.siblings.slice(0, kept) }
}

/** The highest dot of the actor that is superseded. */
function floorOf(entry: DvvEntry): number {
  return entry.counter - entry.siblings.length
}

function sameEntry(a: DvvEntry, b: DvvEntry): boolean {
  return a.actor === b.actor && a.counter === b.counter && a.siblings.length === b.siblings.length
}

/** A set that knows what the context knows and keeps none of it. */
function supersededBy(context: CausalContext): DvvSet {
  return Object.entries(context)
    .filter(([, counter]) => counter > 0)
    .map(([actor, counter]) => ({ actor, counter, siblings: [] }))
    .sort((a, b) => (a.actor < b.actor ? -1 : 1))
}
