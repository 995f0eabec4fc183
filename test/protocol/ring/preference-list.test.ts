/** Who is asked, and who stands in. */

import fc from 'fast-check'
import { test } from 'tap'
import { fallbacksOf, preferenceList } from '../../../src/protocol/ring/preference-list.js'
import type { Row } from '../../../src/protocol/ring/table.js'

const rowOf = (owners: (string | null)[], more: Partial<Row> = {}): Row => {
  return { epoch: 1, owners, pending: owners.map(() => null), standbys: [], lost: false, ...more }
}
const nodes = Array.from({ length: 8 }, (_, index) => `node${index + 1}`)
const row = rowOf(['node3', 'node1', 'node2'])

test('preference list: owners in place order, vacant places left out, pending owners not in it', async (t) => {
  t.same(preferenceList(row), ['node3', 'node1', 'node2'])
  t.same(preferenceList(rowOf(['node3', null, 'node2'], { pending: [null, 'node4', null] })), ['node3', 'node2'])
})

test('fallbacks: nobody whom the row writes to anyway, nobody twice, at most as many as asked', async (t) => {
  const joint = rowOf(['node1', 'node2', null], { pending: [null, null, 'node3'], standbys: ['node4'] })
  t.same([...fallbacksOf(7, joint, [...nodes, ...nodes], 99)].sort(), ['node5', 'node6', 'node7', 'node8'])
  t.equal(fallbacksOf(7, joint, nodes, 2).length, 2)
  t.same(fallbacksOf(7, joint, nodes, 0), [])
  t.same(fallbacksOf(7, joint, ['node1', 'node4'], 2), [])
})

test('fallbacks: the same for everyone, in whatever order the healthy nodes are named', async (t) => {
  const property = fc.property(fc.nat(16383), fc.shuffledSubarray(nodes), (partition, healthy) => {
    t.same(fallbacksOf(partition, row, healthy, 3), fallbacksOf(partition, row, healthy.toSorted(), 3))
  })
  fc.assert(property, { numRuns: 200 })
})

test('fallbacks: fewer are the beginning of more, and a node that goes moves only its own partitions', async (t) => {
  for (let partition = 0; partition < 128; partition++) {
    const all = fallbacksOf(partition, row, nodes, 5)
    t.same(fallbacksOf(partition, row, nodes, 2), all.slice(0, 2))
    const gone = nodes.filter((node) => node !== 'node6')
    t.same(
      fallbacksOf(partition, row, gone, 5),
      all.filter((node) => node !== 'node6'),
    )
  }
})

test('fallbacks: over the partitions, the first one is each non-owner about equally often', async (t) => {
  for (const partitions of [128, 1024]) {
    const counts = new Map<string | undefined, number>()
    for (let partition = 0; partition < partitions; partition++) {
      const [first] = fallbacksOf(partition, row, nodes, 1)
      counts.set(first, (counts.get(first) ?? 0) + 1)
    }
    t.equal(counts.size, 5)
    const share = partitions / 5
    for (const [node, count] of counts) t.ok(Math.abs(count - share) < 3 * Math.sqrt(share), `${node}: ${count}`)
  }
})
