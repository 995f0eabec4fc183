/** abstract-level's own suite, on databases in one Redis Cluster. */

import tape from 'tape'
import { runSuite } from '../../level/abstract-suite.js'
import { NEEDS_REDIS, RedisServers } from '../../support/redis-servers.js'

if (NEEDS_REDIS.skip === undefined) {
  const ends: (() => Promise<void>)[] = []
  const { seeds } = await RedisServers.start((end) => ends.unshift(end))
  await runSuite('database', { engine: 'redis-cluster', seeds })
  tape.onFinish(async () => {
    for (const end of ends) await end()
  })
} else tape('abstract-level’s suite on a Redis Cluster', NEEDS_REDIS, () => undefined)
