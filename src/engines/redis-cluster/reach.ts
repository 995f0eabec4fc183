/** The way to a Redis or Valkey Cluster: finds it at its seeds, and asks it what is fixed about a store. Called by whoever opens one. */

import { CoterieError } from '../../shared/errors.js'
import { type Answer, type Argument, loadIoRedis, type NodeConnection, type Reply } from './connection.js'
import { Connections } from './connections.js'
import { META_SLOT } from './key-names.js'
import type { RedisClusterConfig } from './options.js'
import { refusalOf } from './refusals.js'
import type { Topology } from './topology.js'
import { TopologyWatch } from './topology-watch.js'
import { within } from './within.js'

/** Between two attempts to reach a cluster that does not answer yet. */
const LOOK_MS = 250
/** A node that has not answered by then is asked again, or its successor is. */
const ANSWER_MS = 1_000

export interface Reached {
  readonly config: RedisClusterConfig
  readonly connections: Connections
  readonly watch: TopologyWatch
}

/** Resolves once the cluster is whole; its watch is not started yet. Errors: OPEN_FAILED. */
export async function reach(
  config: RedisClusterConfig,
  onChange: (now: Topology, before: Topology) => void,
): Promise<Reached> {
  const connections = new Connections(await loadIoRedis(), config.login)
  const watch = new TopologyWatch({ connections, seeds: config.seeds, onChange })
  const reached = { config, connections, watch }
  try {
    await find(reached)
    return reached
  } catch (error) {
    letGo(reached)
    throw error
  }
}

export function letGo({ connections, watch }: Reached): void {
  watch.close()
  connections.close()
}

async function find(reached: Reached): Promise<void> {
  const { config, watch } = reached
  const endMs = performance.now() + config.openTimeoutMs
  while (!watch.topology.isOk) {
    const leftMs = endMs - performance.now()
    if (leftMs <= 0) throw openFailed(reached)
    await watch.lookAgain(Math.min(leftMs, LOOK_MS))
    const { refusal, topology } = watch
    if (refusal !== undefined && topology.nodes.length === 0)
      throw new CoterieError('OPEN_FAILED', `the seeds refuse: ${refusal}`, { seeds: seedsOf(config) })
  }
}

function seedsOf({ seeds }: RedisClusterConfig): string[] {
  return seeds.map(({ host, port }) => `${host}:${port}`)
}

function openFailed({ config, connections, watch }: Reached): CoterieError {
  const why =
    watch.topology.nodes.length > 0
      ? `the cluster is not whole: cluster_state is not ok after ${config.openTimeoutMs} ms`
      : `no seed answers as a node of a cluster within ${config.openTimeoutMs} ms`
  const cause = config.seeds.map((seed) => connections.get(seed, 'watch')?.error).find((error) => error !== undefined)
  return new CoterieError('OPEN_FAILED', why, { seeds: seedsOf(config) }, { cause })
}

/** Of the store's own facts: a command that may be carried out twice. Errors: OPEN_FAILED, CLOSED. */
export async function askMeta(reached: Reached, command: readonly [string, ...Argument[]]): Promise<Reply> {
  const { config, connections, watch } = reached
  const endMs = performance.now() + config.openTimeoutMs
  for (;;) {
    if (watch.isClosed) throw new CoterieError('CLOSED')
    const master = watch.topology.nodes[watch.topology.masterOfSlot[META_SLOT] ?? -1]
    const connection = master === undefined ? undefined : connections.get(master, 'read')
    if (connection !== undefined) {
      const answer = await within(Math.min(ANSWER_MS, endMs - performance.now()), () => ask(connection, command))
      if (answer?.type === 'reply') return answer.reply
      if (answer?.type === 'refused' && refusalOf(answer.text).type === 'definite')
        throw new CoterieError('OPEN_FAILED', `the cluster refuses ${command[0]}: ${answer.text}`)
    }
    const leftMs = endMs - performance.now()
    if (leftMs <= 0) throw openFailed(reached)
    await watch.lookAgain(Math.min(leftMs, LOOK_MS))
  }
}

async function ask(connection: NodeConnection, command: readonly [string, ...Argument[]]): Promise<Answer> {
  if (!(await connection.ready) || !connection.isReady) return { type: 'lost' }
  return connection.send(...command)
}
