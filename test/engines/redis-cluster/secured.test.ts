/**
 * A Redis Cluster that only takes encrypted connections with a certificate, and users with a password and no more rights than the
 * README says: the engine, a Level database, a migration and the command get in, and the password is nowhere to be read.
 */

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { test } from 'tap'
import { loadIoRedis, NodeConnection } from '../../../src/engines/redis-cluster/connection.js'
import { CoterieLevel, openCluster, type RedisClusterOptions } from '../../../src/index.js'
import { CERTIFICATE_NAME, makeCertificate } from '../../support/certificate.js'
import { collect, folderForTest, openForTest, outcomeOf, textOf } from '../../support/cluster.js'
import { NEEDS_REDIS, RedisServers } from '../../support/redis-servers.js'
import { run } from '../../support/run-command.js'

const password = randomBytes(12).toString('hex')
const adminPassword = randomBytes(12).toString('hex')
const WRONG = 'not-the-password'
/** As in the README. */
const RIGHTS = [
  '~shop{*',
  '~moved{*',
  '-@all',
  ...'+get +mget +set +del +unlink +exists +pexpire +hget +hmget +hset +hsetnx +hdel +hgetall +time'.split(' '),
  ...'+zadd +zrem +zremrangebyrank +zrange +zcard +zscore +eval +evalsha +eval_ro +evalsha_ro'.split(' '),
  ...'+wait +readonly +asking +info +cluster|nodes +cluster|info +client|setname'.split(' '),
]

test('secured: TLS with certificates on both sides, a user with a password and few rights', NEEDS_REDIS, async (t) => {
  const certificate = await makeCertificate(await folderForTest(t))
  const { cert, key, certFile, keyFile } = certificate
  const files = ['--tls-cert-file', certFile, '--tls-key-file', keyFile, '--tls-ca-cert-file', certFile]
  const replicas = ['--tls-replication', 'yes', '--masteruser', 'admin', '--masterauth', adminPassword]
  const admin = ['--user', 'admin', 'on', `>${adminPassword}`, '~*', '&*', '+@all']
  const servers = await RedisServers.start((end) => t.teardown(end), {
    guard: {
      config: [
        ...[...files, ...replicas, '--tls-cluster', 'yes', '--user', 'default', 'off', ...admin],
        ...['--user', 'shop', 'on', `>${password}`, ...RIGHTS],
      ],
      entry: { username: 'admin', password: adminPassword, tls: { ca: cert, cert, key, servername: CERTIFICATE_NAME } },
    },
  })
  const { seeds } = servers
  const tls = { ca: cert, cert, key, serverName: CERTIFICATE_NAME }
  const own = { engine: 'redis-cluster', seeds, name: 'shop', username: 'shop', password, tls } as const
  const errors: unknown[] = []
  const failure = async (options: Partial<RedisClusterOptions>) => {
    const error = await openCluster({ ...own, ...options }).catch((reason: unknown) => reason)
    errors.push(error)
    return error
  }

  /** Commands for which the user has no right, as the nodes tell. */
  const refusals = async () => {
    const logs = await Promise.all(servers.ports.map((_, index) => servers.ask(index, 'ACL', 'LOG')))
    const entries = (logs as unknown[][][]).flat()
    return entries.filter((entry) => entry.includes('command')).map((entry) => entry[7])
  }

  await t.test('the calls of the public door', async (t) => {
    const cluster = await openCluster(own)
    t.teardown(() => cluster.close())
    await cluster.put('a', '1', { w: 2 })
    await cluster.batch([
      { type: 'put', key: 'b', value: '2' },
      { type: 'put', key: 'c', value: '3' },
      { type: 'del', key: 'a' },
    ])
    await cluster.batch([{ type: 'put', key: 'd', value: '4' }], { logged: true })
    t.equal(await cluster.get('a', { r: 1 }).then((value) => value && textOf(value)), undefined)
    t.same((await cluster.getMany(['b', 'c', 'd'])).map(textOf), ['2', '3', '4'])
    t.same(
      (await collect(cluster.scan({ reverse: true }))).map(([found]) => textOf(found)),
      ['d', 'c', 'b'],
    )
    t.equal(cluster.status().nodes.length, 6)
    errors.push(cluster.status())
  })

  await t.test('a Level database', async (t) => {
    const db = new CoterieLevel('shop', own)
    t.teardown(() => db.close())
    t.same(await db.keys().all(), ['b', 'c', 'd'])
  })

  await t.test('who is not let in, or meets somebody else, is told at once', async (t) => {
    t.match(await failure({ password: WRONG }), { code: 'OPEN_FAILED', message: /WRONGPASS/ })
    const address = { host: '127.0.0.1', port: servers.ports[0] ?? 0 }
    const login = { username: 'shop', password: WRONG, tls }
    const connection = new NodeConnection(await loadIoRedis(), address, login, { isReadOnly: false })
    t.equal(await connection.ready, false)
    t.match(connection.error, { message: /WRONGPASS/ })
    errors.push(connection.error)
    for (const seed of [`redis://shop:${WRONG}@`, `http://shop:${WRONG}/@h`, new URL(`redis://shop:${WRONG}@h`)])
      t.match(await failure({ seeds: [seed as string] }), { code: 'INVALID_OPTION' })
    t.match(await failure({ seeds: `redis://shop:${WRONG}@h` as never }), { code: 'INVALID_OPTION' })
    t.match(await failure({ username: undefined, password: undefined } as never), { message: /NOAUTH|certificate/ })
    t.match(await failure({ name: 'others' }), { code: 'OPEN_FAILED', message: /NOPERM/ })
    t.match(await failure({ tls: { ca: cert, cert, key } }), { code: 'OPEN_FAILED', message: /altnames/ })
    t.match(await failure({ tls: { cert, key, serverName: CERTIFICATE_NAME } }), { message: /self-signed/ })
    t.equal(await outcomeOf(openCluster({ ...own, tls: { cert } })), 'INVALID_OPTION')
    t.match(await failure({ tls: { ...tls, key: 'none' } }), {
      code: 'INVALID_OPTION',
      message: /`tls` cannot be used/,
    })
    t.match(await failure({ tls: { ca: cert, serverName: CERTIFICATE_NAME }, openTimeoutMs: 300 }), {
      code: 'OPEN_FAILED',
    })
  })

  await t.test('the command: its calls, and a cluster that moves there', async (t) => {
    const folder = await folderForTest(t)
    const [host = ''] = seeds.map((seed) => seed.replace('redis://', ''))
    const files = ['--tls-ca', certFile, '--tls-cert', certFile, '--tls-key', keyFile, '--tls-name', CERTIFICATE_NAME]
    const to = (name: string) => ['--to', `redis-cluster://shop@${host}?name=${name}`, ...files]
    const coterie = async (...args: string[]) => {
      const ended = await run(folder, args, '', { COTERIE_REDIS_PASSWORD: password })
      errors.push(ended)
      return ended
    }
    const [put, scan, refused] = await Promise.all([
      coterie('put', 'e', '5', ...to('shop')),
      coterie('scan', 'b', ...to('shop')),
      coterie('get', 'b', '--to', `redis-cluster://shop@${host}`, '--set', 'openTimeoutMs=300'),
    ])
    t.match(put, { code: 0, stderr: '' })
    t.match(scan, { code: 0, stdout: 'b\t2\n' })
    t.match(refused, { code: 1, stderr: /OPEN_FAILED/ })
    const cluster = await openForTest(t, { location: join(folder, 'data'), nodes: 3, partitions: 16 })
    await cluster.put('moved', 'along')
    await cluster.close()
    const moved = await coterie('migrate', ...to('moved'))
    t.match(moved, { code: 0, stdout: /^moved to redis-cluster:/ })
    errors.push(readFileSync(join(folder, 'data', 'cluster', 'migration.json'), 'utf8'))
    const [there, here, status] = await Promise.all([
      coterie('get', 'moved', ...to('moved')),
      coterie('get', 'moved'),
      coterie('status', ...to('moved')),
    ])
    t.match(status, { code: 0, stdout: /16 partitions/ })
    t.notMatch(status.stdout, /acts on table/, 'each node has an epoch of its own')
    t.match(there, { code: 0, stdout: 'along' })
    t.match(here, { code: 1, stderr: /MIGRATED/ })
    t.same(await refusals(), [], 'the rights of the README are enough')
  })

  for (const shown of errors)
    for (const secret of [password, WRONG, key.split('\n')[1] ?? '-'])
      t.notMatch(inspect(shown, { depth: 10, showHidden: true }), secret, 'told to nobody')
})
