/**
 * Which members stand in which row, as sets: the working state of a claim, with the exchanges that keep it optimal.
 *
 * A claim is a minimum-cost flow: every row takes `size` members, a member takes rows up to a cap, and a member that did
 * not stand in the row before costs one. Rows are many and members few, so the residual network is kept between members
 * only: an edge a → b stands for the rows that hold a and not b, by what replacing a with b there costs (−1: b is a
 * former owner and a is not; +1: the other way round; 0: both or neither). Augmenting along shortest paths of that small
 * graph is the textbook method (successive shortest paths; Ahuja, Magnanti, Orlin 1993, §9.7), exact, and costs per
 * augmentation what S² edges cost, not what Q·S cost.
 *
 * It starts from rows that kept all their former owners, which no assignment can beat before caps are asked for; hence no
 * negative cycle, and none ever after.
 *
 * Called by `claim.ts`. Knows no names, and of places only the first. Lives for one plan.
 */

import { assert } from '../assert.js'

/** A member's index in the sorted member list. */
type Member = number

/** Rows looked at for one exchange before the one that spreads pairs best is taken. */
const CANDIDATE_ROWS = 48

/** Farther than any path: a path has at most S − 1 edges of cost 1. */
const UNREACHED = 0x3fffffff

/** What a flow starts from. */
export interface AssignmentOptions {
  readonly partitions: number
  readonly members: number
  /** Members of each row: min(n, members). */
  readonly size: number
  /** Former owners that are members, by row, in place order. */
  readonly former: readonly (readonly Member[])[]
  /** [row]: the former owner in place 0, or −1. Only weighs where an exchange has a choice of rows. */
  readonly primaries: Int32Array
}

/** Shortest paths from one member. */
interface Paths {
  readonly from: Member
  readonly distance: Int32Array
  readonly previous: Int32Array
}

export class Assignment {
  readonly partitions: number
  readonly members: number
  readonly size: number
  /** How many rows each member stands in. */
  readonly loads: Int32Array
  /** [a · members + b]: how many rows hold both. Symmetric. */
  readonly shared: Int32Array
  /** [row · size + i]: the members of a row, in no order. */
  readonly #rows: Int32Array
  /** [row · members + m]: 1 if the row holds m; 1 if it did before. */
  readonly #holds: Uint8Array
  readonly #held: Uint8Array
  /** [(a · members + b) · 3 + cost + 1]: rows in which b could replace a at that cost. */
  readonly #edges: Int32Array
  /** [row]: who will probably be primary, or −1; [member]: of how many rows. */
  readonly #primaries: Int32Array
  readonly #primaryLoads: Int32Array
  /** [a]: the row at which the next search for one that holds a begins, and the stride of all searches. */
  readonly #cursors: Int32Array
  readonly #stride: number

  constructor({ partitions, members, size, former, primaries }: AssignmentOptions) {
    this.partitions = partitions
    this.members = members
    this.size = size
    this.loads = new Int32Array(members)
    this.shared = new Int32Array(members * members)
    this.#rows = new Int32Array(partitions * size)
    this.#holds = new Uint8Array(partitions * members)
    this.#held = new Uint8Array(partitions * members)
    this.#edges = new Int32Array(members * members * 3)
    this.#primaries = primaries.slice()
    this.#primaryLoads = new Int32Array(members)
    for (const member of primaries) if (member !== -1) bump(this.#primaryLoads, member, 1)
    this.#cursors = new Int32Array(members)
    this.#stride = strideOf(partitions)
    this.#fill(former)
    for (let row = 0; row < partitions; row++) for (const member of this.rowOf(row)) this.#countEdges(row, member, 1)
  }

  /** The members of a row, in no order. */
  rowOf(row: number): Int32Array {
    return this.#rows.subarray(row * this.size, (row + 1) * this.size)
  }

  /** True if the row holds the member. */
  holds(row: number, member: Member): boolean {
    return this.#holds[row * this.members + member] === 1
  }

  /** True if the member owned the row before. */
  held(row: number, member: Member): boolean {
    return this.#held[row * this.members + member] === 1
  }

  /** Takes every load down to `cap` at the least cost. Errors: asserts cap · members ≥ partitions · size. */
  lower(cap: number): void {
    for (let from = 0; from < this.members; from++) {
      while (at(this.loads, from) > cap) this.#lowerOne(from, cap)
    }
  }

  /** Takes every load up to `floor` at the least cost, none below it. Errors: asserts floor · members ≤ partitions · size. */
  raise(floor: number): void {
    for (let to = 0; to < this.members; to++) {
      while (at(this.loads, to) < floor) {
        const givers = this.#all().filter((member) => at(this.loads, member) > floor)
        const paths = givers.map((giver) => this.#pathsFrom(giver))
        const best = least(paths, (path) => at(path.distance, to))
        assert(best !== undefined && at(best.distance, to) < UNREACHED, 'rows of distinct members can be levelled')
        this.#augment(best, to)
      }
    }
  }

  /** Evens out the loads as far as that costs nothing: no free exchange is left that would narrow a difference of two. */
  level(): void {
    let narrowed = true
    while (narrowed) narrowed = this.#all().some((member) => this.#levelOne(member))
  }

  /** In a row, `into` takes the stand of `out`. */
  replace(row: number, out: Member, into: Member): void {
    this.#countAround(row, out, into, -1)
    const members = this.rowOf(row)
    members[members.indexOf(out)] = into
    this.#holds[row * this.members + out] = 0
    this.#holds[row * this.members + into] = 1
    bump(this.loads, out, -1)
    bump(this.loads, into, 1)
    for (const other of members) {
      if (other === into) continue
      this.#share(out, other, -1)
      this.#share(into, other, 1)
    }
    this.#countAround(row, into, out, 1)
  }

  /** Former owners first, then the least loaded, of these whoever meets the row's others least often. */
  #fill(former: readonly (readonly Member[])[]): void {
    const { partitions, members, size } = this
    const filled = new Int32Array(partitions)
    for (const [row, owners] of former.entries()) {
      for (const owner of owners) this.#held[row * members + owner] = 1
      // A row that was longer than n keeps its first n.
      for (const owner of owners.slice(0, size)) this.#add(row, owner, filled)
    }
    const meetings = new Int32Array(members)
    for (let row = 0; row < partitions; row++) {
      if (at(filled, row) === size) continue
      meetings.fill(0)
      const meet = (met: Member): void => {
        for (let member = 0; member < members; member++) bump(meetings, member, this.#sharedBy(met, member))
      }
      for (let index = 0; index < at(filled, row); index++) meet(at(this.rowOf(row), index))
      while (at(filled, row) < size) {
        let best = -1
        for (let member = 0; member < members; member++) {
          if (this.holds(row, member)) continue
          const load = best === -1 ? -1 : at(this.loads, member) - at(this.loads, best)
          if (load < 0 || (load === 0 && at(meetings, member) < at(meetings, best))) best = member
        }
        this.#add(row, best, filled)
        meet(best)
      }
    }
  }

  #add(row: number, member: Member, filled: Int32Array): void {
    const count = at(filled, row)
    for (let index = 0; index < count; index++) this.#share(member, at(this.rowOf(row), index), 1)
    this.rowOf(row)[count] = member
    this.#holds[row * this.members + member] = 1
    bump(this.loads, member, 1)
    bump(filled, row, 1)
  }

  #lowerOne(from: Member, cap: number): void {
    const paths = this.#pathsFrom(from)
    const takers = this.#all().filter((member) => at(this.loads, member) < cap)
    const nearest = Math.min(...takers.map((member) => at(paths.distance, member)))
    assert(nearest < UNREACHED, 'rows of distinct members can be lowered to the cap', { from, cap })
    const near = takers.filter((member) => at(paths.distance, member) === nearest)
    // One exchange keeps every other shortest path shortest (its edges stay tight), so that direct ones need no new
    // search: a node that leaves moves thousands of rows with one.
    let moved = false
    while (at(this.loads, from) > cap) {
      const direct = near.filter((to) => at(this.loads, to) < cap && this.#edge(from, to, nearest) > 0)
      const to = least(direct, (member) => at(this.loads, member))
      if (to === undefined) break
      this.#exchange(from, to, nearest)
      moved = true
    }
    if (!moved) this.#augment(paths, least(near, (member) => at(this.loads, member)) as Member)
  }

  #levelOne(from: Member): boolean {
    const lower = (member: Member): boolean => at(this.loads, member) <= at(this.loads, from) - 2
    if (!this.#all().some(lower)) return false
    const paths = this.#pathsFrom(from)
    const free = this.#all().filter((member) => lower(member) && at(paths.distance, member) <= 0)
    const to = least(free, (member) => at(this.loads, member))
    if (to !== undefined) this.#augment(paths, to)
    return to !== undefined
  }

  /** Moves one row's worth from the paths' start to `to`. Each edge finds its row: those of one simple path never take it away. */
  #augment(paths: Paths, to: Member): void {
    for (let member = to; member !== paths.from; ) {
      const before = at(paths.previous, member)
      this.#exchange(before, member, at(paths.distance, member) - at(paths.distance, before))
      member = before
    }
  }

  /** Replaces `out` by `into` in one row where that costs `cost`: of the next few such rows, where it spreads pairs best. */
  #exchange(out: Member, into: Member, cost: number): void {
    let best = -1
    let bestScore = 0
    let row = at(this.#cursors, out)
    for (let seen = 0, found = 0; seen < this.partitions && found < CANDIDATE_ROWS; seen++) {
      if (this.#canExchange(row, out, into, cost)) {
        found++
        const score = this.#meetingsAfter(row, out, into) + this.#primariesLacking(row, out)
        if (best === -1 || score < bestScore) {
          best = row
          bestScore = score
        }
      }
      row = (row + this.#stride) % this.partitions
    }
    assert(best !== -1, 'an edge counts rows', { out, into, cost })
    this.#cursors[out] = row
    this.replace(best, out, into)
    if (at(this.#primaries, best) !== out) return
    this.#primaries[best] = into
    bump(this.#primaryLoads, out, -1)
    bump(this.#primaryLoads, into, 1)
  }

  #canExchange(row: number, out: Member, into: Member, cost: number): boolean {
    return this.holds(row, out) && !this.holds(row, into) && this.#costOf(row, out, into) === cost
  }

  /** How much more often than `out` does `into` meet the others of the row. */
  #meetingsAfter(row: number, out: Member, into: Member): number {
    let meetings = 0
    for (const other of this.rowOf(row)) {
      if (other !== out) meetings += this.#sharedBy(into, other) - this.#sharedBy(out, other)
    }
    return meetings
  }

  /** Where `out` leads the row: how many rows it lacks to its fair share of primaries; negative while it has too many. */
  #primariesLacking(row: number, out: Member): number {
    if (at(this.#primaries, row) !== out) return 0
    return this.partitions / this.members - at(this.#primaryLoads, out)
  }

  /** Bellman and Ford, because costs may be negative; cycles never are. */
  #pathsFrom(from: Member): Paths {
    const distance = new Int32Array(this.members).fill(UNREACHED)
    const previous = new Int32Array(this.members).fill(-1)
    distance[from] = 0
    for (let round = 0, changed = true; changed; round++) {
      assert(round <= this.members, 'an optimal assignment has no negative cycle', { from })
      changed = false
      for (let a = 0; a < this.members; a++) {
        if (at(distance, a) === UNREACHED) continue
        for (let b = 0; b < this.members; b++) {
          const through = at(distance, a) + this.#cheapest(a, b)
          if (through >= at(distance, b)) continue
          distance[b] = through
          previous[b] = a
          changed = true
        }
      }
    }
    return { from, distance, previous }
  }

  #cheapest(a: Member, b: Member): number {
    if (this.#edge(a, b, -1) > 0) return -1
    if (this.#edge(a, b, 0) > 0) return 0
    return this.#edge(a, b, 1) > 0 ? 1 : UNREACHED
  }

  #edge(a: Member, b: Member, cost: number): number {
    return at(this.#edges, (a * this.members + b) * 3 + cost + 1)
  }

  #costOf(row: number, out: Member, into: Member): number {
    return at(this.#held, row * this.members + out) - at(this.#held, row * this.members + into)
  }

  /** Adds to the edges of a row what changes when `outside` replaces `inside`: all from the one, all to the other. */
  #countAround(row: number, inside: Member, outside: Member, sign: number): void {
    this.#countEdges(row, inside, sign)
    for (const member of this.rowOf(row)) if (member !== inside) this.#countEdge(row, member, outside, sign)
  }

  #countEdges(row: number, inside: Member, sign: number): void {
    for (let outside = 0; outside < this.members; outside++) {
      if (!this.holds(row, outside)) this.#countEdge(row, inside, outside, sign)
    }
  }

  #countEdge(row: number, inside: Member, outside: Member, sign: number): void {
    bump(this.#edges, (inside * this.members + outside) * 3 + this.#costOf(row, inside, outside) + 1, sign)
  }

  #share(a: Member, b: Member, by: number): void {
    bump(this.shared, a * this.members + b, by)
    bump(this.shared, b * this.members + a, by)
  }

  #sharedBy(a: Member, b: Member): number {
    return at(this.shared, a * this.members + b)
  }

  #all(): Member[] {
    return Array.from({ length: this.members }, (_, member) => member)
  }
}

/** A step that visits every row once, neighbours far apart: else all members would leave, or keep, the same first rows. */
function strideOf(rows: number): number {
  const divisor = (a: number, b: number): number => (b === 0 ? a : divisor(b, a % b))
  let stride = Math.max(1, Math.floor(rows * 0.618))
  while (divisor(rows, stride) !== 1) stride++
  return stride
}

/** A cell that exists. */
export function at(cells: Int32Array | Uint8Array, index: number): number {
  return cells[index] as number
}

/** Adds to a cell that exists. */
export function bump(cells: Int32Array, index: number, by: number): void {
  cells[index] = (cells[index] as number) + by
}

/** The item of the lowest score, the first of several; undefined if there is none. */
export function least<T>(items: readonly T[], scoreOf: (item: T) => number): T | undefined {
  let best: T | undefined
  let bestScore = Number.POSITIVE_INFINITY
  for (const item of items) {
    const score = scoreOf(item)
    if (score >= bestScore) continue
    best = item
    bestScore = score
  }
  return best
}
