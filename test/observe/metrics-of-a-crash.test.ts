/** What a scrape says is what `status()`, `metrics()` and `ring()` say: before, during and after crashes, on real threads. */

import { test } from 'tap'
import type { Cluster } from '../../src/index.js'
import { healthOf, PrometheusMetrics } from '../../src/observe.js'
import { eventOf, openForTest, outcomeOf, type TestContext, until } from '../support/cluster.js'
import { Exposition } from './exposition.js'

/** Only what changes in this thread: a node's thread may write a record between two looks. */
async function sameAsStatus(t: TestContext, cluster: Cluster, metrics: PrometheusMetrics): Promise<Exposition> {
  const scrape = await Exposition.of(metrics)
  const { nodes, ...status } = cluster.status()
  const of = (name: string) => scrape.byLabel(`coterie_node_${name}`, 'node')
  const ofEach = (read: (node: (typeof nodes)[number]) => number) =>
    Object.fromEntries(nodes.map((node) => [node.id, read(node)]))
  t.same(
    of('incarnation'),
    ofEach(({ incarnation }) => incarnation),
  )
  t.same(
    of('restarts_total'),
    ofEach(({ restarts }) => restarts),
  )
  t.same(
    of('replicas'),
    ofEach(({ partitions }) => partitions),
  )
  t.same(
    of('replicas_pending'),
    ofEach(({ pending }) => pending),
  )
  for (const each of ['up', 'suspect', 'down'] as const) {
    const value = scrape.value('coterie_nodes', { role: 'member', status: each })
    t.equal(value, nodes.filter((node) => node.status === each).length, each)
  }
  t.equal(scrape.value('coterie_epoch'), status.epoch)
  t.equal(scrape.value('coterie_partitions'), status.partitions)
  t.equal(scrape.value('coterie_partitions_lost'), status.partitionsLost.length)
  t.equal(scrape.value('coterie_partitions_moving'), cluster.ring().filter(({ moving }) => moving).length)
  for (const [operation, { ended, failed, failures, totalUs }] of Object.entries(cluster.metrics().requests)) {
    const duration = 'coterie_request_duration_seconds'
    t.equal(scrape.value(duration, { operation }, '_count'), ended, operation)
    t.equal(scrape.value(duration, { operation, le: '+Inf' }, '_bucket'), ended)
    t.equal(scrape.value(duration, { operation }, '_sum'), totalUs / 1e6)
    const codes = scrape
      .family('coterie_request_failures_total')
      .samples.filter((one) => one.labels['operation'] === operation)
    t.equal(
      codes.reduce((sum, { value }) => sum + value, 0),
      failed,
    )
    for (const [code, count] of Object.entries(failures))
      t.equal(scrape.value('coterie_request_failures_total', { operation, code }), count)
  }
  const { live, ready } = healthOf(cluster)
  t.same([scrape.value('coterie_live'), scrape.value('coterie_ready')], [live, ready].map(Number))
  return scrape
}

test('a scrape says what status() and metrics() say: before, during and after a crash, and when the quorum is gone', async (t) => {
  const cluster = await openForTest(t, { nodes: 3, partitions: 16 })
  const metrics = new PrometheusMetrics(cluster)
  await cluster.put('a', '1')
  await cluster.getMany(['a', 'b'])
  await cluster.settled()
  const before = await sameAsStatus(t, cluster, metrics)
  t.same(before.byLabel('coterie_node_up', 'node'), { node1: 1, node2: 1, node3: 1 })
  t.equal(before.value('coterie_partitions_underreplicated'), 0)
  t.same(before.byLabel('coterie_node_keys', 'node'), { node1: 1, node2: 1, node3: 1 })
  t.equal(before.value('coterie_converged'), 1)
  t.same(healthOf(cluster), { live: true, ready: true, reasons: [] })

  const exit = eventOf(cluster, 'node:exit', ({ node }) => node === 'node2').then(() =>
    sameAsStatus(t, cluster, metrics),
  )
  const back = eventOf(cluster, 'node:up', ({ node }) => node === 'node2')
  await cluster.faults.crash('node2')
  const during = await exit
  t.same(during.byLabel('coterie_node_up', 'node'), { node1: 1, node2: 0, node3: 1 })
  t.equal(during.value('coterie_partitions_underreplicated'), 16)
  t.same(during.byLabel('coterie_partitions_without_quorum', 'for'), { read: 0, write: 0 })
  t.equal(during.value('coterie_ready'), 1, 'two of three are a quorum')
  await back
  const after = await sameAsStatus(t, cluster, metrics)
  t.same(after.byLabel('coterie_node_restarts_total', 'node'), { node1: 0, node2: 1, node3: 0 })
  t.same(after.byLabel('coterie_node_up', 'node'), { node1: 1, node2: 1, node3: 1 })
  t.equal(after.value('coterie_events_total', { event: 'node:exit' }), 1)
  t.equal(after.value('coterie_events_total', { event: 'node:up' }), 1)

  for (const node of ['node1', 'node2']) await cluster.faults.crash(node, { permanent: true })
  await until(() => cluster.status().nodes.filter(({ status }) => status === 'down').length === 2)
  t.equal(await outcomeOf(cluster.put('a', '2')), 'QUORUM_UNAVAILABLE')
  const without = await sameAsStatus(t, cluster, metrics)
  t.same(without.byLabel('coterie_partitions_without_quorum', 'for'), { read: 16, write: 16 })
  t.equal(without.value('coterie_request_failures_total', { operation: 'put', code: 'QUORUM_UNAVAILABLE' }), 1)
  const { reasons, ...health } = healthOf(cluster)
  t.same(health, { live: true, ready: false })
  t.match(reasons.join('\n'), /16 partitions \(0, 1, .*…\) without a write quorum \(w = 2\)/)

  await cluster.faults.crash('node3', { permanent: true })
  await until(() => !healthOf(cluster).live)
  t.match(healthOf(cluster).reasons, [/every node is down for good/])
  await sameAsStatus(t, cluster, metrics)

  const closed = cluster.close()
  t.match(healthOf(cluster), { live: true, ready: false, reasons: ['the cluster is closing or closed'] })
  await closed
  const last = await sameAsStatus(t, cluster, metrics)
  t.equal(last.value('coterie_events_total', { event: 'close' }), 1)
  metrics.close()
})
