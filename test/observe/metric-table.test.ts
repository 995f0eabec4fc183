/** The metrics by themselves: names, units, labels, exact buckets. The cluster is only a stand-in. */

import fc from 'fast-check'
import { test } from 'tap'
import { REQUEST_KINDS } from '../../actors/runtime/request-counters.js'
import type { MetricDefinition } from '../../src/observe/metric.js'
import { METRICS } from '../../src/observe/metric-table.js'
import { PrometheusMetrics } from '../../src/observe.js'
import { EVENT_NAMES } from '../../src/shared/cluster-events.js'
import { Exposition } from './exposition.js'
import { nodeStatus, WatchedCluster } from './watched-cluster.js'

test('metrics: names and units are as Prometheus wants them', async (t) => {
  t.equal(new Set(METRICS.map(({ name }) => name)).size, METRICS.length)
  for (const { name, type, labels, help } of METRICS) {
    t.match(name, /^[a-z][a-z0-9_]*$/, name)
    t.equal(name.endsWith('_total'), type === 'counter', `${name}: counters end with _total, and nothing else does`)
    t.notMatch(name, /_(ms|us|milliseconds|microseconds|kilobytes|percent|info_)(_|$)/, `${name}: base units`)
    t.match(help, /^\S.*\.$/, `${name} is explained`)
    for (const label of labels) t.match(label, /^[a-z]+$/)
  }
})

test('metrics: every metric is in the text, of its type and with its meaning, and each series once', async (t) => {
  const watched = new WatchedCluster()
  const metrics = new PrometheusMetrics(watched.cluster)
  watched.nodes[0] = nodeStatus('node1', {
    filling: { partitions: 8, partitionsDone: 3, records: 10, bytes: 2_048 },
    lastScrub: { at: '2026-11-28T12:00:00.500Z', tables: 2, bytes: 10, problems: 1 },
    quarantined: [{ folder: 'f', reason: 'r', at: 'a' }],
    storeFull: true,
    mailbox: 7,
    hints: 9,
    loopLagMs: 12.5,
    memoryBytes: 34_000_000,
  })
  const { contentType, body } = await metrics.text()
  t.equal(contentType, 'text/plain; version=0.0.4; charset=utf-8')
  const scrape = new Exposition(body)
  t.same(
    scrape.families.map(({ name, type, help }) => [name, type, help]),
    METRICS.map(({ name, type, help }) => [name, type, help]),
  )
  const of1 = { node: 'node1' }
  t.equal(scrape.value('coterie_node_fill_partitions', of1), 8)
  t.equal(scrape.value('coterie_node_fill_partitions_done', of1), 3)
  t.equal(scrape.value('coterie_node_fill_received_bytes', of1), 2_048)
  t.equal(scrape.value('coterie_node_last_scrub_timestamp_seconds', of1), Date.UTC(2026, 10, 28, 12) / 1_000 + 0.5)
  t.equal(scrape.value('coterie_node_last_scrub_problems', of1), 1)
  t.same(
    ['store_full', 'quarantined_stores', 'mailbox_messages', 'hints', 'event_loop_lag_seconds', 'memory_bytes'].map(
      (of) => scrape.value(`coterie_node_${of}`, of1),
    ),
    [1, 1, 7, 9, 0.012_5, 34_000_000],
  )
  t.ok(Number.isNaN(scrape.value('coterie_node_fill_partitions', { node: 'node2' })), 'nothing is filled there')
  metrics.close()
})

test('metrics: every bucket of a duration has exactly the requests that took no longer', async (t) => {
  const watched = new WatchedCluster()
  const metrics = new PrometheusMetrics(watched.cluster)
  const name = 'coterie_request_duration_seconds'
  const put: number[] = []
  const us = fc.oneof(
    fc.nat(200),
    fc.integer({ min: 0, max: 20_000_000 }),
    fc.nat(23).map((power) => 2 ** power),
  )
  const property = fc.assert(
    fc.asyncProperty(fc.array(us, { minLength: 1, maxLength: 20 }), async (latencies) => {
      for (const latency of latencies) watched.counters.record(REQUEST_KINDS.put, latency, undefined)
      put.push(...latencies)
      const scrape = await Exposition.of(metrics)
      const ofPut = scrape.family(name).samples.filter(({ labels }) => labels['operation'] === 'put')
      const counted = ofPut.flatMap(({ suffix, labels, value }) =>
        suffix === '_bucket' ? [[Number(labels['le']?.replace('Inf', 'Infinity')), value] as const] : [],
      )
      // Whole microseconds, cut off: what took 63.9 µs was counted as 63.
      const isExact = counted.every(
        ([bound, requests]) => requests === put.filter((latency) => latency < bound * 1e6 - 1e-6).length,
      )
      const of = (suffix: string) => scrape.value(name, { operation: 'put' }, suffix)
      const totalUs = put.reduce((all, one) => all + one, 0)
      const isSum = Math.abs(of('_sum') - totalUs / 1e6) < 1e-6
      return counted.length === 20 && isExact && isSum && of('_count') === put.length
    }),
    { numRuns: 30 },
  )
  await t.resolves(property)
  metrics.close()
})

test('metrics: failures are told by operation and code, events by name, and all of them are there from the start', async (t) => {
  const watched = new WatchedCluster()
  const metrics = new PrometheusMetrics(watched.cluster)
  t.same(Object.keys((await Exposition.of(metrics)).byLabel('coterie_events_total', 'event')), EVENT_NAMES)
  watched.counters.record(REQUEST_KINDS.get, 10, 'TIMEOUT')
  watched.counters.record(REQUEST_KINDS.get, 10, 'TIMEOUT')
  watched.counters.record(REQUEST_KINDS.batch, 10, 'OUTCOME_UNKNOWN')
  watched.emit('node:suspect', { node: 'node2', by: 'node1', reason: 'r' })
  watched.emit('transfer', { node: 'node2', source: 'node1', partitions: 1, records: 40, done: true })
  watched.emit('transfer', { node: 'node2', source: 'node3', partitions: 1, records: 2, done: true })
  watched.emit('tombstones:dropped', { node: 'node1', keys: 3 })
  watched.emit('node:quarantine', { node: 'node1', folder: 'f', reason: 'r' })
  watched.emit('record:damaged', { node: 'node1', key: new Uint8Array() })
  const scrape = await Exposition.of(metrics)
  t.equal(scrape.family('coterie_request_failures_total').samples.length, 50)
  t.equal(scrape.value('coterie_request_failures_total', { operation: 'get', code: 'TIMEOUT' }), 2)
  t.equal(scrape.value('coterie_request_failures_total', { operation: 'batch', code: 'OUTCOME_UNKNOWN' }), 1)
  t.equal(scrape.value('coterie_request_failures_total', { operation: 'put', code: 'TIMEOUT' }), 0)
  t.equal(scrape.value('coterie_events_total', { event: 'transfer' }), 2)
  t.equal(scrape.value('coterie_node_suspicions_total', { node: 'node2' }), 1)
  t.equal(scrape.value('coterie_node_transferred_records_total', { node: 'node2' }), 42)
  t.equal(scrape.value('coterie_tombstones_dropped_total'), 3)
  t.equal(scrape.value('coterie_node_quarantines_total', { node: 'node1' }), 1)
  t.equal(scrape.value('coterie_node_damaged_records_total', { node: 'node1' }), 1)
  metrics.close()
  watched.emit('close')
  t.equal((await Exposition.of(metrics)).value('coterie_events_total', { event: 'close' }), 0, 'it listens no more')
})

test('metrics: a scrape that could not be made is not the answer to those after it', async (t) => {
  const metrics = new PrometheusMetrics(new WatchedCluster().cluster)
  const table = METRICS as MetricDefinition[]
  const [first] = table
  // Twice the same: the registry refuses it.
  table.push(first as MetricDefinition)
  await t.rejects(metrics.text(), /already been registered/)
  table.pop()
  t.match((await metrics.text()).body, /^# HELP coterie_/m)
  metrics.close()
})

test('metrics: a cluster whose members come and go for ever has no more series than members', async (t) => {
  const watched = new WatchedCluster()
  const metrics = new PrometheusMetrics(watched.cluster)
  const lines = (await metrics.text()).body.split('\n').length
  for (let number = 4; number < 300; number++) {
    watched.nodes = [...watched.nodes.slice(1), nodeStatus(`node${number}`)]
    watched.emit('node:suspect', { node: `node${number}`, by: 'node1', reason: 'r' })
    await metrics.text()
  }
  const { body } = await metrics.text()
  t.equal(body.split('\n').length, lines)
  t.notMatch(body, /"node(1|150)"/)
  watched.nodes.push(nodeStatus('node150'))
  const again = await Exposition.of(metrics)
  t.equal(again.value('coterie_node_suspicions_total', { node: 'node150' }), 0, 'what is no more is forgotten')
  metrics.close()
})
