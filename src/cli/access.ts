/**
 * The cluster that a command works on, wherever it is open: in the process that has the folder, over its control socket; or,
 * if nobody has it, here.
 */

import { readdir } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { RedisClusterOptions } from '../engines/redis-cluster/options.js'
import type { Cluster, KeyValueStore, Location } from '../shared/api.js'
import type { BackupOptions, BackupSummary, BulkProgress } from '../shared/backup-shapes.js'
import type { ClusterMetrics, ClusterStatus, PartitionOwners, ShapePlan } from '../shared/cluster-reports.js'
import { CoterieError } from '../shared/errors.js'
import type { MigrateOptions, MigrationSummary } from '../shared/migration-shapes.js'
import type { ClusterOptions } from '../shared/options.js'
import { ControlClient } from './control/control-client.js'
import { joinReplicas, withFillProgress } from './control/fill-progress.js'
import { EXIT, ExitError } from './exit-codes.js'
import { type RedisTarget, readRedisTarget } from './redis-target.js'

type OnProgress = (progress: BulkProgress) => void

export interface JoinOptions {
  readonly count?: number
  readonly role?: 'member' | 'standby'
  readonly from?: string
}

/** As `Cluster`, with promises where another process must be asked. */
export interface ClusterAccess extends Pick<KeyValueStore, 'get' | 'put' | 'delete' | 'batch' | 'scan'> {
  readonly isRemote: boolean
  locate(key: string): Promise<Location>
  status(): Promise<ClusterStatus>
  ring(): Promise<PartitionOwners[]>
  metrics(): Promise<ClusterMetrics>
  plan(change: { join?: number; leave?: readonly string[] }): Promise<ShapePlan>
  join(options: JoinOptions, onProgress: OnProgress): Promise<string[]>
  leave(node: string, onProgress: OnProgress): Promise<void>
  backup(dir: string, options: BackupOptions): Promise<BackupSummary>
  migrate(options: MigrateOptions): Promise<MigrationSummary>
  abortMigration(): Promise<{ readonly cleared: boolean }>
  crash(node: string, permanent: boolean): Promise<void>
  hang(node: string, ms: number): Promise<void>
  /** Of a cluster in another process: only the connection. */
  close(): Promise<void>
}

/** How long a command waits for another one that has the folder open, or for a `coterie start` that is opening it. */
const LOCKED_MS = 15_000
const LOCKED_LOOK_MS = 50

export interface AccessOptions {
  readonly mayCreate?: boolean
  /** A store in a Redis Cluster, not the folder. */
  readonly redis?: RedisTarget | undefined
}

/** Errors: `ExitError` where there is no cluster, unless it may be made; LOCATION_LOCKED; those of `openCluster`. */
export async function accessCluster(
  options: ClusterOptions,
  { mayCreate = false, redis }: AccessOptions = {},
): Promise<ClusterAccess> {
  if (redis !== undefined) return new OwnCluster(await openRedis(options, redis, mayCreate))
  const untilMs = performance.now() + LOCKED_MS
  for (;;) {
    const running = await ControlClient.connect(options.location)
    if (running !== undefined) {
      sayWhatDoesNotCount(options, running.pid)
      return running
    }
    if (!mayCreate) await checkIsThere(options.location)
    try {
      // Loaded when it is needed: who asks another process need not pay for LevelDB.
      const { openCluster } = await import('../index.js')
      return new OwnCluster(await openCluster(options))
    } catch (error) {
      if (!isLockedByCommand(error) || performance.now() > untilMs) throw error
      await delay(LOCKED_LOOK_MS)
    }
  }
}

/** What only the embedded engine knows is refused by the other. */
async function openRedis(
  { location: _, ...options }: ClusterOptions,
  target: RedisTarget,
  mayCreate: boolean,
): Promise<Cluster> {
  const to = await readRedisTarget(target)
  const { openRedisCluster } = await import('../engines/redis-cluster/open.js')
  const replication = { ...(options.replication as object), ...to.replication }
  try {
    return await openRedisCluster({ ...options, ...to, replication } as RedisClusterOptions, {
      createIfMissing: mayCreate,
      errorIfExists: false,
    })
  } catch (error) {
    if (!(error instanceof CoterieError) || error.facts['isMissing'] !== true) throw error
    throw new ExitError(
      EXIT.noCluster,
      `there is no store ${to.name ?? 'coterie'} there; \`coterie put\` or load makes it`,
    )
  }
}

/** Errors: `ExitError` if nobody has it open. */
export async function runningCluster(location: string): Promise<ControlClient> {
  const running = await ControlClient.connect(location)
  if (running !== undefined) return running
  throw new ExitError(
    EXIT.noCluster,
    `no cluster is running in ${location}; \`coterie start\` runs it, --location names another`,
  )
}

/** A cluster that is open stays as it was opened. */
function sayWhatDoesNotCount({ location, ...options }: ClusterOptions, pid: number): void {
  const names = Object.keys(options)
  if (names.length === 0) return
  process.stderr.write(`coterie: ${location} is open in process ${pid}; there, ${names.join(', ')} cannot be changed\n`)
}

/** A command that only looks must not leave a new cluster behind where the folder was misspelt. */
export async function checkIsThere(location: string): Promise<void> {
  if (await hasFiles(location)) return
  const message = `there is no cluster in ${location}; \`coterie start\` makes one, --location names another`
  throw new ExitError(EXIT.noCluster, message)
}

async function hasFiles(location: string): Promise<boolean> {
  try {
    return (await readdir(location)).length > 0
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}

/**
 * A command is soon done, and `coterie start` soon listens; a program that has the folder open keeps it. Who has not said yet who it
 * is, or no more, is about to open it or to let it go.
 */
function isLockedByCommand(error: unknown): boolean {
  if (!(error instanceof CoterieError) || error.code !== 'LOCATION_LOCKED') return false
  const holder = error.facts['holder'] as { command?: string } | undefined
  return holder === undefined || /^coterie\b/.test(holder.command ?? '')
}

/** Open in this process. */
class OwnCluster implements ClusterAccess {
  readonly isRemote = false
  readonly #cluster: Cluster

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  get: ClusterAccess['get'] = (...call) => this.#cluster.get(...call)
  put: ClusterAccess['put'] = (...call) => this.#cluster.put(...call)
  delete: ClusterAccess['delete'] = (...call) => this.#cluster.delete(...call)
  batch: ClusterAccess['batch'] = (...call) => this.#cluster.batch(...call)
  scan: ClusterAccess['scan'] = (...call) => this.#cluster.scan(...call)
  backup: ClusterAccess['backup'] = (...call) => this.#cluster.backup(...call)
  migrate: ClusterAccess['migrate'] = (options) => this.#cluster.migrate(options)
  abortMigration = () => this.#cluster.abortMigration()
  plan: ClusterAccess['plan'] = (change) => this.#cluster.plan(change)
  close = () => this.#cluster.close()

  async locate(key: string): Promise<Location> {
    return this.#cluster.locate(key)
  }

  async status(): Promise<ClusterStatus> {
    return this.#cluster.status()
  }

  async ring(): Promise<PartitionOwners[]> {
    return this.#cluster.ring()
  }

  async metrics(): Promise<ClusterMetrics> {
    return this.#cluster.metrics()
  }

  async join(options: JoinOptions, onProgress: OnProgress): Promise<string[]> {
    const replicas = await joinReplicas(this.#cluster, options)
    return withFillProgress(this.#cluster, { replicas, onProgress }, () => this.#cluster.join(options))
  }

  async leave(node: string, onProgress: OnProgress): Promise<void> {
    const replicas = (await this.#cluster.plan({ leave: node })).moves.length
    await withFillProgress(this.#cluster, { replicas, onProgress }, () => this.#cluster.leave(node))
  }

  crash(node: string, permanent: boolean): Promise<void> {
    return this.#cluster.faults.crash(node, { permanent })
  }

  hang(node: string, ms: number): Promise<void> {
    return this.#cluster.faults.hang(node, ms)
  }
}
