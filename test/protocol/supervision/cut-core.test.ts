/** When a backup freezes, takes snapshots, and lets go: see the header of `cut-core.ts`. */

import { test } from 'tap'
import type { NodeId } from '../../../src/protocol/ids.js'
import { MAJORITY } from '../../../src/protocol/ring/quorum.js'
import { CutCore, type CutOutput, ownersNeededFor } from '../../../src/protocol/supervision/cut-core.js'
import { newTable } from '../../../src/protocol/supervision/reassignment.js'

const FREEZE_TIMEOUT_MS = 1_000
const NODES: readonly NodeId[] = ['node1', 'node2', 'node3']
const table = newTable(
  Array.from({ length: 16 }, () => [...NODES]),
  3,
)

class Driven {
  nowMs = 0
  readonly outputs: CutOutput[] = []
  readonly core: CutCore

  constructor(up: readonly NodeId[] = NODES) {
    this.core = new CutCore({
      nodes: NODES.map((id) => ({ id, isUp: up.includes(id), phase: up.includes(id) ? 'up' : 'down' })),
      table: () => table,
      ownersNeeded: (now) => ownersNeededFor(now, { n: 3, r: 2, w: 2, wFill: 2 }),
      freezeTimeoutMs: FREEZE_TIMEOUT_MS,
      nowMs: 0,
    })
    this.#drain()
  }

  frozen(node: NodeId, isFrozen = true): void {
    this.core.onFrozen(node, isFrozen, this.nowMs)
    this.#drain()
  }

  taken(node: NodeId, isTaken = true): void {
    this.core.onSnapshot(node, isTaken, 'it died', this.nowMs)
    this.#drain()
  }

  at(nowMs: number): void {
    this.nowMs = nowMs
    this.core.onTime(nowMs)
    this.#drain()
  }

  /** Since the last call: `freeze node1`. */
  said(): string[] {
    return this.outputs.splice(0).map((output) => (output.type === 'ended' ? 'ended' : `${output.type} ${output.node}`))
  }

  ended(): (CutOutput & { type: 'ended' }) | undefined {
    return this.outputs.find((output): output is CutOutput & { type: 'ended' } => output.type === 'ended')
  }

  #drain(): void {
    this.outputs.push(...this.core.takeOutput())
  }
}

test('cut: no snapshot before everybody has confirmed the freeze', async (t) => {
  const driven = new Driven()
  t.same(driven.said(), ['freeze node1', 'freeze node2', 'freeze node3'])
  driven.frozen('node1')
  driven.frozen('node2')
  t.same(driven.said(), [])
  driven.frozen('node3')
  t.same(driven.said(), ['snapshot node1', 'snapshot node2', 'snapshot node3'])
  for (const node of NODES) driven.taken(node)
  t.match(driven.ended(), { nodes: NODES, leftOut: [], partitions: [] })
  t.same(driven.said(), ['ended'], 'nobody is released: their snapshots are to be copied')
  t.equal(driven.core.nextDeadlineMs(0), Number.POSITIVE_INFINITY)
})

test('cut: a straggler is left out after half of the time, if the others are enough; what it says later counts no more', async (t) => {
  const driven = new Driven()
  driven.frozen('node1')
  driven.frozen('node3')
  driven.said()
  t.equal(driven.core.nextDeadlineMs(0), 500)
  driven.at(499)
  t.same(driven.said(), [])
  driven.at(500)
  t.same(driven.said(), ['snapshot node1', 'snapshot node3'])
  driven.frozen('node2')
  driven.taken('node1')
  driven.taken('node3')
  t.match(driven.ended(), { nodes: ['node1', 'node3'], partitions: [] })
  t.same(driven.ended()?.leftOut, [{ node: 'node2', reason: 'it did not confirm the freeze' }])
  t.same(driven.said(), ['release node2', 'ended'])
})

test('cut: too few are frozen: nobody takes a snapshot, everybody is released', async (t) => {
  const driven = new Driven(['node1', 'node2'])
  driven.said()
  driven.frozen('node1')
  driven.frozen('node2', false)
  t.equal(driven.ended()?.partitions.length, 16)
  t.same(driven.said(), ['release node1', 'release node2', 'ended'])
})

test('cut: who is silent at the deadline is not waited for, with its snapshot neither', async (t) => {
  const driven = new Driven()
  for (const node of NODES) driven.frozen(node)
  driven.taken('node1')
  driven.taken('node2', false)
  driven.said()
  driven.at(FREEZE_TIMEOUT_MS)
  t.equal(driven.ended()?.partitions.length, 16, 'one snapshot is not enough')
  t.same(driven.said(), ['release node1', 'release node2', 'release node3', 'ended'])
  driven.taken('node3')
  t.same(driven.said(), [])
})

test('owners that are needed meet every write quorum, and linearizable read quorums; of full copies, of the row', async (t) => {
  t.equal(ownersNeededFor(table, { n: 3, r: 2, w: 2, wFill: 2 }), 2)
  t.equal(
    ownersNeededFor(table, { n: 3, r: 2, w: 3, wFill: 3 }),
    2,
    'a read of two may have shown what one of three has',
  )
  t.equal(ownersNeededFor(table, { n: 3, r: 1, w: 3, wFill: 3 }), 1)
  const five = newTable([['a', 'b', 'c', 'd', 'e']], 5)
  t.equal(ownersNeededFor(five, { n: 'all', r: MAJORITY, w: MAJORITY, wFill: MAJORITY }), 3)
})
