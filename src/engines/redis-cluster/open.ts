/** Opens a store in a Redis or Valkey Cluster: finds the cluster, and in it what was fixed when the store was created, or creates it. */

import { publishOpen } from '../../observe/channels.js'
import type { Cluster } from '../../shared/api.js'
import { CoterieError } from '../../shared/errors.js'
import { loadIoRedis } from './connection.js'
import { Connections } from './connections.js'
import { META_SLOT, metaKey } from './key-names.js'
import { quorumsOf, type RedisClusterConfig, type RedisClusterOptions, validateRedisOptions } from './options.js'
import { RedisCluster } from './redis-cluster.js'
import { refusalOf } from './refusals.js'
import { CREATE } from './scripts.js'
import { copiesOf } from './topology.js'
import { TopologyWatch } from './topology-watch.js'

const FORMAT = '1'
/** Between two attempts to reach a cluster that does not answer yet. */
const LOOK_MS = 250

/** What becomes of a store that is there, or not. */
export interface Existence {
  readonly createIfMissing: boolean
  readonly errorIfExists: boolean
}

/** Errors: INVALID_OPTION, LOCATION_MISMATCH, OPEN_FAILED. */
export async function openRedisCluster(
  options: RedisClusterOptions,
  existence: Existence = { createIfMissing: true, errorIfExists: false },
): Promise<Cluster> {
  const config = validateRedisOptions(options)
  const connections = new Connections(await loadIoRedis(), config.login)
  let cluster: RedisCluster | undefined
  const watch = new TopologyWatch({
    connections,
    seeds: config.seeds,
    onChange: (now, before) => cluster?.onTopology(now, before),
  })
  try {
    await findCluster(config, connections, watch)
    const partitions = await partitionsOf(config, connections, watch, existence)
    const quorums = quorumsOf(config, copiesOf(watch.topology))
    cluster = new RedisCluster({ config, partitions, quorums, connections, watch })
    watch.start()
    await cluster.replay()
    publishOpen(cluster)
    return cluster
  } catch (error) {
    watch.close()
    connections.close()
    throw error
  }
}

async function findCluster(config: RedisClusterConfig, connections: Connections, watch: TopologyWatch): Promise<void> {
  const endMs = performance.now() + config.openTimeoutMs
  while (!watch.topology.isOk) {
    const leftMs = endMs - performance.now()
    if (leftMs <= 0) throw openFailed(config, connections, watch)
    await watch.lookAgain(Math.min(leftMs, LOOK_MS))
    const { refusal, topology } = watch
    if (refusal !== undefined && topology.nodes.length === 0)
      throw new CoterieError('OPEN_FAILED', `the seeds refuse: ${refusal}`, { seeds: seedsOf(config) })
  }
}

function seedsOf({ seeds }: RedisClusterConfig): string[] {
  return seeds.map(({ host, port }) => `${host}:${port}`)
}

function openFailed(config: RedisClusterConfig, connections: Connections, watch: TopologyWatch): CoterieError {
  const why =
    watch.topology.nodes.length > 0
      ? `the cluster is not whole: cluster_state is not ok after ${config.openTimeoutMs} ms`
      : `no seed answers as a node of a cluster within ${config.openTimeoutMs} ms`
  const cause = config.seeds.map((seed) => connections.get(seed, 'watch')?.error).find((error) => error !== undefined)
  return new CoterieError('OPEN_FAILED', why, { seeds: seedsOf(config) }, { cause })
}

/** As they were fixed when the store was created. */
async function partitionsOf(
  config: RedisClusterConfig,
  connections: Connections,
  watch: TopologyWatch,
  { createIfMissing, errorIfExists }: Existence,
): Promise<number> {
  const key = metaKey(config.name)
  const there = await onMaster(config, connections, watch, ['HGET', key, 'format'])
  if (there === null && !createIfMissing)
    throw new CoterieError('OPEN_FAILED', `${config.name} does not exist, and createIfMissing is false`)
  const made = await onMaster(config, connections, watch, ['EVAL', CREATE.text, 1, key, FORMAT, config.partitions])
  const [format, partitions, isMade] = made as readonly [Buffer, Buffer, number]
  if (isMade === 0 && errorIfExists)
    throw new CoterieError('OPEN_FAILED', `${config.name} exists, and errorIfExists is true`)
  const facts = { name: config.name }
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

/** A command that may be carried out twice. */
async function onMaster(
  config: RedisClusterConfig,
  connections: Connections,
  watch: TopologyWatch,
  [command, ...args]: readonly [string, ...(Buffer | string | number)[]],
): Promise<unknown> {
  const endMs = performance.now() + config.openTimeoutMs
  for (;;) {
    const master = watch.topology.nodes[watch.topology.masterOfSlot[META_SLOT] ?? -1]
    const connection = master === undefined ? undefined : connections.get(master, 'read')
    if (connection !== undefined && (await connection.ready) && connection.isReady) {
      const answer = await connection.send(command, ...args)
      if (answer.type === 'reply') return answer.reply
      if (answer.type === 'refused' && refusalOf(answer.text).type === 'definite')
        throw new CoterieError('OPEN_FAILED', `the cluster refuses ${command}: ${answer.text}`)
    }
    const leftMs = endMs - performance.now()
    if (leftMs <= 0) throw openFailed(config, connections, watch)
    await watch.lookAgain(Math.min(leftMs, LOOK_MS))
  }
}
