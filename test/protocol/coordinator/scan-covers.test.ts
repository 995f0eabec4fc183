/** Who is asked for a page of a scan: r owners of every partition, chosen anew only when something has changed. */

import { test } from 'tap'
import { Coordination } from '../../../src/protocol/coordinator/coordination.js'
import type { CoverChoice } from '../../../src/protocol/coordinator/scan-covers.js'
import type { NodeId } from '../../../src/protocol/ids.js'
import { planClaim } from '../../../src/protocol/ring/claim.js'
import { EVERY_OWNER } from '../../../src/protocol/ring/quorum.js'
import { newTable } from '../../../src/protocol/supervision/reassignment.js'
import { configOf } from '../virtual-config.js'

const NODES = ['node1', 'node2', 'node3', 'node4', 'node5']
const table = newTable(planClaim({ members: NODES, partitions: 16, n: 3 }).rows, 3)

function coordinationOf(): Coordination {
  const coordination = new Coordination(configOf(2), table)
  for (const node of NODES) coordination.onPeer({ node, incarnation: 1, status: 'up' }, 0)
  return coordination
}

/** How often each partition is covered, by whom. */
function ownersIn(choice: CoverChoice): NodeId[][] {
  const owners: NodeId[][] = table.rows.map(() => [])
  if (typeof choice === 'object' && 'cover' in choice)
    for (const [node, partitions] of choice.cover) for (const partition of partitions) owners[partition]?.push(node)
  return owners
}

test('scan covers: r owners of each partition, on fewer nodes than there are', async (t) => {
  const coordination = coordinationOf()
  for (const r of [1, 2, 3]) {
    const owners = ownersIn(coordination.covers.choose(coordination, r))
    for (const [partition, row] of table.rows.entries()) {
      t.equal(new Set(owners[partition]).size, r)
      for (const owner of owners[partition] ?? []) t.ok(row.owners.includes(owner))
    }
    if (r === 1) t.ok(new Set(owners.flat()).size <= 3)
  }
})

test('scan covers: the same as long as nothing changes, and none with a node that is lost meanwhile', async (t) => {
  const coordination = coordinationOf()
  const choose = () => coordination.covers.choose(coordination, 1)
  const first = choose()
  t.equal(choose(), first)
  t.not(coordination.covers.choose(coordination, 2), first)
  const [lost] = ownersIn(first)[0] as [NodeId]
  coordination.onPeer({ node: lost, incarnation: 1, status: 'down' }, 1)
  t.notOk(ownersIn(choose()).flat().includes(lost))
  t.equal(choose(), choose())

  // It comes back cold, is asked last, and is warm some time later although nothing tells.
  coordination.onPeer({ node: lost, incarnation: 2, status: 'up' }, 2)
  t.notOk(ownersIn(choose()).flat().includes(lost))
  coordination.onTimer(1e6)
  t.ok(ownersIn(choose()).flat().includes(lost))
})

test('scan covers: too few owners fail the page, whichever was kept before', async (t) => {
  const coordination = coordinationOf()
  coordination.covers.choose(coordination, 2)
  const row = table.rows[3]
  for (const node of row?.owners.slice(0, 2) ?? [])
    coordination.onPeer({ node: node as NodeId, incarnation: 1, status: 'down' }, 1)
  const choice = coordination.covers.choose(coordination, 2)
  t.ok(typeof choice === 'object' && 'partition' in choice)
  t.same((choice as { alive: number }).alive, 1)
})

test('scan covers: every owner that a row has, also where another row has fewer', async (t) => {
  const rows = table.rows.map((row, partition) =>
    partition === 5 ? { ...row, owners: [row.owners[0] ?? null, null, null] } : row,
  )
  const coordination = new Coordination(configOf(2), { ...table, rows })
  for (const node of NODES) coordination.onPeer({ node, incarnation: 1, status: 'up' }, 0)
  const owners = ownersIn(coordination.covers.choose(coordination, EVERY_OWNER))
  for (const [partition, row] of rows.entries())
    t.same(new Set(owners[partition]), new Set(row.owners.filter((owner) => owner !== null)))
  coordination.onPeer({ node: rows[3]?.owners[2] as NodeId, incarnation: 1, status: 'down' }, 1)
  const choice = coordination.covers.choose(coordination, EVERY_OWNER)
  t.ok(typeof choice === 'object' && 'partition' in choice, 'one that is down is missing')
})
