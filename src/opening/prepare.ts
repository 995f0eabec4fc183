/**
 * From a location to a cluster that can be started: locked, its metadata, table and clock read or made.
 *
 * It must never create over data: node folders without metadata are refused, and what was fixed at creation is compared
 * with what the caller says. Called by `openCluster`.
 */

import { randomInt, randomUUID } from 'node:crypto'
import { mkdir, readdir, realpath, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { createStampClock, type StampClock } from '../../actors/runtime/clock.js'
import type { NodeId } from '../protocol/ids.js'
import { planClaim } from '../protocol/ring/claim.js'
import { canRefill, MAJORITY, type Quorums } from '../protocol/ring/quorum.js'
import type { PartitionTable } from '../protocol/ring/table.js'
import { newTable } from '../protocol/supervision/reassignment.js'
import { CoterieError } from '../shared/errors.js'
import { type ClusterConfig, invalid, quorumsFor } from '../shared/options.js'
import {
  CLOCK_SLACK_NS,
  CLUSTER_FORMAT,
  ClusterFolder,
  type ClusterMetadata,
  type ClusterState,
} from '../storage/cluster-folder.js'
import { type LocationLock, lockLocation } from '../storage/cluster-lock.js'
import { nodeFolders } from '../storage/layout.js'
import { MigrationFile } from '../storage/migration-file.js'
import { type NativeDeath, type Suspicion, suspectsAfter } from '../storage/opening-marker.js'
import { clearSeeds } from './seed.js'

/** A cluster that is ready to be started. */
export interface Prepared {
  readonly config: ClusterConfig
  readonly lock: LocationLock
  readonly folder: ClusterFolder
  readonly metadata: ClusterMetadata
  readonly table: PartitionTable
  readonly clock: StampClock
  readonly quorums: Quorums
  /** Stores that may be damaged, by node. */
  readonly suspects: ReadonlyMap<NodeId, Suspicion>
  /** What it knows of a migration. */
  readonly migration: MigrationFile
  /** The last process did not close. */
  readonly wasUnclean: boolean
}

/** Small enough for seeds that are made from it to stay whole numbers. */
const SEED_DRAWN_MAX = 2 ** 31
const NODE_FOLDER = /^node\d+$/

/**
 * `restores`: there may be no cluster yet, and until its stage is `ready` nobody else takes it for one.
 * Errors: LOCATION_LOCKED, LOCATION_MISMATCH, LOCATION_DAMAGED, LOCATION_NOT_EMPTY, RESTORE_INCOMPLETE, INVALID_OPTION; OPEN_FAILED for
 * those of the file system.
 */
export async function prepare(
  options: ClusterConfig,
  { death, restores = false }: { readonly death?: NativeDeath | undefined; readonly restores?: boolean } = {},
): Promise<Prepared> {
  const seed = options.seed === 0 ? randomInt(1, SEED_DRAWN_MAX) : options.seed
  const config = { ...options, location: await makeFolder(resolve(options.location)), seed }
  const lock = await lockLocation(config.location)
  try {
    const { folder, state } = await ClusterFolder.open(config.location)
    const stage = state.metadata?.value.stage ?? 'creating'
    const isNew = stage !== 'ready'
    const { location } = config
    if (restores && !isNew)
      throw new CoterieError('LOCATION_NOT_EMPTY', `there is a cluster in ${location} already`, { location })
    if (stage === 'restoring' && !restores) {
      const message = `a restore into ${location} did not come to its end; restore into it again, or delete it`
      throw new CoterieError('RESTORE_INCOMPLETE', message, { location })
    }
    const settled = isNew
      ? await create(config, { folder, state, stage: restores ? 'restoring' : 'creating' })
      : reopen(config, state)
    const { table } = settled
    const quorums = quorumsOf(config, settled)
    const wMin = quorums.wFill
    const metadata = wMin === MAJORITY ? settled.metadata : { ...settled.metadata, wMin }
    // On disk before a write can be acknowledged by so few.
    if (metadata.wMin !== settled.metadata.wMin) await folder.writeMetadata(metadata)
    const clock = createStampClock(storedCeilingNs(state))
    const nodes = isNew ? [] : metadata.nodes.filter(({ status }) => status !== 'removed').map(({ id }) => id)
    await clearRemoved(config.location, metadata)
    await clearSeeds(config.location)
    const suspects = suspectsAfter(death, {
      location: config.location,
      nodes,
      maySetAside: canRefill(quorums, table.n),
    })
    const wasUnclean = !isNew && !metadata.cleanShutdown
    const migration = await MigrationFile.open(config.location)
    return { config, lock, folder, metadata, table, clock, quorums, suspects, migration, wasUnclean }
  } catch (error) {
    await lock.release()
    throw error
  }
}

/** Errors: INVALID_OPTION for an r or w above the copies that there are. */
function quorumsOf(
  config: ClusterConfig,
  { metadata, table }: { readonly metadata: ClusterMetadata; readonly table: PartitionTable },
): Quorums {
  const { r, w } = quorumsFor(table.n, config)
  const { n, wMin } = metadata
  if (n !== 'all') return { n: table.n, r, w, wFill: Math.min(w, wMin ?? w) }
  // What is not said follows the members. A majority is less than nothing that was ever said for certain: see `holdersNeeded`.
  const wSaid = Math.min(config.w ?? Number.POSITIVE_INFINITY, wMin ?? Number.POSITIVE_INFINITY)
  return { n, r: config.r ?? MAJORITY, w: config.w ?? MAJORITY, wFill: Number.isFinite(wSaid) ? wSaid : MAJORITY }
}

/**
 * The folder by its real path: by another way to it (a link) the locks of this process, LevelDB's too, would not know it
 * again, and it would be opened twice.
 */
async function makeFolder(location: string): Promise<string> {
  try {
    await mkdir(location, { recursive: true })
    return await realpath(location)
  } catch (cause) {
    throw new CoterieError('OPEN_FAILED', `the folder ${location} cannot be made`, { location }, { cause })
  }
}

/** A new cluster, or one whose creation (or restoring) was interrupted: no store of it was ever used. */
async function create(
  config: ClusterConfig,
  { folder, state, stage }: { folder: ClusterFolder; state: ClusterState; stage: ClusterMetadata['stage'] },
): Promise<{ metadata: ClusterMetadata; table: PartitionTable }> {
  if (config.n !== 'all' && config.said.has('n') && config.n > config.nodes) {
    throw invalid('replication.n', config.n, `at most the number of nodes, which is ${config.nodes}`)
  }
  const ids = Array.from({ length: config.nodes }, (_, index) => `node${index + 1}`)
  const standbys = Array.from({ length: config.standbys }, (_, index) => `node${config.nodes + index + 1}`)
  await clearUnused(config.location, state)
  const n = config.n === 'all' ? config.nodes : Math.min(config.n, config.nodes)
  quorumsFor(n, config)
  const { rows } = planClaim({ partitions: config.partitions, n, members: ids })
  const table = newTable(rows, n, standbys)
  const metadata: ClusterMetadata = {
    formatVersion: CLUSTER_FORMAT,
    clusterId: randomUUID(),
    createdAt: new Date().toISOString(),
    partitions: config.partitions,
    n: config.n === 'all' ? 'all' : n,
    conflict: config.conflict,
    stage,
    nodes: [...ids, ...standbys].map((id) => ({ id, status: 'member' as const })),
    cleanShutdown: false,
  }
  await folder.writeMetadata(metadata)
  await folder.writeTable(table)
  return { metadata, table }
}

/** What an interrupted creation left is thrown away; what nobody knows of is not touched. */
async function clearUnused(location: string, state: ClusterState): Promise<void> {
  const found = (await readdir(location)).filter((name) => NODE_FOLDER.test(name))
  if (found.length === 0) return
  if (state.metadata === undefined) {
    const facts = { location, nodes: found }
    throw new CoterieError(
      'LOCATION_DAMAGED',
      `${location} has nodes (${found.join(', ')}) but no cluster/metadata.json`,
      facts,
    )
  }
  for (const node of found) await rm(nodeFolders(location, node).folder, { recursive: true, force: true })
}

/** Who left is no member; the process may have ended before its store was deleted. */
async function clearRemoved(location: string, { nodes }: ClusterMetadata): Promise<void> {
  for (const { id, status } of nodes)
    if (status === 'removed') await rm(nodeFolders(location, id).folder, { recursive: true, force: true })
}

function reopen(config: ClusterConfig, state: ClusterState): { metadata: ClusterMetadata; table: PartitionTable } {
  const metadata = state.metadata?.value
  const { table } = state
  if (metadata === undefined || table === undefined || table === 'damaged' || table.source !== 'newest') {
    // The lost epoch may have moved partitions: serving by the one before could answer from an owner that lacks writes.
    const file = 'cluster/table.json'
    throw new CoterieError(
      'LOCATION_DAMAGED',
      `${file} of ${config.location} cannot be read; bring it back from a copy`,
      { file },
    )
  }
  const fixed = { partitions: metadata.partitions, n: metadata.n, conflict: metadata.conflict }
  for (const [name, was] of Object.entries(fixed)) {
    const asked = config[name as keyof typeof fixed]
    if (!config.said.has(name) || asked === was) continue
    const facts = { option: name, asked, was }
    throw new CoterieError(
      'LOCATION_MISMATCH',
      `\`${name}\` is ${asked}, but the cluster was created with ${was}`,
      facts,
    )
  }
  return { metadata, table: table.value }
}

function storedCeilingNs(state: ClusterState): bigint {
  const stored = state.clockCeilingNs
  if (stored === undefined) return 0n
  return stored === 'damaged' ? BigInt(Date.now()) * 1_000_000n + CLOCK_SLACK_NS : stored.value
}
