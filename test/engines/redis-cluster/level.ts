/** `CoterieLevel` on a Redis Cluster: a program for Level sees what it sees on any other. */

import { test } from 'tap'
import { CoterieLevel } from '../../../src/index.js'
import { NEEDS_REDIS, type RedisServers } from '../../support/redis-servers.js'

export function levelTests(servers: RedisServers | undefined): void {
  test(
    'CoterieLevel: the same calls, batches that are all or nothing, sublevels, iterators',
    NEEDS_REDIS,
    async (t) => {
      const options = { engine: 'redis-cluster', seeds: (servers as RedisServers).seeds } as const
      const db = new CoterieLevel<string, unknown>('./level', { ...options, valueEncoding: 'json' })
      t.teardown(() => db.close())
      await db.put('a', { number: 1 })
      await db.batch([
        { type: 'put', key: 'b', value: [2] },
        { type: 'put', key: 'c', value: 3 },
        { type: 'del', key: 'a' },
      ])
      t.same(await db.getMany(['a', 'b', 'c']), [undefined, [2], 3])
      const people = db.sublevel<string, string>('people', {})
      await people.batch([
        { type: 'put', key: '', value: 'nobody' },
        { type: 'put', key: 'ada', value: 'Lovelace' },
      ])
      t.same(await people.iterator().all(), [
        ['', 'nobody'],
        ['ada', 'Lovelace'],
      ])
      t.same(await db.keys({ gte: 'b', reverse: true }).all(), ['c', 'b'])
      const rows = db.iterator()
      rows.seek('c')
      t.same(await rows.next(), ['c', 3])
      await rows.close()
      await people.clear()
      t.same(await people.keys().all(), [])
      t.equal(db.cluster.status().conflict, 'lww')
      await db.close()
      await db.open({ createIfMissing: false })
      t.same(await db.get('b'), [2])
      await db.close()
      await t.rejects(db.open({ errorIfExists: true }), { code: 'LEVEL_DATABASE_NOT_OPEN' })
      await t.rejects(new CoterieLevel('absent', options).open({ createIfMissing: false }), {
        code: 'LEVEL_DATABASE_NOT_OPEN',
      })
    },
  )
}
