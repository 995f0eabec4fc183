/**
 * `npm run bench:claim-moves`: what a join and a leave move, and how even the shares are, for clusters of 1 to 32 nodes. The
 * planner itself, each cluster grown out of the one before; writes a table.
 *
 * --out FOLDER  (default bench/results)
 */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { minimumMoves, type OwnerRows, planClaim } from '../../src/protocol/ring/claim.js'
import { argument } from '../harness.js'

const PARTITIONS = 128
const N = 3
const NODES_MAX = 32

const nodesOf = (count: number): string[] => Array.from({ length: count }, (_, index) => `node${index + 1}`)

function sharesOf(rows: OwnerRows): string {
  const shares = new Map<string, number>()
  for (const owner of rows.flat()) if (owner !== null) shares.set(owner, (shares.get(owner) ?? 0) + 1)
  const counts = [...shares.values()].sort((a, b) => a - b)
  const [least, most] = [counts[0], counts.at(-1)]
  return least === most ? `${least}` : `${least} to ${most}`
}

const lines: string[] = []
for (let count = N; count <= NODES_MAX; count++) {
  const shape = { partitions: PARTITIONS, n: N, evenly: true }
  const { rows: current } = grown(count)
  const joined = { ...shape, members: nodesOf(count + 1), current }
  const left = { ...shape, members: nodesOf(count).slice(1), current }
  const cell = (input: typeof joined): string => `${planClaim(input).moves.length} (${minimumMoves(input)})`
  const leave = count > N ? cell(left) : 'refused'
  lines.push(`| ${count} | ${sharesOf(current)} | ${cell(joined)} | ${leave} |`)
}

/** Node by node, as a cluster that was made with n nodes grows. */
function grown(count: number): { readonly rows: OwnerRows } {
  let plan = planClaim({ partitions: PARTITIONS, n: N, members: nodesOf(N), evenly: true })
  for (let size = N + 1; size <= count; size++)
    plan = planClaim({ partitions: PARTITIONS, n: N, members: nodesOf(size), current: plan.rows, evenly: true })
  return plan
}

const page = `# What a join and a leave move

${PARTITIONS} partitions, ${N} copies each: ${PARTITIONS * N} replicas. A cluster is made with ${N} nodes and grows node by node (with fewer, each
node has every partition). Moves are replicas that are copied; in brackets the fewest that any plan could do with which leaves every node with
its share, rounded down or up. Made by \`npm run bench:claim-moves\`.

| nodes | replicas of a node | one more joins: moves | the first leaves: moves |
| --- | --- | --- | --- |
${lines.join('\n')}
`
console.log(page)
const folder = argument('out') ?? 'bench/results'
await mkdir(folder, { recursive: true })
await writeFile(join(folder, 'claim-moves.md'), page)
