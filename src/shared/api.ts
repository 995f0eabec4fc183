/// <reference lib="esnext.disposable" preserve="true" />

/**
 * The public door as types: what `openCluster` and `connect` return. `open-cluster.ts` and the engines implement them.
 */

import type { GatewayId, NodeId, PartitionId, Slot } from '../protocol/ids.js'
import type { BackupOptions, BackupSummary } from './backup-shapes.js'
import type { ClusterEvents } from './cluster-events.js'
import type {
  ClusterMetrics,
  ClusterStatus,
  KeyVersions,
  NodeView,
  PartitionOwners,
  ShapePlan,
} from './cluster-reports.js'
import type { Faults } from './fault-calls.js'
import type { MigrateOptions, MigrationSummary } from './migration-shapes.js'

/** Text (UTF-8) or bytes. */
export type Bytes = string | Uint8Array

/** Options of a read. */
export interface GetOptions {
  /** Owners that must answer, 1 … n; default the cluster's r. */
  readonly r?: number
  /**
   * Count the first n healthy nodes instead of the owners only (Dynamo §4.6). A stand-in without a hint of the key answers that
   * there is nothing: `undefined` can be wrong. Default false.
   */
  readonly sloppy?: boolean
  /** Deadline, in milliseconds from the call; default `readTimeoutMs`. No longer than `tombstoneGraceMs`. */
  readonly timeoutMs?: number
}

/** Options of a write. */
export interface PutOptions {
  /** Owners that must accept, 1 … n; default the cluster's w. */
  readonly w?: number
  /** Healthy nodes that are no owners may stand in; they hand the write over later. Default false. No effect under `conflict: 'siblings'`. */
  readonly sloppy?: boolean
  /** What `read` gave: the write supersedes exactly those values. Only matters under `conflict: 'siblings'`. */
  readonly context?: string
  /** Deadline, in milliseconds from the call; default `writeTimeoutMs`. No longer than `tombstoneGraceMs`. */
  readonly timeoutMs?: number
}

/** One operation of a batch. Of one key named twice the last counts. */
export type BatchOperation =
  | { readonly type: 'put'; readonly key: Bytes; readonly value: Bytes }
  | { readonly type: 'del'; readonly key: Bytes }

/** Options of `batch`. */
export interface BatchOptions {
  /** As for put, for each partition. */
  readonly w?: number
  /** As for put. */
  readonly sloppy?: boolean
  /** As for put. */
  readonly timeoutMs?: number
  /**
   * True: the batch takes effect as a whole or not at all, in the end, whoever dies in between; it costs one more write to a majority
   * before the batch, and a delete after it. False (default): each partition's part does so for itself. Of `conflict: 'lww'` only.
   */
  readonly logged?: boolean
}

/** A range in byte order. Without bounds: everything. */
export interface ScanOptions {
  /** Keys above this. Not together with `gte`. */
  readonly gt?: Bytes
  /** This key and those above. */
  readonly gte?: Bytes
  /** Keys below this. Not together with `lte`. */
  readonly lt?: Bytes
  /** This key and those below. */
  readonly lte?: Bytes
  /** From the highest key down. Default false. */
  readonly reverse?: boolean
  /** Pairs at most; default: all. */
  readonly limit?: number
  /** As for get; default the cluster's r. */
  readonly r?: number
  /** Deadline of each page, in milliseconds; default: five times `readTimeoutMs`. */
  readonly timeoutMs?: number
}

/** All concurrent values and the causal context to put with. */
export interface ReadResult {
  /** None: there is no such key. More than one only under `conflict: 'siblings'`. */
  readonly values: Uint8Array[]
  /** Opaque; for a put or delete of this key, in this cluster. */
  readonly context: string
}

/** Where a key lives. */
export interface Location {
  /** 0 … 16,383: CRC16 of the key, or of what stands between its first `{` and the next `}`, as in Redis Cluster. */
  readonly slot: Slot
  /** 0 … partitions − 1. */
  readonly partition: PartitionId
  /** The preference list: full owners, primary first. */
  readonly owners: NodeId[]
}

/**
 * The calls on keys: the opener's cluster has them, and what `connect` gives to other threads.
 *
 * Shape:  keys and values are text or bytes; what is passed in is copied, what comes back is the caller's.
 * Errors: any call rejects with a `CoterieError`; CLOSED after `close()`, INVALID_KEY, INVALID_OPTION, OVERLOADED from all of them.
 */
export interface KeyValueStore {
  /** The id of this thread's gateway, `gateway1` for the opener's: what `cluster.faults` calls this end of its links. */
  readonly id: GatewayId
  /**
   * The value of a key; of siblings, the newest.
   *
   * Shape:  `undefined`: there is no such key.
   * Errors: TIMEOUT, QUORUM_UNAVAILABLE, PARTITION_LOST, STORE_FAILED. A read that failed changed nothing.
   */
  get(key: Bytes, options?: GetOptions): Promise<Uint8Array | undefined>
  /** All concurrent values of a key, and the causal context to put with. Errors: as for get. */
  read(key: Bytes, options?: GetOptions): Promise<ReadResult>
  /**
   * Writes a key; resolves once w owners have accepted it.
   *
   * Errors: OUTCOME_UNKNOWN: it may or may not take effect. Every other code is definite, it has not and will not: INVALID_VALUE,
   *         INVALID_CONTEXT, TIMEOUT, QUORUM_UNAVAILABLE, PARTITION_LOST, STORE_FAILED, SIBLINGS_LIMIT, CLOCK_UNAVAILABLE.
   */
  put(key: Bytes, value: Bytes, options?: PutOptions): Promise<void>
  /** Deletes a key, also one that is not there. Under `siblings`, without a context, what its coordinator sees. Errors: as for put. */
  delete(key: Bytes, options?: PutOptions): Promise<void>
  /**
   * The values of many keys, each read as by get.
   *
   * Shape:  in the order of the keys. More than 4,096 (or `requestsInFlightMax`) are read in windows, all within one deadline.
   * Errors: as for get; one key that fails rejects the call.
   */
  getMany(keys: readonly Bytes[], options?: GetOptions): Promise<(Uint8Array | undefined)[]>
  /**
   * Writes and deletes several keys with one stamp; atomic for each partition, not isolated. `logged` makes it all or nothing in the end.
   *
   * Errors: as for put. After OUTCOME_UNKNOWN some keys may be written and others not; of a logged batch, all of them in the end, or none.
   */
  batch(operations: readonly BatchOperation[], options?: BatchOptions): Promise<void>
  /**
   * Pairs of a range in byte order, over all partitions. No snapshot: what is written meanwhile may be seen.
   *
   * Shape:  `[key, value]`; each key once. Pages are read as they are wanted.
   * Errors: as for get, from the step that needs the page; also for wrong options.
   */
  scan(options?: ScanOptions): AsyncIterableIterator<[Uint8Array, Uint8Array]>
  /** Where a key lives, at once, from this thread's table. Errors: throws INVALID_KEY. */
  locate(key: Bytes): Location
  /**
   * Ends it. Idempotent. Requests in flight have up to a second; a cluster then stops its nodes, by force after `closeTimeoutMs`. Every
   * promise that is still open settles.
   */
  close(): Promise<void>
  /** `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>
}

/** Plain data for another thread of this process (workerData or postMessage): `connect(ticket)` there. Keep it secret, and as it is. */
export interface Ticket {
  readonly coterie: 1
  readonly clusterId: string
  readonly threadId: number
  readonly secret: string
}

/** An open cluster: the calls on keys, and its management. */
export interface Cluster extends KeyValueStore {
  /** How the cluster and each node are, at once; wakes nobody. Also after `close()`: its nodes are `down` then. */
  status(): ClusterStatus
  /** Sums since the opening: requests by kind with their latencies, repairs. Take two for what lies between them. */
  metrics(): ClusterMetrics
  /** Who has each partition, in the order of the partitions. */
  ring(): PartitionOwners[]
  /** How each node that runs sees the cluster, at once; wakes nobody. Of one that stands still: how it saw it last. */
  views(): NodeView[]
  /**
   * What each replica's own store holds of a key, side by side: nothing is merged and nothing repaired. It asks the nodes by the
   * supervisor's way, which no cut closes: for people and tests, not for every request.
   *
   * Errors: INVALID_KEY, INVALID_OPTION, CLOSED. A replica that does not answer is told of, and fails nothing.
   */
  versions(key: Bytes, options?: { timeoutMs?: number }): Promise<KeyVersions>
  /** Calls the listener at each event of that name. */
  on<Name extends keyof ClusterEvents>(name: Name, listener: (...args: ClusterEvents[Name]) => void): this
  /** Calls the listener at the next event of that name. */
  once<Name extends keyof ClusterEvents>(name: Name, listener: (...args: ClusterEvents[Name]) => void): this
  /** Takes a listener away. */
  off<Name extends keyof ClusterEvents>(name: Name, listener: (...args: ClusterEvents[Name]) => void): this
  /**
   * Resolves once no node is on its way back, hints are drained, fills and exchanges done, and gossip has converged. Lost
   * partitions are not waited for. Without `timeoutMs` it waits for as long as that takes.
   *
   * Errors: TIMEOUT, whose `facts.awaited` says what it waits for; NODE_NOT_RUNNING if every node is down for good; CLOSED.
   */
  settled(options?: { timeoutMs?: number }): Promise<void>
  /** For `connect` in other threads; each may use it, while the cluster is open. Errors: throws CLOSED. */
  ticket(): Ticket
  /** What joins and leaves would move; nothing is changed. Errors: INVALID_OPTION, UNKNOWN_NODE, TOO_FEW_NODES, CLOSED. */
  plan(change?: { join?: number; leave?: NodeId | readonly NodeId[] }): Promise<ShapePlan>
  /**
   * New nodes (default one, members), under ids that were never used. A standby gets every write and serves nothing until it is
   * promoted, by hand or when another is down for good. Resolves with them once each owns its share; the cluster serves
   * meanwhile, and what was begun goes on after a crash. `from`: a backup of this very cluster, of which the store of a standby is
   * made (where every node is a full copy, of a member too); it is then sent only what has changed since.
   * Errors: INVALID_OPTION, JOIN_FAILED, CLOSED; with `from` BACKUP_INCOMPLETE, BACKUP_DAMAGED, BACKUP_MISMATCH.
   */
  join(options?: { count?: number; role?: 'member' | 'standby'; from?: string }): Promise<NodeId[]>
  /**
   * A standby becomes a member: it gets its share of the partitions, and compares them instead of being sent them.
   * Resolves once it is; goes on after a crash. Errors: UNKNOWN_NODE, INVALID_OPTION (it is no standby), NODE_NOT_RUNNING (it went
   * down for good meanwhile), CLOSED.
   */
  promote(node: NodeId): Promise<void>
  /**
   * The node's partitions go to the others, then it goes, and its store is deleted. Also one that is down for good.
   * Resolves once it is no member. Errors: UNKNOWN_NODE, TOO_FEW_NODES, CLOSED.
   */
  leave(node: NodeId): Promise<void>
  /**
   * One consistent cut over all nodes, written into a new or empty folder while the cluster serves: whatever was acknowledged
   * before the cut is in it, and everything that it followed. See the README, "Backup and restore".
   * Errors: INVALID_OPTION, BACKUP_NOT_EMPTY, BACKUP_FAILED, CLOSED.
   */
  backup(dir: string, options?: BackupOptions): Promise<BackupSummary>
  /**
   * Moves the cluster to a store of another engine while it serves, and goes on with it through this very door. Goes on where it was
   * after a death. See the README, "Moving to Redis Cluster".
   *
   * Errors: INVALID_OPTION, MIGRATION_TARGET_UNREACHABLE, MIGRATION_TARGET_NOT_EMPTY, MIGRATION_UNDER_WAY (to another target),
   *         MIGRATION_STOPPED, MIGRATED (it is done), CLOSED; what `onProgress` throws.
   */
  migrate(options?: MigrateOptions): Promise<MigrationSummary>
  /**
   * Ends a migration that is under way; nothing if there is none. `cleared`: false if the target could not be reached, and keeps what it was
   * given until another migration fills it. Errors: MIGRATED (there is no way back), CLOSED.
   */
  abortMigration(): Promise<{ readonly cleared: boolean }>
  /**
   * Gives up what stores that are gone may have held, so that lost partitions serve again. Default: all lost ones. Of the
   * partitions named, those that are not lost now are left out: a loss cannot be accepted before it happens.
   * Errors: INVALID_OPTION, CLOSED.
   */
  acceptLoss(partitions?: readonly PartitionId[]): Promise<void>
  /** Injected faults; every call rejects with FAULTS_DISABLED unless `faults: true`. */
  readonly faults: Faults
}
