/**
 * A Redis or Valkey Cluster behind the public door: the calls of a client, status and events from the topology. What only a cluster
 * that runs in this process can do is refused with NOT_SUPPORTED: its nodes are somebody else's.
 */

import { RequestCounters } from '../../../actors/runtime/request-counters.js'
import { CallWatch } from '../../observe/call-watch.js'
import { publishEvent } from '../../observe/channels.js'
import { WatchedCalls } from '../../observe/watched-calls.js'
import { clusterMetrics, RepairsDone } from '../../opening/metrics.js'
import type { Cluster } from '../../shared/api.js'
import { ClusterEmitter } from '../../shared/cluster-emitter.js'
import type { ClusterEvents } from '../../shared/cluster-events.js'
import type { ClusterMetrics, ClusterStatus, NodeStatus, PartitionOwners } from '../../shared/cluster-reports.js'
import { CoterieError } from '../../shared/errors.js'
import type { Faults } from '../../shared/fault-calls.js'
import { checkWhole } from '../../shared/options.js'
import { Batches } from './batches.js'
import type { Connections } from './connections.js'
import { KeyCounts } from './key-counts.js'
import { KeyNames } from './key-names.js'
import { noFaults } from './no-faults.js'
import { notSupported, type RedisClusterConfig } from './options.js'
import { ownersOf, ringOf } from './placement.js'
import { RedisClient } from './redis-client.js'
import { Requester } from './requester.js'
import { RedisStore } from './store.js'
import type { RedisNode, Topology } from './topology.js'
import { eventsOf, isConverged } from './topology-events.js'
import type { TopologyWatch } from './topology-watch.js'
import { pause } from './within.js'

/** How often batches that others have left are looked for. */
const REPLAY_MS = 30_000
/** How long requests in flight may still take when it closes. */
const DRAIN_MS = 1_000
const LOOK_MS = 5
const TIMEOUT_MS_MAX = 2_147_483_647

export interface Opened {
  readonly config: RedisClusterConfig
  readonly partitions: number
  readonly quorums: { readonly n: number; readonly r: number; readonly w: number }
  readonly connections: Connections
  readonly watch: TopologyWatch
  /** Of requests before: those of the cluster that has moved here. */
  readonly counters?: RequestCounters
}

export class RedisCluster extends ClusterEmitter implements Cluster {
  readonly id = 'gateway1'
  readonly faults: Faults = noFaults()
  readonly #opened: Opened
  readonly #names: KeyNames
  readonly #requester: Requester
  readonly #batches: Batches
  readonly #client: RedisClient
  readonly #calls: WatchedCalls
  readonly #counters: RequestCounters
  /** Times that a node was back after it had failed. */
  readonly #returns = new Map<string, number>()
  readonly #replaying: NodeJS.Timeout
  readonly #keys: KeyCounts
  #isClosing = false
  #isClosed = false
  #closing: Promise<void> | undefined

  constructor(opened: Opened) {
    super()
    const { config, partitions, quorums, connections, watch: topologyWatch } = opened
    this.#opened = opened
    this.#counters = opened.counters ?? new RequestCounters()
    this.#names = new KeyNames(config.name, partitions)
    this.#requester = new Requester({
      names: this.#names,
      connections,
      watch: topologyWatch,
      isClosed: () => this.#isClosed,
    })
    const store = new RedisStore(this.#names, this.#requester)
    this.#batches = new Batches({ names: this.#names, partitions, store, requester: this.#requester })
    const watch = new CallWatch({ location: locationOf(config), gateway: this.id }, { isContext: true })
    this.#client = new RedisClient({
      config: { ...config, ...quorums, partitions },
      counters: this.#counters,
      store,
      batches: this.#batches,
      ownersOf: (partition) => ownersOf(topologyWatch.topology, this.#names, partition),
      watch,
    })
    this.#calls = new WatchedCalls(this.#client, watch)
    this.#keys = new KeyCounts({ names: this.#names, partitions, connections, watch: topologyWatch })
    this.#replaying = setInterval(() => void this.replay(), REPLAY_MS)
    this.#replaying.unref()
  }

  get = (...call: Parameters<WatchedCalls['get']>) => this.#calls.get(...call)
  read = (...call: Parameters<WatchedCalls['read']>) => this.#calls.read(...call)
  put = (...call: Parameters<WatchedCalls['put']>) => this.#calls.put(...call)
  delete = (...call: Parameters<WatchedCalls['delete']>) => this.#calls.delete(...call)
  getMany = (...call: Parameters<WatchedCalls['getMany']>) => this.#calls.getMany(...call)
  batch = (...call: Parameters<WatchedCalls['batch']>) => this.#calls.batch(...call)
  scan = (...call: Parameters<WatchedCalls['scan']>) => this.#calls.scan(...call)
  locate = (...call: Parameters<WatchedCalls['locate']>) => this.#calls.locate(...call)

  /** By the watch, at each look. */
  onTopology(now: Topology, before: Topology): void {
    this.#requester.onTopology(now)
    for (const [name, ...facts] of eventsOf(now, before, { names: this.#names, partitions: this.#opened.partitions })) {
      if (name === 'node:up') {
        const [{ node }] = facts as ClusterEvents['node:up']
        this.#returns.set(node, (this.#returns.get(node) ?? 0) + 1)
        this.#emit(name, { node, incarnation: this.#incarnationOf(node), readyMs: 0 })
      } else this.#emit(name, ...(facts as never))
    }
  }

  /** What fails is tried again at the next time. */
  async replay(): Promise<void> {
    try {
      await this.#batches.replay(this.#opened.quorums)
    } catch (error) {
      if (!(error instanceof CoterieError)) throw error
    }
  }

  status(): ClusterStatus {
    const { config, partitions, quorums, watch } = this.#opened
    const { topology } = watch
    const ring = this.ring()
    return {
      location: locationOf(config),
      epoch: topology.epoch,
      converged: !this.#isClosing && isConverged(topology),
      partitions,
      conflict: 'lww',
      replication: quorums,
      partitionsMoving: ring.filter(({ moving }) => moving).length,
      partitionsLost: ring.filter(({ lost }) => lost).map(({ partition }) => partition),
      gateways: 1,
      ...(this.#isClosing ? { closing: true } : {}),
      nodes: topology.nodes.map((node) => this.#statusOf(node, ring)),
    }
  }

  metrics(): ClusterMetrics {
    return clusterMetrics([this.#counters], { atMs: performance.now(), repairs: new RepairsDone() })
  }

  ring(): PartitionOwners[] {
    return ringOf(this.#opened.watch.topology, this.#names, this.#opened.partitions)
  }

  /** Nodes of a Redis Cluster do not say how each of them sees the others. */
  views(): [] {
    return []
  }

  async versions(): Promise<never> {
    throw notSupported('versions()', 'GET at each node, after READONLY')
  }

  async settled(options: { timeoutMs?: number } = {}): Promise<void> {
    const { timeoutMs } = options
    const limitMs = timeoutMs === undefined ? Infinity : checkWhole('timeoutMs', timeoutMs, 1, TIMEOUT_MS_MAX)
    const endMs = performance.now() + limitMs
    const { watch } = this.#opened
    for (;;) {
      if (this.#isClosing) throw new CoterieError('CLOSED')
      if (isConverged(watch.topology)) return
      const leftMs = endMs - performance.now()
      if (leftMs <= 0) {
        const awaited = watch.topology.nodes.filter(({ health }) => health !== 'up').map(({ id }) => id)
        throw new CoterieError('TIMEOUT', 'the cluster has not converged', { awaited })
      }
      await watch.lookAgain(Math.min(leftMs, 1_000))
    }
  }

  ticket(): never {
    throw notSupported('ticket()', 'other threads open the cluster themselves')
  }

  async plan(): Promise<never> {
    throw notSupported('plan()', 'redis-cli --cluster rebalance --cluster-simulate')
  }

  async join(): Promise<never> {
    throw notSupported('join()', 'redis-cli --cluster add-node')
  }

  async promote(): Promise<never> {
    throw notSupported('promote()', 'CLUSTER FAILOVER')
  }

  async leave(): Promise<never> {
    throw notSupported('leave()', 'redis-cli --cluster del-node')
  }

  async backup(): Promise<never> {
    throw notSupported('backup()', "the RDB or AOF files of its nodes, or 'coterie export'")
  }

  async migrate(): Promise<never> {
    throw notSupported('migrate()', 'redis-cli --cluster import, or RIOT')
  }

  async abortMigration(): Promise<never> {
    throw notSupported('abortMigration()', 'nothing: no migration leaves it')
  }

  async acceptLoss(): Promise<never> {
    throw notSupported('acceptLoss()', 'redis-cli --cluster fix')
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const { connections, watch, config } = this.#opened
    this.#isClosing = true
    this.#client.close()
    clearInterval(this.#replaying)
    this.#keys.close()
    const untilMs = performance.now() + Math.min(DRAIN_MS, config.closeTimeoutMs)
    while (this.#client.running > 0 && performance.now() < untilMs) await pause(LOOK_MS)
    await Promise.race([this.#batches.settled(), pause(Math.max(0, untilMs - performance.now()))])
    this.#isClosed = true
    watch.close()
    connections.close()
    while (this.#client.running > 0) await pause(LOOK_MS)
    this.#emit('close')
  }

  #statusOf(node: RedisNode, ring: readonly PartitionOwners[]): NodeStatus {
    const status = this.#isClosing ? 'down' : node.health
    const owned = ring.filter(({ owners }) => owners.includes(node.id))
    return {
      id: node.id,
      role: 'member',
      status,
      incarnation: this.#incarnationOf(node.id),
      restarts: this.#returns.get(node.id) ?? 0,
      partitions: owned.length,
      pending: 0,
      keys: owned.reduce((sum, { partition }) => sum + this.#keys.of(partition), 0),
      mailbox: this.#requester.waitingAt(node.id),
      loopLagMs: 0,
      memoryBytes: 0,
      hints: 0,
      exchanging: 0,
      epoch: node.epoch,
      threadId: null,
      actor: node.redisId,
      quarantined: [],
      storeFull: false,
    }
  }

  #incarnationOf(node: string): number {
    return 1 + (this.#returns.get(node) ?? 0)
  }

  #emit<Name extends keyof ClusterEvents>(name: Name, ...args: ClusterEvents[Name]): void {
    this.tell(name, ...args)
    publishEvent(locationOf(this.#opened.config), name, args)
  }
}

function locationOf({ seeds, name }: RedisClusterConfig): string {
  return `redis-cluster://${seeds.map(({ host, port }) => `${host}:${port}`).join(',')}/${name}`
}
