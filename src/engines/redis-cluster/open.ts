/** Opens a store in a Redis or Valkey Cluster: finds the cluster, and in it what was fixed when the store was created, or creates it. */

import { publishOpen } from '../../observe/channels.js'
import type { Cluster } from '../../shared/api.js'
import { CoterieError } from '../../shared/errors.js'
import { metaKey } from './key-names.js'
import { quorumsOf, type RedisClusterOptions, validateRedisOptions } from './options.js'
import { askMeta, letGo, type Reached, reach } from './reach.js'
import { RedisCluster } from './redis-cluster.js'
import { CREATE } from './scripts.js'
import { copiesOf } from './topology.js'

/** Of a store's names and values. */
export const FORMAT = '1'

/** What becomes of a store that is there, or not. */
export interface Existence {
  readonly createIfMissing: boolean
  readonly errorIfExists: boolean
}

/** Errors: INVALID_OPTION, LOCATION_MISMATCH, OPEN_FAILED, MIGRATION_UNDER_WAY. */
export async function openRedisCluster(
  options: RedisClusterOptions,
  existence: Existence = { createIfMissing: true, errorIfExists: false },
): Promise<Cluster> {
  const config = validateRedisOptions(options)
  let cluster: RedisCluster | undefined
  const reached = await reach(config, (now, before) => cluster?.onTopology(now, before))
  try {
    const partitions = await partitionsOf(reached, existence)
    const quorums = quorumsOf(config, copiesOf(reached.watch.topology))
    cluster = new RedisCluster({ ...reached, partitions, quorums })
    reached.watch.start()
    await cluster.replay()
    publishOpen(cluster)
    return cluster
  } catch (error) {
    letGo(reached)
    throw error
  }
}

/** As they were fixed when the store was created. */
async function partitionsOf(reached: Reached, { createIfMissing, errorIfExists }: Existence): Promise<number> {
  const { config } = reached
  const key = metaKey(config.name)
  const there = await askMeta(reached, ['HGET', key, 'format'])
  if (there === null && !createIfMissing)
    throw new CoterieError('OPEN_FAILED', `${config.name} does not exist, and createIfMissing is false`, {
      name: config.name,
      isMissing: true,
    })
  const made = await askMeta(reached, ['EVAL', CREATE.text, 1, key, FORMAT, config.partitions])
  const [format, partitions, isMade, migration] = made as readonly [Buffer, Buffer, number, Buffer | null]
  if (isMade === 0 && errorIfExists)
    throw new CoterieError('OPEN_FAILED', `${config.name} exists, and errorIfExists is true`)
  const facts = { name: config.name }
  if (migration !== null)
    throw new CoterieError(
      'MIGRATION_UNDER_WAY',
      `a migration into ${config.name} has not come to its end; \`coterie migrate\` of the cluster that it comes from goes on with it`,
      facts,
    )
  if (String(format) !== FORMAT)
    throw new CoterieError('LOCATION_MISMATCH', `the store has format ${format}, this version knows ${FORMAT}`, facts)
  if (config.saidPartitions && Number(partitions) !== config.partitions)
    throw new CoterieError(
      'LOCATION_MISMATCH',
      `the store has ${partitions} partitions, not ${config.partitions}`,
      facts,
    )
  return Number(partitions)
}
