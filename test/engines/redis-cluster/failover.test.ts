/**
 * What a program sees while nodes of a Redis Cluster die: what the README says. One cluster for all of it; each test leaves six living
 * processes behind.
 */

import root, { test } from 'tap'
import { type Cluster, type CoterieError, openCluster } from '../../../src/index.js'
import { countOutcomes, eventOf, outcomeOf, textOf } from '../../support/cluster.js'
import { NEEDS_REDIS, RedisServers } from '../../support/redis-servers.js'

const servers = NEEDS_REDIS.skip === undefined ? await RedisServers.start((end) => root.teardown(end)) : undefined
const LONG_MS = 20_000

function open(name: string, options = {}): Promise<Cluster> {
  return openCluster({ engine: 'redis-cluster', seeds: servers?.seeds ?? [], name, ...options })
}

/** A key of each partition. */
function keysOf(cluster: Cluster): string[] {
  const keys = new Map<number, string>()
  const { partitions } = cluster.status()
  for (let number = 0; keys.size < partitions; number++)
    keys.set(cluster.locate(`key ${number}`).partition, `key ${number}`)
  return [...keys.values()]
}

/** The index of a key's master. */
function masterOf(cluster: Cluster, key: string): number {
  const [master = ''] = cluster.locate(key).owners
  return (servers as RedisServers).indexOf(master)
}

test(
  'failover: a master is killed under load; what was acknowledged by two copies is there',
  NEEDS_REDIS,
  async (t) => {
    const redis = servers as RedisServers
    const cluster = await open('failover', { writeTimeoutMs: LONG_MS, readTimeoutMs: LONG_MS })
    t.teardown(() => cluster.close())
    const keys = keysOf(cluster)
    const acknowledged = new Map<string, number>(keys.map((key) => [key, 0]))
    await cluster.batch(keys.map((key) => ({ type: 'put', key, value: '0' })))
    const outcomes: Record<string, number> = {}
    let isOver = false
    // Also where the test fails: calls of a closed cluster would be refused for ever.
    t.teardown(() => {
      isOver = true
    })
    const caller = async (mine: readonly string[]): Promise<void> => {
      for (let round = 1; !isOver; round++) {
        for (const key of mine) {
          const outcome = await outcomeOf(cluster.put(key, `${round}`))
          outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
          if (outcome === 'ok') acknowledged.set(key, round)
        }
      }
    }
    const callers = Array.from({ length: 8 }, (_, index) => caller(keys.filter((_, number) => number % 8 === index)))
    const killed = masterOf(cluster, keys[0] ?? '')
    const down = eventOf(cluster, 'node:down')
    const promoted = eventOf(cluster, 'node:promoted')
    const epoch = eventOf(cluster, 'epoch')
    await redis.kill(killed)
    t.match((await down)[0], { node: `127.0.0.1:${redis.ports[killed]}` })
    t.ok((await promoted)[0].node)
    t.ok((await epoch)[0].partitionsChanged > 30, 'a third of the partitions has another master')
    // With w = 2 and one copy left, its partitions take no writes until the other is back.
    const lonely = keys.find((key) => cluster.locate(key).owners.length === 1) ?? ''
    t.equal(await outcomeOf(cluster.put(lonely, 'refused')), 'QUORUM_UNAVAILABLE')
    t.equal(await outcomeOf(cluster.put('{w1}key', 'value', { w: 1 })), 'ok')
    const up = eventOf(cluster, 'node:up')
    await redis.launch(killed)
    await up
    await cluster.settled()
    isOver = true
    await Promise.all(callers)
    t.same(
      Object.keys(outcomes).filter((outcome) => !['ok', 'OUTCOME_UNKNOWN', 'QUORUM_UNAVAILABLE'].includes(outcome)),
      [],
      `outcomes: ${JSON.stringify(outcomes)}`,
    )
    t.ok((outcomes['OUTCOME_UNKNOWN'] ?? 0) <= 8, 'what was in flight on the connection that died, one a caller')
    const values = await cluster.getMany(keys)
    const behind = keys.filter((key, index) => Number(textOf(values[index])) < (acknowledged.get(key) ?? 0))
    t.same(behind, [], 'no acknowledged write is lost')
    t.equal(cluster.status().nodes.find(({ id }) => id === `127.0.0.1:${redis.ports[killed]}`)?.restarts, 1)
  },
)

test(
  'a master that stands still: a write in flight is OUTCOME_UNKNOWN, one behind it was not sent',
  NEEDS_REDIS,
  async (t) => {
    const redis = servers as RedisServers
    await redis.whole()
    const cluster = await open('stopped')
    t.teardown(() => cluster.close())
    await cluster.settled()
    const key = 'stopped'
    await cluster.put(key, 'before')
    const stopped = masterOf(cluster, key)
    redis.stop(stopped)
    t.teardown(async () => redis.continue(stopped))
    const timeoutMs = 300
    const first = cluster.put(key, 'first', { timeoutMs })
    await Promise.resolve()
    // The lane has one flight at a time: the next one waits for it.
    await new Promise(setImmediate)
    const second = cluster.put(key, 'second', { timeoutMs })
    t.equal(await outcomeOf(first), 'OUTCOME_UNKNOWN')
    t.equal(await outcomeOf(second), 'TIMEOUT')
    t.equal(await outcomeOf(cluster.get(key, { timeoutMs })), 'TIMEOUT')
    redis.continue(stopped)
    await cluster.settled()
    t.equal(textOf(await cluster.get(key, { timeoutMs: LONG_MS })), 'first')
  },
)

test('a replica is gone: w = 2 fails at once, w = 1 is served, and so are reads', NEEDS_REDIS, async (t) => {
  const redis = servers as RedisServers
  await redis.whole()
  const cluster = await open('replica gone')
  t.teardown(() => cluster.close())
  await cluster.settled()
  const [, replica = ''] = cluster.locate('key').owners
  const killed = redis.indexOf(replica)
  await cluster.put('key', 'before')
  const down = eventOf(cluster, 'node:down', ({ node }) => node === replica)
  await redis.kill(killed)
  // Nobody knows yet that it is gone: the master has the write, and the other copy does not say so.
  const error = await cluster.put('key', 'alone', { timeoutMs: 200 }).catch((reason: unknown) => reason)
  t.match(error, { code: 'OUTCOME_UNKNOWN', facts: { needed: 2 } })
  await down
  const refused = await cluster.put('key', 'refused').catch((reason: unknown) => reason)
  t.match(refused as CoterieError, { code: 'QUORUM_UNAVAILABLE', facts: { needed: 2, got: 1 } })
  t.same(await countOutcomes([cluster.put('key', 'one', { w: 1 }), cluster.get('key'), cluster.get('key', { r: 1 })]), {
    ok: 3,
  })
  t.equal(textOf(await cluster.get('key')), 'one')
  t.same(cluster.status().partitionsLost, [])
  const up = eventOf(cluster, 'node:up', ({ node }) => node === replica)
  await redis.launch(killed)
  await up
  await cluster.settled()
  t.equal(await outcomeOf(cluster.put('key', 'two', { timeoutMs: LONG_MS })), 'ok')
})
