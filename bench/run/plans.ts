/** How each store is opened, once for all groups: Coterie with its defaults, and its peers with as many bytes of cache. */

import type { ClusterOptions } from '../../src/index.js'
import { openClassicLevel } from '../subjects/classic-level.js'
import { openCoterie, type Quorum } from '../subjects/coterie.js'
import { openLmdb } from '../subjects/lmdb.js'
import { openManyLevel } from '../subjects/many-level.js'
import { openRedis } from '../subjects/redis.js'
import { openRedisCluster } from '../subjects/redis-cluster.js'
import type { HostPlan } from './stage.js'

const MIB = 1_048_576

/** What Coterie keeps by default: `recordCacheBytes` of all nodes and `nearCacheBytes` of the thread that calls, and `cacheBytes`. */
export const DEFAULT_CACHES = { recordCacheBytes: (64 + 32) * MIB, blockCacheBytes: 64 * MIB }

export const R1 = { name: 'Coterie r=1 w=2', r: 1, w: 2, isTwin: true } as const satisfies Quorum
export const R2 = { name: 'Coterie r=2 w=2', r: 2, w: 2 } as const satisfies Quorum
export const QUORUMS: readonly Quorum[] = [R1, R2]

/** The same on as many nodes as there are copies, of which each has every record: beside the five that `openCluster` makes. */
export function onThreeNodes(quorum: Quorum): Quorum {
  return { ...quorum, name: `${quorum.name}, 3 nodes` }
}

/** Where the caller's thread keeps nothing: every read asks nodes. What is written is the same. */
export function withoutNearCache(quorum: Quorum): Quorum {
  return { ...quorum, name: `${quorum.name}, no near cache`, isTwin: true }
}

export const NO_NEAR_CACHE = { nearCacheBytes: 0 } as const

/** A cluster; n=3 and five nodes, as `openCluster` has it, unless the options say otherwise. */
export function coteriePlan(
  options: Omit<ClusterOptions, 'location'> = {},
  quorums: readonly Quorum[] = QUORUMS,
  name = 'Coterie',
): HostPlan {
  return { name, open: (input) => openCoterie(input, options, quorums) }
}

/** classic-level, and the same behind a plain cache of records. */
export function classicLevelPlan(caches: Partial<typeof DEFAULT_CACHES> = DEFAULT_CACHES): HostPlan {
  return {
    name: 'classic-level',
    open: (input) => openClassicLevel(input, { blockCacheBytes: DEFAULT_CACHES.blockCacheBytes, ...caches }),
  }
}

/** classic-level whose writes are synced. */
export const CLASSIC_LEVEL_SYNC: HostPlan = {
  name: 'classic-level sync',
  open: (input) => openClassicLevel(input, { blockCacheBytes: DEFAULT_CACHES.blockCacheBytes, sync: true }),
}

export const LMDB: HostPlan = { name: 'lmdb', open: (input) => openLmdb(input) }
export const LMDB_FLUSHED: HostPlan = { name: 'lmdb flushed', open: (input) => openLmdb(input, { sync: true }) }
export const MANY_LEVEL: HostPlan = {
  name: 'many-level',
  open: (input) => openManyLevel(input, DEFAULT_CACHES.blockCacheBytes),
}
export const REDIS: HostPlan = { name: 'Redis', open: (input) => openRedis(input) }
export const REDIS_FSYNC: HostPlan = {
  name: 'Redis appendfsync always',
  open: (input) => openRedis(input, { fsync: true }),
}
export const REDIS_CLUSTER: HostPlan = { name: 'Redis Cluster', open: openRedisCluster }

/** Everybody that a workload of one process can be compared with. */
export const ALL_PEERS: readonly HostPlan[] = [classicLevelPlan(), LMDB, MANY_LEVEL, REDIS, REDIS_CLUSTER]
