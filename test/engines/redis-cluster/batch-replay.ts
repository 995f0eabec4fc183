/** Logged batches that a client left halfway: whoever opens the store, or has it open, ends them. */

import { test } from 'tap'
import { KeyNames } from '../../../src/engines/redis-cluster/key-names.js'
import { type Cluster, openCluster } from '../../../src/index.js'
import { collect, textOf } from '../../support/cluster.js'
import { NEEDS_REDIS, type RedisServers } from '../../support/redis-servers.js'

const NAME = 'left halfway'
const ID = 'b1'
const PARTITIONS = 128

export function batchReplayTests(servers: RedisServers | undefined): void {
  test(
    'logged batch: what a client left halfway is done as a whole by the next one, each part once',
    NEEDS_REDIS,
    async (t) => {
      const redis = servers as RedisServers
      const open = (): Promise<Cluster> => openCluster({ engine: 'redis-cluster', seeds: redis.seeds, name: NAME })
      const cluster = await open()
      t.teardown(() => cluster.close())
      const names = new KeyNames(NAME, PARTITIONS)
      const [done = '', left = ''] = ['a', 'b']
      const [home, other] = [done, left].map((key) => cluster.locate(key).partition) as [number, number]
      t.not(home, other, 'two partitions')
      // The first part had been carried out, and somebody has written the key since.
      const parts = [
        { partition: home, keys: [base64(done)], values: [base64('of the batch')] },
        { partition: other, keys: [base64(left), base64(`{${left}}gone`)], values: [base64('of the batch'), null] },
      ]
      await cluster.put(done, 'newer')
      await cluster.put(`{${left}}gone`, 'value')
      const log = names.batches(home).toString()
      const mark = names.done(home, ID).toString()
      await askMaster(redis, cluster, done, 'SET', mark, '1')
      await askMaster(redis, cluster, done, 'HSET', log, ID, `1000,0,${JSON.stringify(parts)}`)
      // One whose caller may still be at it is left alone.
      await askMaster(redis, cluster, done, 'HSET', log, 'young', `${Date.now() + 600_000},0,${JSON.stringify(parts)}`)

      const next = await open()
      t.teardown(() => next.close())
      t.equal(textOf(await next.get(left)), 'of the batch')
      t.equal(await next.get(`{${left}}gone`), undefined)
      t.equal(textOf(await next.get(done)), 'newer', 'the part that was done is not done again')
      t.same(await askMaster(redis, cluster, done, 'HKEYS', log), ['young'])
      t.ok(Number(await askMaster(redis, cluster, done, 'PTTL', mark)) > 0, 'its mark has an end')
      t.same(
        (await collect(next.scan())).map(([key]) => textOf(key)),
        ['a', 'b'],
      )
    },
  )

  test('logged batch: nothing is left in Redis once it has ended', NEEDS_REDIS, async (t) => {
    const redis = servers as RedisServers
    const cluster = await openCluster({ engine: 'redis-cluster', seeds: redis.seeds, name: 'ended' })
    await cluster.batch(
      ['a', 'b', 'c'].map((key) => ({ type: 'put', key, value: key })),
      { logged: true },
    )
    const { partition } = cluster.locate('a')
    await cluster.close()
    const names = new KeyNames('ended', PARTITIONS)
    t.same(await askMaster(redis, cluster, 'a', 'HKEYS', names.batches(partition).toString()), [])
  })
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

/** The process that has a key's partition. */
function askMaster(
  redis: RedisServers,
  cluster: Cluster,
  key: string,
  command: string,
  ...args: string[]
): Promise<unknown> {
  return redis.ask(redis.indexOf(cluster.locate(key).owners[0] ?? ''), command, ...args)
}
