/** Of tables the highest epoch wins, in whatever order they are shown and stored; a flipped row is guarded until it is activated. */

import fc from 'fast-check'
import { test } from 'tap'
import type { NodeId } from '../../src/protocol/ids.js'
import type { PartitionTable } from '../../src/protocol/ring/table.js'
import { TableKeeper } from '../../src/protocol/table-keeper.js'

function tableOf(epoch: number, owners: readonly NodeId[]): PartitionTable {
  const row = { epoch, owners, pending: owners.map(() => null), standbys: [], lost: false }
  return { epoch, n: owners.length, rows: [row] }
}

const owners = fc.shuffledSubarray(['node1', 'node2', 'node3', 'node4'], { minLength: 3, maxLength: 3 })
/** One table an epoch: only the supervisor makes them. */
const tables = fc
  .array(owners, { minLength: 1, maxLength: 8 })
  .map((rows) => rows.map((row, index) => tableOf(index + 1, row)))

test('table: every order of offers and stores ends with the highest epoch that was shown', async (t) => {
  const shown = tables.chain((all) =>
    fc.tuple(fc.constant(all), fc.array(fc.tuple(fc.constantFrom(...all), fc.boolean()), { maxLength: 20 })),
  )
  const property = fc.property(shown, ([[first], offers]) => {
    const keeper = new TableKeeper('node1', first as PartitionTable, 1)
    let adopting = 0
    let highest = 1
    for (const [table, storesAtOnce] of offers) {
      const before = keeper.epoch
      if (keeper.offer(table) !== table.epoch > highest) return false
      highest = Math.max(highest, table.epoch)
      if (table.epoch === highest && highest > before) adopting = highest
      if (storesAtOnce && adopting > 0) keeper.onStored(adopting)
      // It never goes back, and never acts on what is not stored.
      if (keeper.epoch < before || keeper.epoch > highest) return false
    }
    keeper.onStored(highest)
    return keeper.epoch === highest && keeper.table.epoch === highest && !keeper.isAdopting
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500, seed: 71 }))
})

/** What a node acts on that had the one table, was shown the other, and stored it. */
function merged(a: PartitionTable, b: PartitionTable): PartitionTable {
  const keeper = new TableKeeper('node1', a, a.epoch)
  if (keeper.offer(b)) keeper.onStored(b.epoch)
  return keeper.table
}

test('merge of tables: commutative, associative, idempotent', async (t) => {
  const three = tables.chain((all) =>
    fc.tuple(fc.constantFrom(...all), fc.constantFrom(...all), fc.constantFrom(...all)),
  )
  const property = fc.property(three, ([a, b, c]) => {
    return (
      merged(a, b) === merged(b, a) &&
      merged(merged(a, b), c) === merged(a, merged(b, c)) &&
      merged(a, a) === a &&
      merged(merged(a, b), b) === merged(a, b)
    )
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500, seed: 72 }))
})

test('merge of tables: nodes that show each other theirs, in whatever order, come to act on the same one', async (t) => {
  const talks = tables.chain((all) =>
    fc.tuple(
      fc.array(fc.constantFrom(...all), { minLength: 4, maxLength: 4 }),
      fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { maxLength: 12 }),
    ),
  )
  const property = fc.property(talks, ([first, pairs]) => {
    const keepers = first.map((table, index) => new TableKeeper(`node${index + 1}`, table, table.epoch))
    const tell = (from: TableKeeper, to: TableKeeper): void => {
      if (to.offer(from.table)) to.onStored(from.epoch)
    }
    for (const [from, to] of pairs) tell(keepers[from] as TableKeeper, keepers[to] as TableKeeper)
    for (const from of keepers) for (const to of keepers) tell(from, to)
    const highest = Math.max(...first.map(({ epoch }) => epoch))
    return keepers.every(({ epoch }) => epoch === highest)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500, seed: 73 }))
})

test('table: an epoch that was overtaken while it was stored is not acted on', async (t) => {
  const keeper = new TableKeeper('node1', tableOf(1, ['node1', 'node2', 'node3']), 1)
  t.ok(keeper.offer(tableOf(2, ['node1', 'node2', 'node4'])))
  t.ok(keeper.offer(tableOf(3, ['node1', 'node3', 'node4'])))
  t.equal(keeper.onStored(2), undefined)
  t.equal(keeper.epoch, 1)
  t.equal(keeper.onStored(3)?.epoch, 3)
})

test('table: a row that became ours is served only when its epoch is active', async (t) => {
  const keeper = new TableKeeper('node1', tableOf(1, ['node2', 'node3', 'node4']), 1)
  t.equal(keeper.judgeRead(0, 1), 'stale', 'not ours')
  keeper.offer(tableOf(2, ['node1', 'node3', 'node4']))
  t.equal(keeper.judgeRead(0, 2), 'behind')
  keeper.onStored(2)
  t.equal(keeper.judgeRead(0, 1), 'stale')
  t.equal(keeper.judgeRead(0, 2), 'guarded')
  t.equal(keeper.judgeWrite(0, 2), 'guarded')
  keeper.onActivate(2)
  t.equal(keeper.judgeRead(0, 2), 'serve')
  t.equal(keeper.judgeWrite(0, 2), 'serve')
})

test('table: a row that has lost places is guarded at those too who owned it before', async (t) => {
  const keeper = new TableKeeper('node1', tableOf(1, ['node1', 'node2', 'node3']), 1)
  keeper.offer(tableOf(2, ['node1', 'node2']))
  keeper.onStored(2)
  t.equal(keeper.judgeRead(0, 2), 'guarded')
  t.equal(keeper.judgeWrite(0, 2), 'guarded')
  keeper.onActivate(2)
  t.equal(keeper.judgeRead(0, 2), 'serve')
})
