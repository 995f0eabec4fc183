/** A Redis Cluster of six processes, three masters with a replica each, through ioredis; also with reads from the replicas. */

import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Cluster } from 'ioredis'
import { type RedisProcess, startRedis } from './redis-process.js'
import { loadRedis, redisSubject } from './redis-subject.js'
import type { Data, Host, HostInput, Subject } from './subject.js'

const MASTERS = 3
const PROCESSES = 6
const SLOTS = 16_384
/** As in the minimal configuration of "Scale with Redis Cluster". redis.conf has 15 s, with which a failover takes the longer. */
export const CLUSTER_NODE_TIMEOUT_MS = 5_000
const FORM_TIMEOUT_MS = 20_000
const LOOK_MS = 50

/** The processes, for who wants to end one. */
export interface RedisClusterProcesses {
  readonly masters: readonly RedisProcess[]
  readonly all: readonly RedisProcess[]
  end(): Promise<void>
}

/**
 * Starts the cluster and a client for each way to call it. Nothing is written to disk, and a write is acknowledged before the
 * replica has it: that is its fastest, and its default.
 *
 * Errors: PeerMissing.
 */
export async function openRedisCluster({ folder, data }: HostInput): Promise<Host> {
  const processes = await startRedisCluster(folder)
  const clients: Cluster[] = []
  const subject = (name: string, options: ClientOptions): Subject => {
    const client = connectCluster(processes, options)
    clients.push(client)
    return redisSubject(client, data, { name, isOneServer: false, isTwin: options.scaleReads === 'all' })
  }
  const subjects = [
    subject('Redis Cluster', {}),
    subject('Redis Cluster, auto-pipelined', { enableAutoPipelining: true }),
    subject('Redis Cluster, replica reads, auto-pipelined', { scaleReads: 'all', enableAutoPipelining: true }),
  ]
  return {
    subjects,
    load: (loaded: Data) => loadAndReplicate(processes, loaded),
    close: async () => {
      for (const client of clients) client.disconnect()
      await processes.end()
    },
  }
}

/** What differs between the clients. */
export interface ClientOptions {
  readonly enableAutoPipelining?: boolean
  readonly scaleReads?: 'master' | 'all'
}

/** A client that knows all of them. */
export function connectCluster({ all }: RedisClusterProcesses, options: ClientOptions): Cluster {
  return new Cluster(
    all.map(({ port }) => ({ port, host: '127.0.0.1' })),
    options,
  )
}

/** Resolves once every slot is served and every replica follows. */
export async function startRedisCluster(folder: string): Promise<RedisClusterProcesses> {
  const all: RedisProcess[] = []
  const end = async () => {
    await Promise.all(all.map((one) => one.end()))
  }
  try {
    for (let number = 0; number < PROCESSES; number++) all.push(await startMember(join(folder, `${number}`)))
    await form(all)
  } catch (error) {
    await end()
    throw error
  }
  return { masters: all.slice(0, MASTERS), all, end }
}

function startMember(folder: string): Promise<RedisProcess> {
  return startRedis(folder, {
    save: '',
    appendonly: 'no',
    'cluster-enabled': 'yes',
    // Or each replica waits five seconds for others that might want the same copy.
    'repl-diskless-sync-delay': '0',
    'cluster-node-timeout': String(CLUSTER_NODE_TIMEOUT_MS),
  })
}

/** What `redis-cli --cluster create --cluster-replicas 1` does. */
async function form(all: readonly RedisProcess[]): Promise<void> {
  const [first, ...others] = all
  for (const [number, { admin }] of all.entries()) await admin.cluster('SET-CONFIG-EPOCH', number + 1)
  for (const { port, busPort } of others) await first?.admin.call('CLUSTER', 'MEET', '127.0.0.1', port, busPort)
  await until('all know each other', all, async ({ admin }) =>
    (await admin.cluster('INFO')).includes(`cluster_known_nodes:${PROCESSES}`),
  )
  const share = Math.ceil(SLOTS / MASTERS)
  for (const [number, { admin }] of all.slice(0, MASTERS).entries()) {
    const range = [number * share, Math.min(SLOTS, (number + 1) * share) - 1]
    await admin.call('CLUSTER', 'ADDSLOTSRANGE', ...range.map(String))
  }
  for (const [number, { admin }] of all.slice(MASTERS).entries()) {
    const master = await all[number]?.admin.cluster('MYID')
    await admin.call('CLUSTER', 'REPLICATE', String(master))
  }
  await until('the cluster is in order', all, async ({ admin }, number) => {
    const isServed = (await admin.cluster('INFO')).includes('cluster_state:ok')
    return isServed && (number < MASTERS || (await admin.info('replication')).includes('master_link_status:up'))
  })
}

/** Replicas that have not caught up would be read from. */
async function loadAndReplicate(processes: RedisClusterProcesses, data: Data): Promise<void> {
  const client = connectCluster(processes, { enableAutoPipelining: true })
  await loadRedis(client, data, false)
  await until('replicas have caught up', processes.all.slice(0, MASTERS), async ({ admin }) => {
    const text = await admin.info('replication')
    const offset = /master_repl_offset:(\d+)/.exec(text)?.[1]
    return /slave0:.*offset=(\d+)/.exec(text)?.[1] === offset
  })
  client.disconnect()
}

async function until(
  what: string,
  processes: readonly RedisProcess[],
  holds: (one: RedisProcess, number: number) => Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + FORM_TIMEOUT_MS
  for (const [number, one] of processes.entries())
    while (!(await holds(one, number))) {
      if (performance.now() > deadline) throw new Error(`Redis Cluster: ${what}: not within ${FORM_TIMEOUT_MS} ms`)
      await delay(LOOK_MS)
    }
}
