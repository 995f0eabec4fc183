/**
 * In which place of its row each member stands: former owners keep theirs, newcomers take the free ones.
 *
 * Place 0 is the primary and is asked first; place 1 is its heir and is asked first when the primary is dead. So primaries
 * come out as even as the sets allow (exact), and the heirs of each primary spread over the others (by local search).
 *
 * Never changes who is in a row, never moves a former owner. Called by `claim.ts`.
 */

import { type Assignment, at, bump, least } from './assignment.js'

/** The seat of nobody. */
export const VACANT = -1

/** Walks over all rows in search of better orders; a few suffice, the bound is for the worst. */
const PASSES_MAX = 16

/** Seats in the making. */
interface Seating {
  readonly members: number
  readonly n: number
  /** [row · n + place]: a member or VACANT. */
  readonly seats: Int32Array
  /** By row: the places that newcomers took, lowest first. */
  readonly open: readonly (readonly number[])[]
  /** [member]: rows that it leads. */
  readonly primaries: Int32Array
  /** [a · members + b]: rows in which b stands behind the primary a. */
  readonly heirs: Int32Array
}

/**
 * Gives every member of every row a place.
 *
 * Shape: `kept` (who may stay where it was) and the result are [row · n + place]: a member or VACANT.
 */
export function seatMembers(assignment: Assignment, kept: Int32Array, n: number): Int32Array {
  const seating = seatNewcomers(assignment, kept, n)
  for (let pass = 0; pass < PASSES_MAX && improveOrders(seating); pass++);
  while (shiftPrimary(seating));
  return seating.seats
}

/** Newcomers in member order, but for the primary: of these whoever leads least. */
function seatNewcomers(assignment: Assignment, kept: Int32Array, n: number): Seating {
  const { members, partitions } = assignment
  const seats = kept.slice()
  const open: number[][] = []
  const seating = { members, n, seats, open, primaries: new Int32Array(members), heirs: new Int32Array(members ** 2) }
  for (let row = 0; row < partitions; row++) {
    const places = seats.subarray(row * n, (row + 1) * n)
    const newcomers = [...assignment.rowOf(row)].filter((member) => !places.includes(member)).sort((a, b) => a - b)
    const first = least(newcomers, (member) => at(seating.primaries, member))
    const queue = first === undefined ? [] : [first, ...newcomers.filter((member) => member !== first)]
    const taken: number[] = []
    for (let place = 0; place < n && taken.length < queue.length; place++) {
      if (at(places, place) !== VACANT) continue
      places[place] = queue[taken.length] as number
      taken.push(place)
    }
    open.push(taken)
    countOrder(seating, row, 1)
  }
  return seating
}

/** Swaps newcomers within rows wherever that evens out primaries and heirs; false if no row can be better by itself. */
function improveOrders(seating: Seating): boolean {
  let improved = false
  for (const [row, open] of seating.open.entries()) {
    for (const a of open) {
      // Only the first two places matter.
      if (a > 1) break
      for (const b of open) {
        if (b <= a || gainOf(seating, row, a, b) <= 0) continue
        swap(seating, row, a, b)
        improved = true
      }
    }
  }
  return improved
}

/** By how much a swap lowers half the sum of squares of all leads and of all heirs. */
function gainOf(seating: Seating, row: number, a: number, b: number): number {
  const { seats, members, n, primaries, heirs } = seating
  const seatAfter = (place: number): number => at(seats, row * n + (place === a ? b : place === b ? a : place))
  const primary = at(seats, row * n)
  const primaryAfter = seatAfter(0)
  const gain = primary === primaryAfter ? 0 : at(primaries, primary) - at(primaries, primaryAfter) - 1
  const heir = n > 1 ? at(seats, row * n + 1) : VACANT
  if (primary === VACANT || heir === VACANT) return gain
  return gain + at(heirs, primary * members + heir) - at(heirs, primaryAfter * members + seatAfter(1)) - 1
}

/**
 * Hands the lead of one row from a member that leads many to one that leads at least two fewer, directly or along a chain
 * of rows; false if there is none, and then no order of newcomers has more even primaries.
 */
function shiftPrimary(seating: Seating): boolean {
  const { members, n, seats, primaries } = seating
  // [a · members + b]: one more than the seat of b, in a row that a leads and could leave to b; 0: there is none.
  const via = new Int32Array(members * members)
  for (const [row, open] of seating.open.entries()) {
    if (open[0] !== 0) continue
    for (const place of open) via[at(seats, row * n) * members + at(seats, row * n + place)] = row * n + place + 1
  }
  const all = Array.from({ length: members }, (_, member) => member)
  for (const from of all.toSorted((a, b) => at(primaries, b) - at(primaries, a))) {
    const previous = new Int32Array(members)
    const reached = [from]
    // The list grows while it is walked: breadth first.
    for (const a of reached) {
      for (const b of all) {
        if (at(via, a * members + b) === 0 || reached.includes(b)) continue
        previous[b] = a
        reached.push(b)
      }
    }
    const to = least(reached, (member) => at(primaries, member)) as number
    if (at(primaries, to) > at(primaries, from) - 2) continue
    for (let member = to; member !== from; member = at(previous, member)) {
      const seat = at(via, at(previous, member) * members + member) - 1
      swap(seating, Math.floor(seat / n), 0, seat % n)
    }
    return true
  }
  return false
}

function swap(seating: Seating, row: number, a: number, b: number): void {
  const { seats, n } = seating
  countOrder(seating, row, -1)
  const held = at(seats, row * n + a)
  seats[row * n + a] = at(seats, row * n + b)
  seats[row * n + b] = held
  countOrder(seating, row, 1)
}

/** Adds a row's primary and heir to the counts, or takes them away. */
function countOrder({ members, n, seats, primaries, heirs }: Seating, row: number, sign: number): void {
  const primary = at(seats, row * n)
  if (primary === VACANT) return
  bump(primaries, primary, sign)
  const heir = n > 1 ? at(seats, row * n + 1) : VACANT
  if (heir !== VACANT) bump(heirs, primary * members + heir, sign)
}
