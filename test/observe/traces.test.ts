/** Spans by a real SDK: what is below what, what each says, and that without an SDK nobody makes any. */

import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { test } from 'tap'
import { collect, openForTest, outcomeOf, until } from '../support/cluster.js'
import { ExportedSpans, type SpanTree } from './exported-spans.js'

const spans = new ExportedSpans()
/** One tree, and nothing beside it. */
function only(trees: readonly SpanTree[]): SpanTree {
  if (trees.length !== 1 || trees[0] === undefined)
    throw new Error(`spans: ${trees.map(({ name }) => name).join(', ')}`)
  return trees[0]
}
const attributesOf = (trees: readonly SpanTree[]) => trees.map(({ span }) => span.attributes)

test('traces: gateway, coordinator and replicas, below the caller; errors; none without an SDK', async (t) => {
  const options = {
    nodes: 3,
    partitions: 16,
    hungAfterMs: 600_000,
    closeTimeoutMs: 500,
    avoidAfterMs: 10_000,
    hedgeBudgetPercent: 0,
  }
  const cluster = await openForTest(t, options)
  const location = cluster.status().location
  await cluster.put('a', '1')
  await cluster.settled()
  spans.register()
  t.teardown(async () => spans.unregister())
  t.equal(spans.all.length, 0, 'of what was called before nothing is told')

  const value = await trace.getTracer('program').startActiveSpan('page', async (page) => {
    const read = await cluster.get('a')
    page.end()
    return read
  })
  t.equal(Buffer.from(value ?? []).toString(), '1')
  const page = only(spans.take())
  const get = only(page.children)
  t.match(get.span, { name: 'get', kind: SpanKind.CLIENT, status: { code: SpanStatusCode.UNSET } })
  t.same(get.span.attributes, {
    'db.system.name': 'coterie',
    'db.operation.name': 'get',
    'db.namespace': location,
    'coterie.gateway': 'gateway1',
  })
  t.equal(get.span.instrumentationScope.name, 'coterie')
  const coordinate = only(get.children)
  t.match(coordinate.span, { name: 'coordinate', attributes: { 'coterie.outcome': 'ok' } })
  const { owners, partition } = cluster.locate('a')
  t.same(
    coordinate.children.map(({ name }) => name),
    ['replica read', 'replica read'],
    'r = 2',
  )
  for (const attributes of attributesOf(coordinate.children)) {
    t.ok(owners.includes(String(attributes['coterie.node'])))
    t.match(attributes, { 'coterie.partition': partition, 'coterie.operations': 1, 'coterie.outcome': 'ok' })
  }

  await cluster.put('a', '2')
  await until(() => spans.all.filter(({ name }) => name === 'replica write').length === 3)
  const put = only(spans.take())
  t.same(
    attributesOf(put.children[0]?.children ?? [])
      .map((attributes) => attributes['coterie.node'])
      .sort(),
    [...owners].sort(),
    'all owners are sent a write, who is late too',
  )

  const [, , third = ''] = owners
  await cluster.faults.pause(third, 600_000)
  await cluster.put('a', '3')
  await cluster.faults.crash(third)
  await until(() => spans.all.filter(({ name }) => name === 'replica write').length === 3)
  const outcomes = attributesOf(only(only(spans.take()).children).children).map((leg) => leg['coterie.outcome'])
  t.same(outcomes, ['ok', 'ok', 'lost'], 'what the third does is told once its life has ended')
  await cluster.settled()
  spans.take()

  const keys = Array.from({ length: 100 }, (_, number) => `k${number}`)
  await cluster.getMany(keys)
  const many = only(spans.take())
  t.match(many.span.attributes, { 'db.operation.name': 'getMany', 'db.operation.batch.size': 100 })
  const reads = attributesOf(only(many.children).children)
  t.ok(reads.length >= 2 && reads.length < 20, `a span for each message, not for each key: ${reads.length}`)
  t.equal(
    reads.reduce((sum, read) => sum + Number(read['coterie.operations']), 0),
    200,
  )
  t.notOk(
    reads.some((read) => 'coterie.partition' in read),
    'of several partitions',
  )

  await cluster.batch(keys.map((key) => ({ type: 'put', key, value: 'v' }) as const))
  await cluster.settled()
  const batch = only(spans.take())
  t.match(batch.span.attributes, { 'db.operation.name': 'batch', 'db.operation.batch.size': 100 })
  t.ok(only(batch.children).children.length >= 3)

  await cluster.batch(
    keys.map((key) => ({ type: 'put', key, value: 'w' }) as const),
    { logged: true },
  )
  await cluster.settled()
  const logged = spans.take().filter(({ name }) => name === 'batch')
  t.ok(only(only(logged).children).children.length >= 6, 'the log is written, then the parts')

  await collect(cluster.scan({ limit: 10 }))
  const scan = only(spans.take())
  t.match(scan, { name: 'scan', children: [{ name: 'coordinate' }] })
  t.ok(scan.children[0]?.children.every(({ name }) => name === 'replica scan'))

  t.equal(await outcomeOf(cluster.get('')), 'INVALID_KEY')
  const invalid = only(spans.take())
  t.match(invalid.span, { status: { code: SpanStatusCode.ERROR }, attributes: { 'error.type': 'INVALID_KEY' } })
  t.same(invalid.children, [])

  await Promise.all(owners.map((node) => cluster.faults.pause(node, 600_000)))
  t.equal(await outcomeOf(cluster.put('a', '3', { timeoutMs: 100 })), 'OUTCOME_UNKNOWN')
  const unknown = only(spans.take())
  t.match(unknown.span, {
    status: { code: SpanStatusCode.ERROR, message: /OUTCOME_UNKNOWN: / },
    attributes: { 'error.type': 'OUTCOME_UNKNOWN', 'db.response.status_code': 'OUTCOME_UNKNOWN' },
  })
  t.match(only(unknown.children).span.attributes, { 'coterie.outcome': 'OUTCOME_UNKNOWN' })
  t.same(
    attributesOf(only(unknown.children).children).map((attributes) => attributes['coterie.outcome']),
    ['unanswered', 'unanswered', 'unanswered'],
    'who did not answer is told',
  )
  await cluster.faults.heal()
  spans.unregister()
  await cluster.get('a', { r: 1 })
  t.equal(spans.all.length, 0, 'no SDK, no spans')
  spans.register({ isSampled: false })
  await cluster.get('a', { r: 1 })
  t.same([spans.refusals, spans.all.length], [1, 0], 'what is not sampled has nothing below it')
  spans.unregister()
})

test('traces: where a node coordinates, it is named, and what it asks of others is not seen', async (t) => {
  const cluster = await openForTest(t, { nodes: 3, partitions: 16, coordination: 'server' })
  spans.register()
  t.teardown(async () => spans.unregister())
  spans.take()
  await cluster.put('a', '1')
  const put = only(spans.take())
  const coordinate = only(put.children)
  t.match(coordinate.span, {
    name: 'coordinate',
    attributes: { 'coterie.coordinator': /^node/, 'coterie.outcome': 'ok' },
  })
  t.equal(coordinate.span.attributes['coterie.partition'], cluster.locate('a').partition)
  t.same(coordinate.children, [])
  await cluster.getMany(['a', 'b', 'c'])
  const asked = only(spans.take()).children.map(({ span }) => Number(span.attributes['coterie.operations']))
  t.equal(
    asked.reduce((sum, operations) => sum + operations, 0),
    3,
  )
})
