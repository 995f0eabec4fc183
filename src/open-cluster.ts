/**
 * An open cluster: puts the pieces together. Supervisor and gateway in this thread, nodes in theirs; status, events, `settled`, faults,
 * tickets, and an end that always comes. Called by `cluster.ts`.
 */

import { setTimeout as delay } from 'node:timers/promises'
import { GatewayActor } from '../actors/gateway.actor.js'
import { createPool, type Pool } from '../actors/pool.js'
import { nowMs } from '../actors/runtime/clock.js'
import { RequestCounters } from '../actors/runtime/request-counters.js'
import { type NodeScrub, Scrubber } from '../actors/scrubber.js'
import { SupervisorActor } from '../actors/supervisor.actor.js'
import { Client } from './client.js'
import { ThreadFaults } from './faults.js'
import type { ClusterMigration } from './migration/migration.js'
import { Seat } from './migration/seat.js'
import { NearCache } from './near-cache.js'
import { CallWatch } from './observe/call-watch.js'
import { publishEvent } from './observe/channels.js'
import { WatchedCalls } from './observe/watched-calls.js'
import { ClusterBackup } from './opening/backup.js'
import { ClockCeiling } from './opening/clock-ceiling.js'
import { ClusterShape } from './opening/cluster-shape.js'
import { drain } from './opening/drain.js'
import { FillsUnderWay } from './opening/fills-under-way.js'
import { GatewayHost } from './opening/gateway-host.js'
import { keyVersions } from './opening/key-versions.js'
import { clusterMetrics, RepairsDone } from './opening/metrics.js'
import { migrationOf } from './opening/migration.js'
import type { Emit } from './opening/node-notices.js'
import { openFailed } from './opening/open-failed.js'
import type { Prepared } from './opening/prepare.js'
import { Seeds } from './opening/seed.js'
import { whenSettled } from './opening/settled.js'
import { clusterRing, clusterStatus, isConverged, nodesOwe, nodeViews } from './opening/status.js'
import { supervisorObserver } from './opening/supervisor-observer.js'
import { untilOpen } from './opening/until-open.js'
import { gatewayConfigOf, protocolConfigOf, supervisionConfigOf } from './opening/wiring.js'
import { canRefill } from './protocol/ring/quorum.js'
import { stampTimePart } from './protocol/versions/stamp.js'
import type { Bytes, Cluster, Ticket } from './shared/api.js'
import { ClusterEmitter } from './shared/cluster-emitter.js'
import type { ClusterEvents } from './shared/cluster-events.js'
import type { ClusterMetrics, ClusterStatus, KeyVersions, NodeView, PartitionOwners } from './shared/cluster-reports.js'
import { CoterieError } from './shared/errors.js'
import type { Faults } from './shared/fault-calls.js'
import { keyFromUser, keyToBytes } from './shared/keys.js'
import { checkWhole, invalid } from './shared/options.js'
import { isShortage } from './shared/shortage.js'
import { isDiskFull } from './storage/disk-room.js'
import { RECORD_CACHE_BYTES_MIN } from './storage/record-cache.js'
import { WriteMarks } from './storage/write-marks.js'

/** How often what is awaited is looked at: shared counters, nobody is woken. */
const LOOK_MS = 5
/** How long opening waits for batches that the process before left halfway. */
const REPLAY_MS = 2_000
/** How long requests in flight may still take when the cluster closes. */
const DRAIN_MS = 1_000

/** The opener's own gateway; those of other threads are numbered from 2. */
const OWN_GATEWAY = 'gateway1'

export class OpenCluster extends ClusterEmitter implements Cluster {
  readonly id = OWN_GATEWAY
  readonly faults: Faults
  readonly #prepared: Prepared
  readonly #pool: Pool
  readonly #supervisor: SupervisorActor
  readonly #gateway: GatewayActor
  readonly #scrubber: Scrubber
  readonly #counters = new RequestCounters()
  readonly #repairs = new RepairsDone()
  readonly #client: Client
  readonly #seat: Seat
  readonly #migration: ClusterMigration
  readonly #host: GatewayHost
  readonly #shape: ClusterShape
  readonly #backup: ClusterBackup
  readonly #ceiling: ClockCeiling
  #fatal: Error | undefined
  #isConverged = false
  /** What the process before may have left in the log of batches has been looked for, or is. */
  #isReplayed = false
  readonly #fills = new FillsUnderWay()
  #watch: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined

  constructor(prepared: Prepared) {
    super()
    const { config, metadata, table, clock, folder, suspects } = prepared
    this.#prepared = prepared
    this.#ceiling = new ClockCeiling({ clock, folder, onUnwritten: (error) => this.#onUnwritten(error) })
    this.#pool = createPool({ maxThreads: 2, verifyTaskUrl: config.workers.verify })
    const protocol = protocolConfigOf(prepared)
    const gatewayConfig = gatewayConfigOf(prepared)
    const limits = {
      readTimeoutMs: config.readTimeoutMs,
      writeTimeoutMs: config.writeTimeoutMs,
      valueBytesMax: config.valueBytesMax,
      nearCacheBytes: config.nearCacheBytes,
    }
    const marks = config.nearCacheBytes < RECORD_CACHE_BYTES_MIN ? undefined : new WriteMarks()
    const emit: Emit = (name, ...args) => this.#emit(name, ...args)
    this.#supervisor = new SupervisorActor({
      config,
      protocol,
      supervision: supervisionConfigOf(prepared),
      folder,
      metadata,
      table,
      pool: this.#pool,
      suspects,
      clock,
      marks,
      nodeUrl: config.workers.node ?? new URL('../actors/node.actor.js', import.meta.url),
      observer: supervisorObserver({ emit, fills: this.#fills, onFatal: (error) => this.#onFatal(error) }),
      isReapingHeld: () => !this.#isReplayed || this.#gateway.hasLateBatches || this.#host.hasLateBatches,
    })
    this.#scrubber = new Scrubber({
      supervisor: this.#supervisor,
      pool: this.#pool,
      config,
      canRefill: canRefill(protocol, table.n),
      isAtRest: () =>
        this.#supervisor.isQuiet() &&
        isConverged(this.#supervisor) &&
        !this.#supervisor.nodes().some(({ isFull }) => isFull),
      onScrubbed: (scrub) => this.#onScrubbed(scrub),
    })
    const near = marks && new NearCache(config.nearCacheBytes, marks)
    const watch = new CallWatch({ location: config.location, gateway: OWN_GATEWAY }, { isContext: false })
    const parts = { counters: this.#counters, watch, near, gateway: () => this.#seat.mirror }
    this.#client = new Client({ ...gatewayConfig, ...limits }, parts)
    this.#gateway = new GatewayActor({
      id: OWN_GATEWAY,
      config: gatewayConfig,
      table,
      clock,
      onReply: (id, outcome, now) => this.#seat.mirror.onReply(id, outcome, now),
      onStamped: (id, stamp) => this.#seat.mirror.onStamped(id, stamp),
      onAdopted: (keys) => this.#seat.mirror.onAdopted(keys),
      onRepair: ({ key, nodes, blocking }) =>
        this.#emit('repair', { node: OWN_GATEWAY, key: keyToBytes(key), nodes, blocking }),
      toSupervisor: (message) => this.#supervisor.onMail(OWN_GATEWAY, [message]),
      onLoad: () => undefined,
    })
    const { clusterId } = metadata
    const onGone = (isLost: boolean) => {
      if (isLost) this.#migration.onGuestLost()
      this.#replayBatches()
    }
    const { location } = config
    const common = { supervisor: this.#supervisor, config: gatewayConfig, limits, clock, marks, location }
    this.#host = new GatewayHost({ ...common, clusterId, onGone })
    const isOpen = () => this.#closing === undefined
    const own = { supervisor: this.#supervisor, location: config.location, isOpen }
    this.#shape = new ClusterShape({
      ...own,
      quorums: prepared.quorums,
      seeds: new Seeds(config),
      clockNs: () => clock.readNs(),
    })
    this.#backup = new ClusterBackup({ ...own, prepared })
    this.#seat = new Seat({
      gateway: this.#gateway,
      client: this.#client,
      calls: new WatchedCalls(this.#client, watch),
      counters: this.#counters,
      limits: config,
      settle: (id, outcome, now) => this.#client.settle(id, outcome, now),
      onOwed: (keys) => this.#migration.onOwed(keys),
      onDoubts: (doubts) => this.#migration.onDoubts(doubts),
    })
    this.#migration = migrationOf(prepared, {
      seat: this.#seat,
      client: this.#client,
      guests: this.#host,
      supervisor: this.#supervisor,
      counters: () => [this.#counters, ...this.#host.counters],
      isOpen,
      onChange: (status) => this.#emit('migration', status),
      onUnwritten: (error) => this.#onUnwritten(error),
    })
    this.faults = new ThreadFaults({ ...own, isAllowed: config.faults })
  }

  /** Errors: OPEN_FAILED. */
  async start(openedAtMs: number): Promise<void> {
    await this.#ceiling.start()
    await this.#supervisor.writeMetadata({ cleanShutdown: false })
    this.#supervisor.addGateway(OWN_GATEWAY, {
      attach: (peer, link) => this.#gateway.attach(peer, link),
      mail: (messages) => this.#gateway.onSupervisorMail(messages),
    })
    this.#supervisor.start(this.#prepared.wasUnclean)
    await untilOpen({
      supervisor: this.#supervisor,
      prepared: this.#prepared,
      openedAtMs,
      fatal: () => this.#fatal,
      openFailed: (why, cause) => this.openFailed(why, cause),
    })
    await this.#migration.resume()
    // On the disk before a first write can be acknowledged: what is still `creating` is thrown away by the next opening.
    if (this.#prepared.metadata.stage === 'creating') await this.#supervisor.writeMetadata({ stage: 'ready' })
    await this.#endEarlierBatches()
    this.#scrubber.start()
    this.#watch = setInterval(() => this.#watchConvergence(), 100)
    this.#watch.unref()
  }

  /** Logged batches of the process before: waited for only if they can end soon. */
  async #endEarlierBatches(): Promise<void> {
    this.#replayBatches()
    const endMs = nowMs() + REPLAY_MS
    while (this.#gateway.hasLateBatches && nowMs() < endMs) await delay(LOOK_MS)
  }

  /** Of gateways that are no more. There are none under `siblings`. */
  #replayBatches(): void {
    this.#isReplayed = true
    if (this.#closing !== undefined || this.#prepared.metadata.conflict === 'siblings') return
    const living = [this.#gateway.logOwner, ...this.#host.logOwners]
    const forgottenBefore = stampTimePart(BigInt(this.#supervisor.metadata.reapedBeforeNs ?? 0))
    this.#gateway.replayBatches({ living, forgottenBefore })
  }

  get = (...call: Parameters<Client['get']>) => this.#seat.door.get(...call)
  read = (...call: Parameters<Client['read']>) => this.#seat.door.read(...call)
  put = (...call: Parameters<Client['put']>) => this.#seat.door.put(...call)
  delete = (...call: Parameters<Client['delete']>) => this.#seat.door.delete(...call)
  getMany = (...call: Parameters<Client['getMany']>) => this.#seat.door.getMany(...call)
  batch = (...call: Parameters<Client['batch']>) => this.#seat.door.batch(...call)
  scan = (...call: Parameters<Client['scan']>) => this.#seat.door.scan(...call)
  locate = (...call: Parameters<Client['locate']>) => this.#seat.door.locate(...call)
  plan = (...call: Parameters<ClusterShape['plan']>) => (this.#seat.served ?? this.#shape).plan(...call)
  join = (...call: Parameters<ClusterShape['join']>) => (this.#seat.served ?? this.#shape).join(...call)
  promote = (...call: Parameters<ClusterShape['promote']>) => (this.#seat.served ?? this.#shape).promote(...call)
  leave = (...call: Parameters<ClusterShape['leave']>) => (this.#seat.served ?? this.#shape).leave(...call)
  backup = (...call: Parameters<ClusterBackup['backup']>) => (this.#seat.served ?? this.#backup).backup(...call)
  migrate = (...call: Parameters<ClusterMigration['migrate']>) => this.#migration.migrate(...call)
  abortMigration = () => this.#migration.abort()

  status(): ClusterStatus {
    const { status: migration } = this.#migration
    const status = this.#seat.served?.status() ?? this.#ownStatus()
    return migration === undefined ? status : { ...status, gateways: 1 + this.#host.count, migration }
  }

  #ownStatus(): ClusterStatus {
    return clusterStatus(this.#supervisor, {
      ...this.#prepared,
      gateways: 1 + this.#host.count,
      fillOf: this.#fills.of,
      fatal: this.#fatal,
      isClosing: this.#closing !== undefined,
    })
  }

  metrics(): ClusterMetrics {
    return clusterMetrics([this.#counters, ...this.#host.counters], { atMs: nowMs(), repairs: this.#repairs })
  }

  ring(): PartitionOwners[] {
    return this.#seat.served?.ring() ?? clusterRing(this.#supervisor.table)
  }

  views(): NodeView[] {
    if (this.#closing !== undefined) return []
    return this.#seat.served?.views() ?? nodeViews(this.#supervisor)
  }

  async versions(key: Bytes, options: { timeoutMs?: number } = {}): Promise<KeyVersions> {
    if (this.#closing !== undefined) throw new CoterieError('CLOSED')
    if (this.#seat.served !== undefined) return this.#seat.served.versions()
    return keyVersions(this.#supervisor, this.locate(key), { key: keyFromUser(key), ...options })
  }

  settled(options: { timeoutMs?: number } = {}): Promise<void> {
    if (this.#seat.served !== undefined) return this.#seat.served.settled(options)
    return whenSettled(options, {
      supervisor: this.#supervisor,
      isClosing: () => this.#closing !== undefined,
      lingering: () => this.#gateway.lingering + this.#host.lingering,
      status: () => this.status(),
    })
  }

  ticket(): Ticket {
    if (this.#closing !== undefined) throw new CoterieError('CLOSED')
    return this.#host.ticket()
  }

  async acceptLoss(partitions?: readonly number[]): Promise<void> {
    if (this.#closing !== undefined) throw new CoterieError('CLOSED')
    if (this.#seat.served !== undefined) return this.#seat.served.acceptLoss()
    if (partitions !== undefined && !Array.isArray(partitions))
      throw invalid('partitions', partitions, 'an array of partitions')
    const lost = this.status().partitionsLost
    for (const partition of partitions ?? [])
      checkWhole('partition', partition, 0, this.#prepared.table.rows.length - 1)
    this.#supervisor.acceptLoss(partitions ?? lost)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  async #close(): Promise<void> {
    const { config, folder, lock, clock } = this.#prepared
    this.#seat.door.close()
    this.#client.close()
    this.#host.endOrders({ forGood: true })
    await Promise.all([this.#backup.stop(), this.#shape.stop(), this.#migration.close()])
    const owed = () =>
      this.#gateway.running +
      this.#gateway.lingering +
      this.#seat.mirror.underWay +
      this.#host.lingering +
      nodesOwe(this.#supervisor)
    const isDrained = await drain(owed, Math.min(DRAIN_MS, config.closeTimeoutMs))
    const owesNothing = isDrained && this.#supervisor.isQuiet()
    this.#host.close()
    this.#gateway.close()
    await this.#seat.close()
    if (this.#watch !== undefined) clearInterval(this.#watch)
    this.#ceiling.stop()
    const scrubbed = this.#scrubber.stop()
    await this.#supervisor.stop(config.closeTimeoutMs)
    await this.#pool.close()
    await scrubbed
    try {
      await this.#ceiling.written
      if (this.#fatal === undefined) await this.#writeEnd(clock.readNs(), owesNothing)
      await folder.settled()
    } finally {
      await lock.release()
      this.#emit('close')
    }
  }

  async #writeEnd(nowNs: bigint, cleanShutdown: boolean): Promise<void> {
    try {
      await this.#prepared.folder.writeClock(nowNs)
      await this.#supervisor.writeMetadata({ cleanShutdown })
    } catch (error) {
      // Everything is closed all the same; the next opening takes this for a process that died, which is safe.
      if (!isDiskFull(error) && !isShortage(error)) throw error
      this.#emit('folder:full', { error: error as Error })
    }
  }

  openFailed(why: string, cause?: Error): CoterieError {
    return openFailed(this.#supervisor, this.#prepared.config.location, why, cause)
  }

  /**
   * On a full disk, or for want of a file descriptor, it is tried again at the next look. Of the clock: until then writes go up to the
   * old ceiling, then they are refused.
   */
  #onUnwritten(error: Error): void {
    if ((isDiskFull(error) || isShortage(error)) && this.#watch !== undefined) this.#emit('folder:full', { error })
    else this.#onFatal(error)
  }

  #onFatal(error: Error): void {
    if (this.#fatal !== undefined) return
    this.#fatal = error
    this.#emit('fatal', { error })
  }

  #onScrubbed(scrub: NodeScrub): void {
    const { node, tables, bytes, problems, error } = scrub
    const facts = this.#supervisor.factsOf(node)
    if (facts !== undefined && error === undefined)
      facts.lastScrub = { at: new Date().toISOString(), tables, bytes, problems: problems.length }
    this.#emit('scrub', scrub)
  }

  #watchConvergence(): void {
    const converged = isConverged(this.#supervisor)
    if (converged && !this.#isConverged) this.#emit('converged', { epoch: this.#supervisor.table.epoch })
    this.#isConverged = converged
  }

  #emit<Name extends keyof ClusterEvents>(name: Name, ...args: ClusterEvents[Name]): void {
    this.#repairs.onEvent(name, args[0])
    this.tell(name, ...args)
    publishEvent(this.#prepared.config.location, name, args)
  }
}
