/** A slot moves from one master to another while a program writes: redirections are followed, and no call fails for it. */

import { test } from 'tap'
import { KeyNames } from '../../../src/engines/redis-cluster/key-names.js'
import { openCluster } from '../../../src/index.js'
import { collect, outcomeOf, textOf, until } from '../../support/cluster.js'
import { NEEDS_REDIS, type RedisServers } from '../../support/redis-servers.js'

const NAME = 'moving'
const PARTITIONS = 128
const KEYS = Array.from({ length: 30 }, (_, number) => `{moving}${number}`)
const ROUNDS_MIN = 3

export function movingSlotTests(servers: RedisServers | undefined): void {
  test('a slot moves while a program writes: no call fails, nothing is lost', NEEDS_REDIS, async (t) => {
    const redis = servers as RedisServers
    const cluster = await openCluster({
      engine: 'redis-cluster',
      seeds: redis.seeds,
      name: NAME,
      writeTimeoutMs: 20_000,
      readTimeoutMs: 20_000,
    })
    t.teardown(() => cluster.close())
    const { partition, owners } = cluster.locate('{moving}')
    const from = redis.indexOf(owners[0] ?? '')
    const to = [0, 1, 2].find((index) => index !== from) as number
    const slot = new KeyNames(NAME, PARTITIONS).slot(partition)
    await cluster.batch(KEYS.map((key) => ({ type: 'put', key, value: '0' })))
    const failed: string[] = []
    let [isOver, round] = [false, 0]
    // Also where the test fails: calls of a closed cluster would be refused for ever.
    t.teardown(() => {
      isOver = true
    })
    const calling = (async () => {
      while (!isOver) {
        round += 1
        for (const key of KEYS) {
          const ends = [await outcomeOf(cluster.put(key, `${round}`)), await outcomeOf(cluster.get(key))]
          if (ends.some((end) => end !== 'ok')) failed.push(`${key}: ${ends.join(', ')}`)
        }
      }
    })()
    let scans = 0
    const scanning = (async () => {
      for (; !isOver; scans++) {
        const [rows, values] = await Promise.all([
          collect(cluster.scan({ gte: '{moving}', lt: '{moving}~' })),
          cluster.getMany([...KEYS, '{moving}absent']),
        ])
        const seen = [rows.length, values.filter((value) => value !== undefined).length]
        if (seen.some((count) => count !== KEYS.length)) failed.push(`scan and getMany: ${seen.join(', ')}`)
      }
    })().catch((error) => failed.push(String(error)))
    const rounds = async (count: number): Promise<void> => {
      const [wanted, wantedScans] = [round + count, scans + 2 * count]
      await until(() => round >= wanted && scans >= wantedScans)
    }
    const scanned = async (): Promise<void> => {
      const wanted = scans + 2
      await until(() => scans >= wanted)
    }
    await rounds(ROUNDS_MIN)
    const [fromId, toId] = await Promise.all(
      [from, to].map(async (index) => String(await redis.ask(index, 'CLUSTER', 'MYID'))),
    )
    await redis.ask(to, 'CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId as string)
    await redis.ask(from, 'CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId as string)
    // Some keys of a script are here and some there: TRYAGAIN, until all have moved.
    for (;;) {
      const keys = (await redis.ask(from, 'CLUSTER', 'GETKEYSINSLOT', slot, 7)) as string[]
      if (keys.length === 0) break
      // Half of them are there: what asks for one key gets it, and so does a scan.
      if (keys.length < 7) await scanned()
      await redis.ask(from, 'MIGRATE', '127.0.0.1', redis.ports[to] as number, '', 0, 5_000, 'KEYS', ...keys)
    }
    // All are there and the slot is not: each command is asked for. One of a key that is not there yet waits.
    await rounds(ROUNDS_MIN)
    const added = outcomeOf(cluster.put('{moving}~new', 'value'))
    // The topology is looked at once a second.
    await until(() => cluster.status().partitionsMoving === 1)
    t.pass('status says that it moves')
    for (const index of [to, from, ...[0, 1, 2].filter((one) => one !== to && one !== from)])
      await redis.ask(index, 'CLUSTER', 'SETSLOT', slot, 'NODE', toId as string)
    await rounds(ROUNDS_MIN)
    isOver = true
    await Promise.all([calling, scanning])
    t.equal(await added, 'ok')
    t.same(failed, [])
    t.same([...new Set((await cluster.getMany(KEYS)).map(textOf))], [`${round}`])
    await cluster.settled()
    t.equal(redis.indexOf(cluster.locate('{moving}').owners[0] ?? ''), to)
  })
}
