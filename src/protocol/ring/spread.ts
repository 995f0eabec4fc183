/**
 * Which newcomers stand together in a row, once the number of moves and every load are settled: a node that dies leaves
 * its load to whomever it shared rows with, so all pairs should meet equally often.
 *
 * Never changes a load, never moves a former owner. Called by `claim.ts`.
 */

import { Prng } from '../prng.js'
import { type Assignment, at } from './assignment.js'

/** Swaps tried for each newcomer, and at most in all. */
const SWAPS_PER_NEWCOMER = 60
const SWAPS_MAX = 200_000

/** Swaps newcomers between rows for as long as two members meet in many more rows than two others. */
export function spreadPairs(assignment: Assignment): void {
  const newcomers = newcomersOf(assignment)
  const tries = Math.min(newcomers.length * SWAPS_PER_NEWCOMER, SWAPS_MAX)
  const prng = new Prng(newcomers.length)
  for (let attempt = 0; attempt < tries; attempt++) {
    if (attempt % newcomers.length === 0 && isSpread(assignment)) return
    const a = prng.pick(newcomers) as Newcomer
    const b = prng.pick(newcomers) as Newcomer
    if (!canSwap(assignment, a, b) || gainOf(assignment, a, b) <= 0) continue
    const { member } = a
    assignment.replace(a.row, member, b.member)
    assignment.replace(b.row, b.member, member)
    a.member = b.member
    b.member = member
  }
}

/** A member in a row that it did not own before. */
interface Newcomer {
  readonly row: number
  member: number
}

function newcomersOf(assignment: Assignment): Newcomer[] {
  const newcomers: Newcomer[] = []
  for (let row = 0; row < assignment.partitions; row++) {
    for (const member of assignment.rowOf(row)) if (!assignment.held(row, member)) newcomers.push({ row, member })
  }
  return newcomers
}

/** No two pairs differ by more than one: it cannot be better. */
function isSpread({ members, shared }: Assignment): boolean {
  let fewest = Number.POSITIVE_INFINITY
  let most = 0
  for (let a = 0; a < members; a++) {
    for (let b = 0; b < a; b++) {
      fewest = Math.min(fewest, at(shared, a * members + b))
      most = Math.max(most, at(shared, a * members + b))
    }
  }
  return most - fewest <= 1 || most === 0
}

function canSwap(assignment: Assignment, a: Newcomer, b: Newcomer): boolean {
  return !assignment.holds(a.row, b.member) && !assignment.holds(b.row, a.member)
}

/** By how much the swap lowers half the sum of squares of all pairs' meetings. Whoever stands in both rows sees no change. */
function gainOf(assignment: Assignment, a: Newcomer, b: Newcomer): number {
  const { shared, members } = assignment
  const gainIn = (row: number, otherRow: number, out: number, into: number): number => {
    let gain = 0
    for (const other of assignment.rowOf(row)) {
      if (other === out || assignment.holds(otherRow, other)) continue
      gain += at(shared, out * members + other) - at(shared, into * members + other) - 1
    }
    return gain
  }
  return gainIn(a.row, b.row, a.member, b.member) + gainIn(b.row, a.row, b.member, a.member)
}
