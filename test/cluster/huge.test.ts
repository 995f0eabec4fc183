/** The largest keys and values: whole on every owner, whatever way they got there; one byte more is refused, and nothing of it is kept. */

import { test } from 'tap'
import { eventOf, folderForTest, openForTest, outcomeOf } from '../support/cluster.js'
import { ownersOf } from '../support/faults.js'

const VALUE_BYTES_MAX = 8 * 1_048_576
const KEY_BYTES_MAX = 65_535

test('huge: at the limits by a write, a hint, a refill, a scan and a reopening; past them not at all', async (t) => {
  const location = await folderForTest(t)
  const options = { location, nodes: 4, readTimeoutMs: 60_000, writeTimeoutMs: 60_000, hungAfterMs: 60_000 }
  const cluster = await openForTest(t, options)
  const key = 'k'.repeat(KEY_BYTES_MAX)
  const [first, second] = ownersOf(cluster, key)
  const isWhole = async (store: typeof cluster, filling: string): Promise<boolean> =>
    Buffer.alloc(VALUE_BYTES_MAX, filling).equals((await store.get(key, { r: 3 })) ?? Buffer.from('none'))

  t.equal(await outcomeOf(cluster.put(key, Buffer.alloc(VALUE_BYTES_MAX + 1))), 'INVALID_VALUE')
  t.equal(await outcomeOf(cluster.put(`${key}k`, 'value')), 'INVALID_KEY')
  t.equal(await cluster.get(key, { r: 3 }), undefined, 'nothing was kept')
  await cluster.put(key, Buffer.alloc(VALUE_BYTES_MAX, 'a'))
  t.ok(await isWhole(cluster, 'a'), 'as it was written')

  const up = eventOf(cluster, 'node:up', ({ node }) => node === first)
  await cluster.faults.crash(first)
  await cluster.put(key, Buffer.alloc(VALUE_BYTES_MAX, 'b'))
  await up
  await cluster.settled({ timeoutMs: 60_000 })
  t.ok(await isWhole(cluster, 'b'), 'by the owner that missed it, too')

  await cluster.faults.wipe(second)
  await cluster.settled({ timeoutMs: 60_000 })
  t.ok(await isWhole(cluster, 'b'), 'by the owner that was refilled')
  await cluster.put('l', '')
  const scanned: [number, number][] = []
  for await (const [found, value] of cluster.scan({ timeoutMs: 60_000 })) scanned.push([found.length, value.length])
  t.same(scanned, [
    [KEY_BYTES_MAX, VALUE_BYTES_MAX],
    [1, 0],
  ])
  await cluster.close()
  const again = await openForTest(t, options)
  t.ok(await isWhole(again, 'b'), 'after a reopening')
})
