/** Ordered pages of partitions merge into one ordered stream, whatever the pages are. */

import fc from 'fast-check'
import { test } from 'tap'
import { KeyNames } from '../../../src/engines/redis-cluster/key-names.js'
import { mergedRows } from '../../../src/engines/redis-cluster/rows.js'
import type { KeyRange } from '../../../src/protocol/messages.js'
import { partitionOf, slotOf } from '../../../src/protocol/ring/slot.js'
import { collect } from '../../support/cluster.js'

const PARTITIONS = 16

/** As the store would: a page may end early, and hold nothing although there is more. */
function pagesOf(keys: readonly string[], cut: (rows: number) => number) {
  return async (wanted: readonly { partition: number; range: KeyRange; rows: number }[]) =>
    wanted.map(({ partition, range, rows }) => {
      const own = keys.filter((key) => partitionOf(key, PARTITIONS) === partition && isIn(key, range))
      if (range.reverse) own.reverse()
      const looked = own.slice(0, Math.max(1, cut(rows)))
      const isLast = looked.length === own.length
      const gone = looked.filter((key) => !key.startsWith('gone'))
      return { rows: gone.map((key) => [key, Buffer.from(key)] as const), next: isLast ? undefined : looked.at(-1) }
    })
}

function isIn(key: string, { from, fromExclusive, to, toExclusive }: KeyRange): boolean {
  const isAbove = from === undefined || key > from || (key === from && fromExclusive !== true)
  return isAbove && (to === undefined || key < to || (key === to && toExclusive !== true))
}

test('rows: one ordered stream, each key once, up to the limit', async (t) => {
  const keys = fc.uniqueArray(
    fc.oneof(fc.string({ minLength: 1, maxLength: 4 }), fc.constantFrom('gone1', 'gone2', '{a}1', '{a}2')),
    {
      maxLength: 300,
    },
  )
  const property = fc.asyncProperty(
    keys,
    fc.boolean(),
    fc.integer({ min: 0, max: 350 }),
    fc.integer({ min: 1, max: 5 }),
    async (all, reverse, limit, cut) => {
      const ascii = all.filter((key) => /^[\x20-\x7e]+$/.test(key)).sort((a, b) => (a < b ? -1 : 1))
      const rows = mergedRows(
        { partitions: PARTITIONS, range: { reverse }, limit },
        pagesOf(ascii, (rows) => Math.min(rows, cut)),
      )
      const wanted = ascii.filter((key) => !key.startsWith('gone'))
      if (reverse) wanted.reverse()
      const found = (await collect(rows)).map(([key]) => key)
      if (JSON.stringify(found) !== JSON.stringify(wanted.slice(0, limit)))
        throw new Error(`${found} instead of ${wanted}`)
    },
  )
  await fc.assert(property, { numRuns: 200 })
  t.pass('200 sets of keys')
})

test('names: the tag of each partition has a slot in it, whatever the count', async (t) => {
  for (const partitions of [16, 128, 1_024, 16_384]) {
    const names = new KeyNames('n', partitions)
    const wrong = Array.from({ length: partitions }, (_, partition) => partition).filter((partition) => {
      const slot = slotOf(names.value(partition, '{other}key').toString('latin1'))
      return slot !== names.slot(partition) || Math.floor((slot * partitions) / 16_384) !== partition
    })
    t.same(wrong, [], `${partitions} partitions`)
  }
})
