/** The engine 'redis-cluster' over six real processes: the contract of the public door, and what is its own. */

import root from 'tap'
import { openCluster } from '../../../src/index.js'
import { doorContract } from '../../contract/door-contract.js'
import { NEEDS_REDIS, RedisServers } from '../../support/redis-servers.js'
import { batchReplayTests } from './batch-replay.js'
import { engineTests } from './engine.js'
import { levelTests } from './level.js'
import { movingSlotTests } from './moving-slots.js'

const servers = NEEDS_REDIS.skip === undefined ? await RedisServers.start((end) => root.teardown(end)) : undefined

doorContract({
  engine: 'redis-cluster',
  ...NEEDS_REDIS,
  async open(t, name, options = {}) {
    const cluster = await openCluster({ engine: 'redis-cluster', seeds: servers?.seeds ?? [], name, ...options })
    t.teardown(() => cluster.close())
    return cluster
  },
})
engineTests(servers)
batchReplayTests(servers)
levelTests(servers)
// Last: the slots are not where they were.
movingSlotTests(servers)
