/**
 * Claim: balance, distinct owners, kept places and the fewest moves, on random clusters; the minimum itself is checked
 * against a search over all assignments, which shares nothing with the flow.
 */

import fc from 'fast-check'
import { test } from 'tap'
import type { NodeId } from '../../../src/protocol/ids.js'
import {
  type ClaimInput,
  type ClaimPlan,
  minimumMoves,
  type OwnerRows,
  planClaim,
  planReplacement,
} from '../../../src/protocol/ring/claim.js'

const nodes = (count: number, from = 1): NodeId[] => Array.from({ length: count }, (_, index) => `node${index + from}`)

/** What each node owns, counted over `places` (all, or place 0 alone). */
function countOf(rows: OwnerRows, members: readonly NodeId[], places = Number.POSITIVE_INFINITY): number[] {
  return members.map((node) => rows.filter((row) => row.slice(0, places).includes(node)).length)
}

const spreadOf = (counts: readonly number[]): number => Math.max(...counts) - Math.min(...counts)

/** How many rows each two members share. */
function pairsOf(rows: OwnerRows, members: readonly NodeId[]): number[] {
  const pairs = members.flatMap((a, index) => members.slice(0, index).map((b) => [a, b] as const))
  return pairs.map(([a, b]) => rows.filter((row) => row.includes(a) && row.includes(b)).length)
}

/** Every rule of a plan but the number of its moves; the first one broken, or undefined. */
function brokenRule({ partitions, n, members, current }: ClaimInput, { rows, moves }: ClaimPlan): string | undefined {
  if (rows.length !== partitions) return 'a row for every partition'
  for (const [partition, row] of rows.entries()) {
    const owners = row.filter((node) => node !== null)
    if (row.length !== n) return `row ${partition} has n places`
    if (owners.length !== Math.min(n, members.length)) return `row ${partition} is as full as the members allow`
    if (new Set(owners).size !== owners.length) return `row ${partition} names nobody twice`
    if (!owners.every((node) => members.includes(node))) return `row ${partition} names members only`
    const before = current?.[partition] ?? []
    for (const [place, node] of row.entries()) {
      if (node !== null && before.includes(node) && before[place] !== node)
        return `${node} keeps its place in ${partition}`
      const told = moves.find((move) => move.partition === partition && move.place === place)
      const changed = node !== null && before[place] !== node
      if ((told !== undefined) !== changed) return `the moves name every change and no other, ${partition}.${place}`
      if (told && (told.to !== node || told.from !== (before[place] ?? null))) return `the move is true, ${partition}`
    }
  }
  return undefined
}

/** Highest load that a balanced claim allows. */
function capOf({ partitions, n, members }: ClaimInput): number {
  return Math.ceil((partitions * Math.min(n, members.length)) / members.length)
}

/**
 * The fewest moves of any assignment with loads within floor…cap, by trying them all: row by row, for every vector of
 * loads the cheapest way to reach it.
 */
function fewestMoves({ partitions, n, members, current }: ClaimInput, cap: number, floor = 0): number {
  const size = Math.min(n, members.length)
  const choices = subsets(members.length, size)
  let reached = new Map<string, { loads: number[]; cost: number }>([['', { loads: members.map(() => 0), cost: 0 }]])
  for (let partition = 0; partition < partitions; partition++) {
    const next = new Map<string, { loads: number[]; cost: number }>()
    for (const { loads, cost } of reached.values()) {
      for (const choice of choices) {
        const after = loads.map((load, member) => load + (choice.includes(member) ? 1 : 0))
        if (Math.max(...after) > cap) continue
        const moved = choice.filter((member) => !current?.[partition]?.includes(members[member] as NodeId)).length
        const key = after.join()
        if (cost + moved < (next.get(key)?.cost ?? Number.POSITIVE_INFINITY)) {
          next.set(key, { loads: after, cost: cost + moved })
        }
      }
    }
    reached = next
  }
  const ends = [...reached.values()].filter(({ loads }) => Math.min(...loads) >= floor)
  return Math.min(...ends.map(({ cost }) => cost))
}

function subsets(items: number, size: number, from = 0): number[][] {
  if (size === 0) return [[]]
  const result: number[][] = []
  for (let item = from; item < items; item++) {
    for (const rest of subsets(items, size - 1, item + 1)) result.push([item, ...rest])
  }
  return result
}

/** A cluster with any history: some owners dead or left, some places vacant, members that own nothing yet. */
function clusters(max: {
  partitions: number
  n: number
  members: number
}): fc.Arbitrary<ClaimInput & { current: OwnerRows }> {
  const shape = fc.record({
    partitions: fc.integer({ min: 1, max: max.partitions }),
    n: fc.integer({ min: 1, max: max.n }),
    members: fc.shuffledSubarray(nodes(max.members), { minLength: 1 }),
    // The lower the limit, the more lopsided the former cluster, and the more often a free place is blocked.
    limit: fc.integer({ min: 1, max: max.members + 1 }),
  })
  return shape.chain(({ partitions, n, members, limit }) => {
    const some = nodes(limit)
    const row = fc.shuffledSubarray(some, { maxLength: Math.min(n, some.length) }).chain((owners) => {
      const places = Array.from({ length: n }, (_, place) => owners[place] ?? null)
      return fc.shuffledSubarray(places, { minLength: n, maxLength: n })
    })
    const current = fc.array(row, { minLength: partitions, maxLength: partitions })
    return fc.record({ partitions: fc.constant(partitions), n: fc.constant(n), members: fc.constant(members), current })
  })
}

test('claim: full rows of distinct members, kept places, true moves, nobody above the cap', async (t) => {
  const property = fc.property(clusters({ partitions: 48, n: 4, members: 9 }), fc.boolean(), (cluster, evenly) => {
    const plan = planClaim({ ...cluster, evenly })
    t.equal(brokenRule(cluster, plan), undefined)
    const loads = countOf(plan.rows, cluster.members)
    t.ok(Math.max(...loads) <= capOf(cluster))
    if (evenly) t.ok(spreadOf(loads) <= 1)
  })
  fc.assert(property, { numRuns: 150 })
})

test('claim: the fewest moves of all balanced assignments (all of them tried)', async (t) => {
  const property = fc.property(clusters({ partitions: 6, n: 3, members: 4 }), (cluster) => {
    const fewest = fewestMoves(cluster, capOf(cluster))
    t.equal(planClaim(cluster).moves.length, fewest)
    t.ok(minimumMoves(cluster) <= fewest, 'the bound is one')
  })
  fc.assert(property, { numRuns: 250 })
})

test('claim: a free place that only full members could take costs an exchange more, not the balance', async (t) => {
  // The place next to a can only go to b or c, which are full; one of them must give up a row to a first.
  const direct = {
    partitions: 3,
    n: 2,
    members: ['a', 'b', 'c'],
    current: [
      ['b', 'c'],
      ['b', 'c'],
      ['a', null],
    ],
  }
  t.equal(minimumMoves(direct), 1)
  t.equal(fewestMoves(direct, capOf(direct)), 2)
  t.equal(planClaim(direct).moves.length, 2)
  // Here the exchange goes through a third member.
  const current = [
    ['d', 'a'],
    [null, 'd'],
    [null, 'a'],
    [null, 'c'],
  ]
  const chained = { partitions: 4, n: 2, members: ['a', 'b', 'c', 'd'], current }
  t.equal(planClaim(chained).moves.length, fewestMoves(chained, capOf(chained)))
  t.equal(brokenRule(chained, planClaim(chained)), undefined)
})

test('claim: an owner that a row names twice keeps one of the places', async (t) => {
  const cluster = { partitions: 1, n: 3, members: ['a', 'b', 'c'], current: [['b', 'b', 'a']] }
  t.same(planClaim(cluster).rows, [['b', 'c', 'a']])
  const thrice = { ...cluster, current: [['b', 'b', 'b']] }
  t.equal(planClaim(thrice).moves.length, 2)
  t.equal(planReplacement(thrice).moves.length, 2)
})

test('claim evenly: the fewest moves of all assignments that leave nobody below the floor either', async (t) => {
  const property = fc.property(clusters({ partitions: 5, n: 3, members: 5 }), (cluster) => {
    const floor = Math.floor(
      (cluster.partitions * Math.min(cluster.n, cluster.members.length)) / cluster.members.length,
    )
    const plan = planClaim({ ...cluster, evenly: true })
    t.equal(plan.moves.length, fewestMoves(cluster, capOf(cluster), floor))
  })
  fc.assert(property, { numRuns: 120 })
})

test('claim: joining and leaving move no more than the simple bound says', async (t) => {
  for (const count of [3, 4, 5, 8, 12]) {
    const before = planClaim({ partitions: 128, n: 3, members: nodes(count) }).rows
    for (const members of [nodes(count + 1), nodes(count + 3), nodes(count).slice(1), nodes(count, 2)]) {
      if (members.length < 3) continue
      const change = { partitions: 128, n: 3, members, current: before }
      t.equal(planClaim(change).moves.length, minimumMoves(change), `${count} → ${members.length}`)
    }
  }
})

test('claim: what is balanced already stays as it is', async (t) => {
  for (const count of [1, 2, 3, 5, 7, 32]) {
    const cluster = { partitions: 128, n: 3, members: nodes(count) }
    const { rows } = planClaim(cluster)
    const again = planClaim({ ...cluster, current: rows, evenly: true })
    t.same(again.moves, [])
    t.same(again.rows, rows)
  }
})

test('claim: a node that joins without lowering the cap gets its share only if asked evenly', async (t) => {
  const before = planClaim({ partitions: 128, n: 3, members: nodes(24) }).rows
  const joined = { partitions: 128, n: 3, members: nodes(25), current: before }
  t.equal(planClaim(joined).moves.length, 0)
  t.equal(planClaim({ ...joined, evenly: true }).moves.length, Math.floor((128 * 3) / 25))
})

test('claim: fewer members than places own every partition, the rest of the row is vacant', async (t) => {
  const current = planClaim({ partitions: 16, n: 3, members: nodes(3) }).rows
  const left = { partitions: 16, n: 3, members: ['node1', 'node3'], current }
  const plan = planClaim(left)
  t.equal(brokenRule(left, plan), undefined)
  t.same(plan.moves, [])
  t.same(planClaim({ partitions: 16, n: 2, members: [] }).rows, new Array(16).fill([null, null]))
})

test('claim: one plan for one input, whatever the order in which the members are named', async (t) => {
  const property = fc.property(clusters({ partitions: 32, n: 3, members: 7 }), (cluster) => {
    const members = [...cluster.members, ...cluster.members].reverse()
    t.same(planClaim({ ...cluster, members }), planClaim(cluster))
    t.same(planReplacement({ ...cluster, members }), planReplacement(cluster))
  })
  fc.assert(property, { numRuns: 60 })
})

test('a new cluster: replicas, primaries and shared rows differ by one or two between nodes', async (t) => {
  for (const count of [3, 4, 5, 6, 7, 9, 12, 16]) {
    const members = nodes(count)
    const { rows } = planClaim({ partitions: 128, n: 3, members })
    t.ok(spreadOf(countOf(rows, members)) <= 1, `${count} nodes: replicas`)
    t.ok(spreadOf(countOf(rows, members, 1)) <= 1, `${count} nodes: primaries`)
    t.ok(spreadOf(pairsOf(rows, members)) <= 2, `${count} nodes: pairs`)
  }
})

test('a new cluster: primaries differ by at most one, in small and awkward ones too', async (t) => {
  for (const n of [1, 2, 3, 4]) {
    for (let count = n; count <= 20; count++) {
      const { rows } = planClaim({ partitions: 16, n, members: nodes(count) })
      t.ok(spreadOf(countOf(rows, nodes(count), 1)) <= 1, `n ${n}, ${count} nodes`)
    }
  }
})

test('a new cluster: whoever dies, its reads fall on all others alike', async (t) => {
  for (const count of [4, 5, 7, 9]) {
    const members = nodes(count)
    const { rows } = planClaim({ partitions: 128, n: 3, members })
    for (const dead of members) {
      const others = members.filter((node) => node !== dead)
      const heirs = rows.filter((row) => row[0] === dead).map((row) => row[1])
      const inherited = others.map((node) => heirs.filter((heir) => heir === node).length)
      t.ok(spreadOf(inherited) <= 3, `${dead} of ${count}: ${inherited}`)
    }
  }
})

test('a join keeps primaries and shared rows even', async (t) => {
  for (const count of [4, 5, 6, 8]) {
    const members = nodes(count + 1)
    const current = planClaim({ partitions: 128, n: 3, members: nodes(count) }).rows
    const { rows } = planClaim({ partitions: 128, n: 3, members, current })
    t.ok(spreadOf(countOf(rows, members, 1)) <= 6, `${count + 1} nodes: primaries ${countOf(rows, members, 1)}`)
    t.ok(spreadOf(pairsOf(rows, members)) <= 4, `${count + 1} nodes: pairs ${pairsOf(rows, members)}`)
  }
})

test('replacement: only places of the dead change, and nobody healthy is moved', async (t) => {
  const property = fc.property(clusters({ partitions: 48, n: 4, members: 9 }), (cluster) => {
    const plan = planReplacement(cluster)
    t.equal(brokenRule(cluster, plan), undefined)
    for (const [partition, row] of cluster.current.entries()) {
      for (const [place, node] of row.entries()) {
        if (node !== null && cluster.members.includes(node)) t.equal(plan.rows[partition]?.[place], node)
      }
    }
  })
  fc.assert(property, { numRuns: 150 })
})

test('replacement: of all ways to fill the places, one with the most even loads (all of them tried)', async (t) => {
  const property = fc.property(clusters({ partitions: 5, n: 3, members: 4 }), (cluster) => {
    const squares = (counts: readonly number[]): number => counts.reduce((sum, count) => sum + count * count, 0)
    const evenest = Math.min(...fillingsOf(cluster).map(squares))
    t.equal(squares(countOf(planReplacement(cluster).rows, cluster.members)), evenest)
  })
  // Filling row by row, each with whoever has least, ends here uneven.
  const current = [
    ['c', null],
    ['b', 'c'],
    [null, 'a'],
    [null, 'd'],
  ]
  const shortSighted = { partitions: 4, n: 2, members: ['a', 'b', 'c', 'd'], current }
  fc.assert(property, { numRuns: 150, examples: [[shortSighted]] })
})

/** The loads of every way to fill the free places without moving an owner. */
function fillingsOf({ n, members, current }: ClaimInput & { current: OwnerRows }): number[][] {
  let reached = new Map([['', members.map(() => 0)]])
  for (const row of current) {
    const kept = members.flatMap((node, member) => (row.includes(node) ? [member] : []))
    const fitting = subsets(members.length, Math.min(n, members.length)).filter((choice) =>
      kept.every((member) => choice.includes(member)),
    )
    const next = new Map<string, number[]>()
    for (const loads of reached.values()) {
      for (const choice of fitting) {
        const after = loads.map((load, member) => load + (choice.includes(member) ? 1 : 0))
        next.set(after.join(), after)
      }
    }
    reached = next
  }
  return [...reached.values()]
}

test('replacement: the places of a dead node spread over all survivors', async (t) => {
  for (const count of [5, 6, 8, 12]) {
    const current = planClaim({ partitions: 128, n: 3, members: nodes(count) }).rows
    for (const dead of nodes(count)) {
      const members = nodes(count).filter((node) => node !== dead)
      const { rows, moves } = planReplacement({ partitions: 128, n: 3, members, current })
      t.ok(moves.every((move) => move.from === dead))
      const taken = members.map((node) => moves.filter((move) => move.to === node).length)
      t.ok(spreadOf(taken) <= 2, `${dead} of ${count}: ${taken}`)
      t.ok(spreadOf(countOf(rows, members)) <= 1)
    }
  }
})

test('claim: the largest cluster is planned in seconds, not minutes', async (t) => {
  const started = process.hrtime.bigint()
  const { rows } = planClaim({ partitions: 16384, n: 3, members: nodes(32) })
  const change = { partitions: 16384, n: 3, members: nodes(32, 9), current: rows }
  t.equal(planClaim(change).moves.length, minimumMoves(change))
  const elapsedMs = Number(process.hrtime.bigint() - started) / 1e6
  t.ok(elapsedMs < 5000, `${elapsedMs.toFixed(0)} ms`)
})
