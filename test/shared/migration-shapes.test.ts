/** The target of a migration as text, and back. */

import { test } from 'tap'
import { migrationToOf, movedError, textOfMigrationTo } from '../../src/shared/migration-shapes.js'

test('migration target: a URL says all that the engine is opened with', (t) => {
  const to = migrationToOf('redis-cluster://me:p%40ss@10.0.0.1:7000,[::1]:7001,host?name=my%20shop&tls=true&n=2&w=1')
  t.same(to, {
    engine: 'redis-cluster',
    seeds: ['rediss://me:p%40ss@10.0.0.1:7000', 'rediss://me:p%40ss@[::1]:7001', 'rediss://me:p%40ss@host'],
    name: 'my shop',
    replication: { n: 2, w: 1 },
  })
  t.equal(textOfMigrationTo(to), 'redis-cluster://10.0.0.1:7000,[::1]:7001,host?name=my%20shop')
  const moved = movedError('./data', to)
  t.match(moved, { code: 'MIGRATED', facts: { name: 'my shop', seeds: ['rediss://10.0.0.1:7000', String, String] } })
  t.notMatch(JSON.stringify([moved.message, moved.facts]), /p%40ss|p@ss/, 'the login is told to nobody')
  t.end()
})

test('migration target: what is none is refused with what is allowed', (t) => {
  for (const to of [
    '',
    'shop',
    'redis://a:1',
    'redis-cluster://',
    'redis-cluster://a b',
    'redis-cluster://a?x=1',
    7,
    null,
  ])
    t.throws(() => migrationToOf(to), { code: 'INVALID_OPTION', message: /redis-cluster:\/\// }, String(to))
  for (const to of [{}, { engine: 'embedded', seeds: [] }, { engine: 'redis-cluster', seeds: [], more: 1 }])
    t.throws(() => migrationToOf(to), { code: 'INVALID_OPTION' }, JSON.stringify(to))
  t.end()
})
