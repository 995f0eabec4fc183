/** `openCluster`: checks what is asked, prepares the folder, and hands back a cluster that serves; or leaves nothing open. */

import { nowMs } from '../actors/runtime/clock.js'
import type { RedisClusterOptions } from './engines/redis-cluster/options.js'
import { refuseMoved } from './migration/moved.js'
import { publishOpen } from './observe/channels.js'
import { OpenCluster } from './open-cluster.js'
import { type Prepared, prepare } from './opening/prepare.js'
import type { Cluster } from './shared/api.js'
import { CoterieError } from './shared/errors.js'
import { type ClusterOptions, validateOptions } from './shared/options.js'
import type { NativeDeath } from './storage/opening-marker.js'

/**
 * Opens the cluster in a folder, or makes one there; with `engine: 'redis-cluster'`, the store of that name in a Redis or Valkey Cluster.
 *
 * Shape:  resolves once every node is up (or, if one takes long, once every partition has its quorum).
 * Errors: INVALID_OPTION, LOCATION_LOCKED, LOCATION_MISMATCH, LOCATION_DAMAGED, OPEN_FAILED.
 */
export async function openCluster(options: ClusterOptions | RedisClusterOptions): Promise<Cluster> {
  if (options?.engine !== 'redis-cluster') return openAfter(undefined, options)
  // Loaded by those who want it.
  const { openRedisCluster } = await import('./engines/redis-cluster/open.js')
  return openRedisCluster(options)
}

/** As `openCluster`, where the process before died in native code: no store is trusted that it had open. */
export async function openAfter(death: NativeDeath | undefined, options: ClusterOptions): Promise<Cluster> {
  const openedAtMs = nowMs()
  const config = validateOptions(options)
  let prepared: Prepared
  try {
    prepared = await prepare(config, { death })
  } catch (cause) {
    if (cause instanceof CoterieError) throw cause
    throw new CoterieError(
      'OPEN_FAILED',
      `${config.location} cannot be opened`,
      { location: config.location },
      { cause },
    )
  }
  await refuseIfMoved(prepared)
  const cluster = new OpenCluster(prepared)
  try {
    await cluster.start(openedAtMs)
    publishOpen(cluster)
    return cluster
  } catch (error) {
    const [closed] = await Promise.allSettled([cluster.close()])
    if (error instanceof CoterieError && closed.status === 'fulfilled') throw error
    // A file that could not be written while it opened, or while it closed after that.
    const cause = closed.status === 'fulfilled' ? error : new AggregateError([error, closed.reason], String(error))
    throw cluster.openFailed(`${config.location} cannot be opened`, cause as Error)
  }
}

async function refuseIfMoved({ config, lock, metadata, migration }: Prepared): Promise<void> {
  const { clusterId, partitions } = metadata
  try {
    await refuseMoved({ file: migration, location: config.location, clusterId, partitions })
  } catch (error) {
    await lock.release()
    throw error
  }
}
