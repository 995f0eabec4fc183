/**
 * The cluster's own durable state, in `<location>/cluster`: what it is (metadata), who owns what (table), how far its clock
 * may have run (clock). Each in a file of its own with a spare generation (`checked-file.ts`).
 *
 * What may be believed when a newest file is damaged and only the one before it can be read:
 *
 * - **metadata**: usable. What never changes is the same in both; the rest is taken as the bad case: the cluster is
 *   `ready` (a spare that still says `creating` must not let anyone create over data), was not closed in order, and a
 *   node's store id may be an old one (that node is then refilled, which is safe).
 * - **clock**: usable with slack: CLOCK_SLACK_NS above the spare one, for the newest one was higher.
 * - **table**: its rows are *not* to be served. The lost epoch may have flipped rows, and an owner of before may lack writes
 *   since. The location is refused (LOCATION_DAMAGED) until the file is brought back.
 *
 * Called by `openCluster` and the supervisor, with the location locked. It never decides silently: `source` says which
 * generation was read.
 */

import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { NodeId } from '../protocol/ids.js'
import type { PartitionTable } from '../protocol/ring/table.js'
import type { ConflictMode } from '../protocol/versions/record.js'
import { CoterieError } from '../shared/errors.js'
import { CheckedFile, type ReadBody } from './checked-file.js'
import { clusterFolderOf } from './layout.js'
import { syncFolder } from './sync-folder.js'

/** Of everything below a location. A newer one is refused. */
export const CLUSTER_FORMAT = 1

/** What a spare clock is raised by: far more than two ceilings lie apart. */
export const CLOCK_SLACK_NS = 3_600_000_000_000n

/** A node as the cluster remembers it. */
export interface NodeEntry {
  readonly id: NodeId
  /**
   * `joining`, `leaving`: on the way in, or out, which goes on after a crash. `down`: for good; its store is a salvage at most.
   * `removed`: its id is not used again.
   */
  readonly status: 'joining' | 'member' | 'leaving' | 'down' | 'removed'
  /** What a node that joins, or a standby that is promoted, is to be; from then on the table tells. */
  readonly role?: 'member' | 'standby'
  /** The store that the table's full rows count on: a node that comes with another one has forgotten. */
  readonly storeId?: string
  /** How far a store had come when the cluster was last closed in order; it counts while that store is this node's. */
  readonly closed?: { readonly storeId: string; readonly sequence: number }
}

export interface ClusterMetadata {
  readonly formatVersion: number
  readonly clusterId: string
  /** ISO 8601. */
  readonly createdAt: string
  readonly partitions: number
  /** Copies of each partition as asked for at creation. */
  readonly n: number | 'all'
  readonly conflict: ConflictMode
  /** The smallest w that the cluster was ever opened with: what is refilled is read from n − wMin + 1 owners. */
  readonly wMin?: number
  /**
   * Nanoseconds of the cluster's clock: tombstones that every copy held by then may be gone. A store, or a backup, that was last
   * written to before that may hold what has been deleted since, and must not be merged into this cluster. Never falls.
   */
  readonly reapedBeforeNs?: string
  /**
   * `creating` until every node has its store: what lies here may be thrown away and made again. `restoring` until all of a backup
   * is in the stores: the same, but only by another restore, for an empty cluster is not what is expected here.
   */
  readonly stage: 'creating' | 'restoring' | 'ready'
  readonly nodes: readonly NodeEntry[]
  /** True from an orderly close to the next opening. */
  readonly cleanShutdown: boolean
}

/** A value and where it came from; see the header for what `'previous'` allows. */
export interface Loaded<T> {
  readonly source: 'newest' | 'previous'
  readonly value: T
}

/** What was read; undefined: there is none yet. */
export interface ClusterState {
  readonly metadata: Loaded<ClusterMetadata> | undefined
  /** `'damaged'`: both generations; ask the nodes' stores. */
  readonly table: Loaded<PartitionTable> | 'damaged' | undefined
  /** Stamps up to here may have been given out. Nanoseconds. `'damaged'`: both; take the highest stamp of the stores, or wall time. */
  readonly clockCeilingNs: Loaded<bigint> | 'damaged' | undefined
}

export class ClusterFolder {
  readonly folder: string
  readonly #metadata: CheckedFile
  readonly #table: CheckedFile
  readonly #clock: CheckedFile

  private constructor(folder: string) {
    this.folder = folder
    this.#metadata = new CheckedFile(join(folder, 'metadata.json'))
    this.#table = new CheckedFile(join(folder, 'table.json'))
    this.#clock = new CheckedFile(join(folder, 'clock.json'))
  }

  /**
   * Makes the folder if it is absent, and reads what is in it.
   *
   * Errors: LOCATION_DAMAGED if neither metadata can be read, or a table or clock is there without metadata;
   *         LOCATION_MISMATCH for a newer format; those of fs.
   */
  static async open(location: string): Promise<{ folder: ClusterFolder; state: ClusterState }> {
    const path = clusterFolderOf(location)
    await mkdir(path, { recursive: true })
    syncFolder(dirname(path))
    const folder = new ClusterFolder(path)
    return { folder, state: await folder.#read() }
  }

  /** Resolves once on the disk. Errors: those of fs. */
  writeMetadata(metadata: ClusterMetadata): Promise<void> {
    return this.#metadata.write(metadata)
  }

  /** Resolves once on the disk; only then may anyone learn of the epoch. Errors: those of fs. */
  writeTable(table: PartitionTable): Promise<void> {
    return this.#table.write(table)
  }

  /** Resolves once on the disk; only then may a stamp go up to it. Errors: those of fs. */
  writeClock(ceilingNs: bigint): Promise<void> {
    return this.#clock.write({ ceilingNs: ceilingNs.toString() })
  }

  /** Resolves once no write is under way. */
  async settled(): Promise<void> {
    await Promise.all([this.#metadata.settled(), this.#table.settled(), this.#clock.settled()])
  }

  async #read(): Promise<ClusterState> {
    const metadata = await this.#metadata.read()
    const table = await this.#table.read()
    const clock = await this.#clock.read()
    const hasOthers = table.source !== 'absent' || clock.source !== 'absent'
    if (metadata.source === 'damaged' || (metadata.source === 'absent' && hasOthers)) {
      const file = join(this.folder, 'metadata.json')
      throw new CoterieError('LOCATION_DAMAGED', `${file} is ${metadata.source}, and so is its spare`, { file })
    }
    return {
      metadata: loaded(metadata, metadataOf),
      table: table.source === 'damaged' ? 'damaged' : loaded(table, (body) => body as PartitionTable),
      clockCeilingNs: clock.source === 'damaged' ? 'damaged' : loaded(clock, ceilingOf),
    }
  }
}

function loaded<T>(read: ReadBody, decode: (body: unknown, source: Loaded<T>['source']) => T): Loaded<T> | undefined {
  return 'body' in read ? { source: read.source, value: decode(read.body, read.source) } : undefined
}

function metadataOf(body: unknown, source: 'newest' | 'previous'): ClusterMetadata {
  const metadata = body as ClusterMetadata
  if (metadata.formatVersion > CLUSTER_FORMAT) {
    const facts = { formatVersion: metadata.formatVersion, formatVersionMax: CLUSTER_FORMAT }
    throw new CoterieError('LOCATION_MISMATCH', 'the location was written by a newer version of Coterie', facts)
  }
  if (source === 'newest') return metadata
  // What was being made may have become a cluster since. Not what was being restored: it is written again while it is opened.
  const stage = metadata.stage === 'restoring' ? 'restoring' : 'ready'
  return { ...metadata, stage, cleanShutdown: false }
}

function ceilingOf(body: unknown, source: 'newest' | 'previous'): bigint {
  const ceilingNs = BigInt((body as { readonly ceilingNs: string }).ceilingNs)
  return source === 'newest' ? ceilingNs : ceilingNs + CLOCK_SLACK_NS
}
