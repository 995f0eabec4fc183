/** What the engine 'redis-cluster' has of its own: what it refuses, what is in Redis, stores beside each other. */

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test } from 'tap'
import { KeyNames } from '../../../src/engines/redis-cluster/key-names.js'
import { openCluster, type RedisClusterOptions } from '../../../src/index.js'
import { healthOf, PrometheusMetrics, type RequestMessage } from '../../../src/observe.js'
import { ExportedSpans } from '../../observe/exported-spans.js'
import { Exposition } from '../../observe/exposition.js'
import { collect, outcomeOf, textOf } from '../../support/cluster.js'
import { NEEDS_REDIS, type RedisServers } from '../../support/redis-servers.js'

const PARTITIONS = 128

export function engineTests(servers: RedisServers | undefined): void {
  const options = (more: object = {}): RedisClusterOptions => ({
    engine: 'redis-cluster',
    seeds: servers?.seeds ?? [],
    ...more,
  })

  test(
    'redis-cluster: what only the embedded engine has is refused, with what Redis has instead',
    NEEDS_REDIS,
    async (t) => {
      for (const more of [
        { conflict: 'siblings' },
        { durability: 'disk' },
        { nodes: 5 },
        { faults: true },
        { name: '{a}' },
      ])
        t.equal(await outcomeOf(openCluster(options(more))), 'INVALID_OPTION', JSON.stringify(more))
      const cluster = await openCluster(options({ name: 'refusals' }))
      t.teardown(() => cluster.close())
      for (const call of [
        cluster.join(),
        cluster.leave('n'),
        cluster.plan(),
        cluster.promote('n'),
        cluster.backup('d'),
        cluster.acceptLoss(),
        cluster.versions('key'),
      ])
        t.equal(await outcomeOf(call), 'NOT_SUPPORTED')
      t.throws(() => cluster.ticket(), { code: 'NOT_SUPPORTED' })
      t.same(cluster.views(), [])
      t.equal(await outcomeOf(cluster.put('key', 'value', { sloppy: true })), 'INVALID_OPTION')
      t.equal(await outcomeOf(cluster.get('key', { sloppy: true })), 'INVALID_OPTION')
    },
  )

  test(
    'redis-cluster: value and index change together, in one slot, under names that are a stored format',
    NEEDS_REDIS,
    async (t) => {
      const redis = servers as RedisServers
      const cluster = await openCluster(options({ name: 'format' }))
      t.teardown(() => cluster.close())
      const { partition, owners } = cluster.locate('foo')
      const master = redis.indexOf(owners[0] ?? '')
      await cluster.put('foo', 'bar')
      t.equal(partition, 95)
      t.equal(await redis.ask(master, 'GET', 'format{45}v:foo'), 'bar')
      t.same(await redis.ask(master, 'ZRANGE', 'format{45}i', 0, -1), ['foo'])
      await cluster.delete('foo')
      t.same(await redis.ask(master, 'EXISTS', 'format{45}v:foo', 'format{45}i'), 0)
      const slot = new KeyNames('format', PARTITIONS).slot(partition)
      t.equal(await redis.ask(0, 'CLUSTER', 'KEYSLOT', 'format{45}v:foo'), slot)
      t.equal(slot >> 7, partition)
    },
  )

  test('redis-cluster: stores of different names do not see each other', NEEDS_REDIS, async (t) => {
    const [one, other] = await Promise.all([
      openCluster(options({ name: 'one' })),
      openCluster(options({ name: 'other' })),
    ])
    t.teardown(() => Promise.all([one.close(), other.close()]))
    await one.put('key', 'of one')
    t.equal(await other.get('key'), undefined)
    t.same(await collect(other.scan()), [])
  })

  test('redis-cluster: two programs on one store see what the other wrote', NEEDS_REDIS, async (t) => {
    const [one, other] = await Promise.all([
      openCluster(options({ name: 'both' })),
      openCluster(options({ name: 'both' })),
    ])
    t.teardown(() => Promise.all([one.close(), other.close()]))
    await one.put('key', 'of one')
    t.equal(textOf(await other.get('key')), 'of one')
    await other.batch([{ type: 'put', key: 'second', value: 'of the other' }], { logged: true })
    t.same(
      (await collect(one.scan())).map(([key]) => textOf(key)),
      ['key', 'second'],
    )
  })

  test('redis-cluster: metrics, health, spans and channels are those of the other engine', NEEDS_REDIS, async (t) => {
    const requests: unknown[] = []
    const onStart = (message: unknown) => requests.push((message as RequestMessage).operation)
    const cluster = await openCluster(options({ name: 'observed' }))
    t.teardown(() => cluster.close())
    const metrics = new PrometheusMetrics(cluster)
    t.teardown(async () => metrics.close())
    const spans = new ExportedSpans()
    spans.register()
    t.teardown(async () => spans.unregister())
    subscribe('tracing:coterie:request:start', onStart)
    await cluster.put('a', '1', { w: 2 })
    await cluster.get('a', { r: 2 })
    unsubscribe('tracing:coterie:request:start', onStart)
    t.same(requests, ['put', 'get'])
    const [put, get, ...others] = spans.take()
    t.same(others, [])
    const { owners, partition } = cluster.locate('a')
    const master = { 'coterie.node': owners[0], 'coterie.partition': partition, 'coterie.outcome': 'ok' }
    t.match(put, { name: 'put', children: [{ name: 'replica write', span: { attributes: master } }] })
    t.match(get, { name: 'get', children: [{ name: 'replica read', span: { attributes: master } }] })
    const scrape = await Exposition.of(metrics)
    t.equal(scrape.value('coterie_info', { engine: 'redis-cluster' }), 1)
    t.same(
      Object.keys(scrape.byLabel('coterie_node_up', 'node')),
      cluster.status().nodes.map(({ id }) => id),
    )
    t.equal(scrape.value('coterie_request_duration_seconds', { operation: 'put' }, '_count'), 1)
    t.same(healthOf(cluster), { live: true, ready: true, reasons: [] })
    const closed = cluster.close()
    t.match(healthOf(cluster), { live: true, ready: false })
    await closed
  })

  test('redis-cluster: a node that has lost its scripts is given them again', NEEDS_REDIS, async (t) => {
    const redis = servers as RedisServers
    const cluster = await openCluster(options({ name: 'scripts' }))
    t.teardown(() => cluster.close())
    const keys = Array.from({ length: 50 }, (_, number) => `k${number}`)
    for (const value of ['before', 'after']) {
      for (const index of redis.ports.keys()) await redis.ask(index, 'SCRIPT', 'FLUSH')
      await Promise.all(keys.map((key) => cluster.put(key, value, { w: 2 })))
      for (const index of redis.ports.keys()) await redis.ask(index, 'SCRIPT', 'FLUSH')
      t.same(new Set((await collect(cluster.scan({ r: 1 }))).map(([, found]) => textOf(found))), new Set([value]))
    }
  })

  test('redis-cluster: a login that is refused fails at once, and says so', NEEDS_REDIS, async (t) => {
    const [seed = ''] = (servers as RedisServers).seeds
    const seeds = [seed.replace('redis://', 'redis://nobody:wrong@')]
    const error = await openCluster({ engine: 'redis-cluster', seeds }).catch((reason: unknown) => reason)
    t.match(error, { code: 'OPEN_FAILED', message: /WRONGPASS/ })
  })

  test('redis-cluster: no cluster at the seeds is OPEN_FAILED, within the time', async (t) => {
    const error = await openCluster({
      engine: 'redis-cluster',
      seeds: ['redis://127.0.0.1:1'],
      openTimeoutMs: 200,
    }).catch((reason: unknown) => reason)
    t.match(error, { code: 'OPEN_FAILED', facts: { seeds: ['127.0.0.1:1'] } })
    for (const seeds of [[], ['127.0.0.1:6379'], ['http://127.0.0.1'], 'redis://127.0.0.1'])
      t.equal(await outcomeOf(openCluster({ engine: 'redis-cluster', seeds: seeds as string[] })), 'INVALID_OPTION')
    t.equal(await outcomeOf(openCluster({ engine: 'other', location: 'x' } as never)), 'INVALID_OPTION')
  })
}
