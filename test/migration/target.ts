/** What a store is like while a migration fills it: by stamps, whatever comes when. */

import { test } from 'tap'
import { MigrationTarget } from '../../src/engines/redis-cluster/migration-target.js'
import { openCluster } from '../../src/index.js'
import { outcomeOf, textOf } from '../support/cluster.js'
import { NEEDS_REDIS, type RedisServers } from '../support/redis-servers.js'

const PARTITIONS = 16

export function targetTests(servers: RedisServers | undefined): void {
  test('migration target: the newer stamp stays, whatever comes later', NEEDS_REDIS, async (t) => {
    const seeds = servers?.seeds ?? []
    const claim = { id: 'one', clusterId: 'cluster', partitions: PARTITIONS }
    const options = { engine: 'redis-cluster', seeds, name: 'stamps' } as const
    const target = await MigrationTarget.open(options, claim)
    t.teardown(() => target.close())
    await target.claim(soon())
    const put = (key: string, stamp: string, value: string | null) =>
      target.write([{ key, stamp, value: value === null ? null : Buffer.from(value) }], soon())
    const [first, second] = ['0000000000000001.gateway1.0000', '0000000000000002.gateway1.0000']
    await put('kept', second, 'new')
    await put('kept', first, 'old')
    await put('deleted', second, null)
    await put('deleted', first, 'old')
    await put('again', first, null)
    await put('again', second, 'new')
    // By bytes: a locale would leave the points out.
    await put('ten', '0000000000000001.gateway10.0000', 'of the tenth')
    await put('ten', '0000000000000001.gateway1.0000', 'of the first')
    await put('forgotten', first, 'x')
    await put('not forgotten', second, 'x')
    await target.forget('forgotten', first, soon())
    await target.forget('not forgotten', first, soon())
    await put('forgotten', first, 'late')
    t.match(await target.look(['kept', 'deleted', 'nothing'], soon()), [
      { stamp: second, isLive: true },
      { stamp: second, isLive: false, digest: undefined },
      { stamp: undefined, isLive: false },
    ])
    const other = await MigrationTarget.open(options, { ...claim, id: 'other', clusterId: 'other' })
    t.teardown(() => other.close())
    t.equal(await outcomeOf(other.claim(soon())), 'MIGRATION_TARGET_NOT_EMPTY')
    t.equal(await outcomeOf(openCluster(options)), 'MIGRATION_UNDER_WAY')
    await target.release(soon())
    t.equal(await outcomeOf(put('kept', '0000000000000003.gateway1.0000', 'too late')), 'STORE_FAILED')
    const store = await openCluster(options)
    t.teardown(() => store.close())
    const rows: string[] = []
    for await (const [key, value] of store.scan()) rows.push(`${textOf(key)}: ${textOf(value)}`)
    t.same(rows, ['again: new', 'kept: new', 'not forgotten: x', 'ten: of the tenth'])
  })

  test('migration target: what an earlier migration of the same cluster left is taken away', NEEDS_REDIS, async (t) => {
    const options = { engine: 'redis-cluster', seeds: servers?.seeds ?? [], name: 'left' } as const
    const claim = { id: 'first', clusterId: 'cluster', partitions: PARTITIONS }
    const left = await MigrationTarget.open(options, claim)
    t.teardown(() => left.close())
    await left.claim(soon())
    const stamp = '0000000000000009.gateway1.0000'
    const keys = Array.from({ length: 2_500 }, (_, number) => `key ${number}`)
    await left.write(
      keys.map((key) => ({ key, stamp, value: Buffer.from('left') })),
      soon(),
    )
    const target = await MigrationTarget.open(options, { ...claim, id: 'second', partitions: 2 * PARTITIONS })
    t.teardown(() => target.close())
    await target.claim(soon())
    t.equal(await outcomeOf(left.write([{ key: 'key 1', stamp, value: null }], soon())), 'STORE_FAILED')
    const seen = await target.look(keys, soon())
    t.same(new Set(seen.map(({ isLive, stamp: seenStamp }) => isLive || seenStamp !== undefined)), new Set([false]))
    await target.clear()
    t.equal(await outcomeOf(openCluster({ ...options, partitions: 64 }).then((store) => store.close())), 'ok')
  })
}

function soon(): number {
  return performance.now() + 5_000
}
