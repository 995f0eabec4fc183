/** `cluster.metrics()`: what became of requests, of every thread. */

import { test } from 'tap'
import { openForTest, outcomeOf, until } from '../support/cluster.js'
import { connectInThread } from '../support/other-thread.js'

test('metrics: every request is counted once, under its kind, failed ones too', async (t) => {
  const cluster = await openForTest(t, { nodes: 3, partitions: 16, hungAfterMs: 600_000, closeTimeoutMs: 500 })
  await cluster.put('a', '1')
  await cluster.delete('b')
  await cluster.batch([{ type: 'put', key: 'c', value: '1' }])
  await cluster.getMany(['a', 'b'])
  await cluster.read('a')
  for await (const _pair of cluster.scan());
  const { requests } = cluster.metrics()
  const ended = Object.fromEntries(Object.entries(requests).map(([kind, { ended: count }]) => [kind, count]))
  t.same(ended, { get: 3, put: 1, delete: 1, batch: 1, scan: 1 })
  await Promise.all(['node1', 'node2', 'node3'].map((node) => cluster.faults.pause(node, 600_000)))
  t.equal(await outcomeOf(cluster.get('a', { timeoutMs: 100 })), 'TIMEOUT')
  const { get } = cluster.metrics().requests
  t.match(get, { ended: 4, failed: 1 })
  const [slowest = 0] = get.latencies.at(-1) ?? []
  t.ok(slowest >= 100_000, `the deadline counts as its latency: ${slowest} µs`)
})

test('metrics: requests of other threads count, also after they have left', async (t) => {
  const cluster = await openForTest(t, { nodes: 3, partitions: 16 })
  const store = await connectInThread(t, cluster.ticket())
  await store.put('a', '1')
  await store.get('a')
  const ended = () => Object.values(cluster.metrics().requests).map(({ ended: count }) => count)
  t.same(ended(), [1, 1, 0, 0, 0])
  await store.close()
  await until(() => cluster.status().gateways === 1)
  t.same(ended(), [1, 1, 0, 0, 0])
})
