/// <reference lib="esnext.disposable" preserve="true" />

/**
 * The public door as types: what `openCluster` and `connect` return. `cluster.ts` implements them.
 */

import type { ActorId, GatewayId, NodeId, PartitionId, Slot } from '../protocol/ids.js'
import type { MemberStatus } from '../protocol/membership/member-status.js'
import type { BackupOptions, BackupSummary } from './backup-shapes.js'
import type { ClusterEvents } from './cluster-events.js'
import type { CoterieErrorCode } from './errors.js'
import type { FaultCounts, Faults } from './fault-calls.js'
import type { MigrateOptions, MigrationStatus, MigrationSummary } from './migration-shapes.js'

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

/** A store folder that was moved aside. */
export interface Quarantine {
  /** Its path. */
  readonly folder: string
  /** For people. */
  readonly reason: string
  /** ISO 8601. */
  readonly at: string
}

/** How far a fill is. */
export interface FillStatus {
  /** To be filled, those that are included. Less where somebody else is to have them by now. */
  readonly partitions: number
  /** Of these, filled. */
  readonly partitionsDone: number
  /** Received so far. */
  readonly records: number
  /** Received so far. */
  readonly bytes: number
}

/** One node in `status()`. */
export interface NodeStatus {
  readonly id: NodeId
  /** A standby gets every write and serves nothing. */
  readonly role: 'member' | 'standby'
  /** `down`: given up for good, or the cluster is closed. */
  readonly status: MemberStatus
  /** Lives of the node in this process, from 1. */
  readonly incarnation: number
  /** Restarts since the cluster was opened. */
  readonly restarts: number
  /** Replicas owned. */
  readonly partitions: number
  /** Replicas being filled. */
  readonly pending: number
  /** While it receives records of others: how far that is, as the event `transfer:progress` said last. */
  readonly filling?: FillStatus
  /** Keys with a live value in its store. */
  readonly keys: number
  /** Messages waiting. */
  readonly mailbox: number
  /** By how many milliseconds its event loop was late, at most, in the last second or two. While it stands still: for how long it has. */
  readonly loopLagMs: number
  /** Bytes of its thread's JavaScript heap and buffers, of up to a second ago. LevelDB's own memory is not in it. */
  readonly memoryBytes: number
  /** Hints kept for others. */
  readonly hints: number
  /** Replicas that it has still to compare with its own, of those that it was told to. */
  readonly exchanging: number
  /** The table epoch it acts on; 0: it does not serve. */
  readonly epoch: number
  /** Of its worker thread; null: it has none. */
  readonly threadId: number | null
  /** The node and its store's identity: new whenever the store may have forgotten something. Null: not known yet. */
  readonly actor: ActorId | null
  /** Stores that were moved aside; the newest three folders are kept. */
  readonly quarantined: readonly Quarantine[]
  /** The last scrub of its tables, if there was one. */
  readonly lastScrub?: {
    readonly at: string
    readonly tables: number
    readonly bytes: number
    readonly problems: number
  }
  /** Its disk is full: it refuses writes and goes on reading; it is opened anew when there is room. */
  readonly storeFull: boolean
  /** Why the last life ended, if one did. */
  readonly lastExit?: { readonly code: number | null; readonly reason: string; readonly at: string }
  /** With `faults: true`: what injected faults have done in this life. */
  readonly faults?: FaultCounts
}

/** The cluster at one moment, from shared counters: nobody is asked. */
export interface ClusterStatus {
  /** The folder. */
  readonly location: string
  /** Of the partition table. */
  readonly epoch: number
  /** Every living member has the same table and the same view of the members, and no partition is being filled. */
  readonly converged: boolean
  /** As fixed at creation. */
  readonly partitions: number
  /** As fixed at creation. */
  readonly conflict: 'lww' | 'siblings'
  /** What counts now. */
  readonly replication: { readonly n: number; readonly r: number; readonly w: number }
  /** Partitions with a place being filled. */
  readonly partitionsMoving: number
  /** With `faults: true`: the links that are cut, each in one direction, until `heal`. */
  readonly cuts?: readonly { readonly from: readonly string[]; readonly to: readonly string[] }[]
  /** Partitions that say PARTITION_LOST; all of them while every node is down for good. */
  readonly partitionsLost: number[]
  /** Threads that call: the opener's, and those that have connected. */
  readonly gateways: number
  /**
   * Only after something went wrong that an operator must mend: the cluster folder cannot be written. Requests go on for as
   * long as they need nothing new there; then writes fail with CLOCK_UNAVAILABLE. Close the cluster and open it again.
   */
  readonly fatal?: string
  /** Only once it has been told to close: it takes no more requests. */
  readonly closing?: true
  /** It moves, or has moved, to another engine. */
  readonly migration?: MigrationStatus
  /** All that are members or standbys, also those that are down. */
  readonly nodes: NodeStatus[]
}

/** Who has a partition. */
export interface PartitionOwners {
  readonly partition: PartitionId
  /** Full owners by place, the primary first; null: nobody has the place. */
  readonly owners: readonly (NodeId | null)[]
  /** Nodes that are being filled to take a place. */
  readonly pending: readonly NodeId[]
  /** Owners change. */
  readonly moving: boolean
  /** It says PARTITION_LOST. */
  readonly lost: boolean
}

/** How one node sees the cluster. */
export interface NodeView {
  readonly node: NodeId
  /** The table epoch it acts on. */
  readonly epoch: number
  /** The members it has heard of, itself included. */
  readonly members: readonly { readonly id: NodeId; readonly status: MemberStatus; readonly incarnation: number }[]
}

/** What one replica holds of a key. */
export interface ReplicaVersions {
  readonly node: NodeId
  /** `owner`: of the preference list; `pending`: being filled to become one. */
  readonly role: 'owner' | 'pending' | 'standby'
  /** Its store was read. False: it has no thread, or did not answer in time. */
  readonly answered: boolean
  /** Its record's checksum is wrong. */
  readonly damaged: boolean
  /**
   * Newest first; none: it has nothing. More than one only under `conflict: 'siblings'`. The same `stamp` is the same version; of two, the
   * later one is greater as text. `at`: ISO 8601, of the cluster's clock. `valueBytes` null: a delete.
   */
  readonly versions: readonly { readonly stamp: string; readonly at: string; readonly valueBytes: number | null }[]
}

/** A key's way through the ring, and what there is at its end. */
export interface KeyVersions extends Location {
  /** In the order of the preference list; then those that are being filled, then standbys. */
  readonly replicas: readonly ReplicaVersions[]
}

/** What became of requests of one kind. */
export interface RequestMetrics {
  /** Also those that failed. */
  readonly ended: number
  /** Of these, with an error. */
  readonly failed: number
  /** The failed ones by code; codes that did not happen are left out. */
  readonly failures: Readonly<Partial<Record<CoterieErrorCode, number>>>
  /** What all of them took together, in microseconds: divided by `ended`, the mean. */
  readonly totalUs: number
  /**
   * How many took how long, also of those that failed: `[at most so many µs, requests]`, in order, buckets of 1/16. From the turn of the
   * event loop in which the call was made until its answer came; what a program waits before it calls is not in it.
   */
  readonly latencies: readonly (readonly [upToUs: number, requests: number])[]
}

/** What the cluster has mended by itself. */
export interface RepairMetrics {
  /** Keys brought up to date because a read saw that they were not. */
  readonly readRepairs: number
  /** Keys in which replicas differed that compared themselves. */
  readonly keysExchanged: number
  /** Hints that their owners, or those who took their places, have accepted. */
  readonly hintsHandedBack: number
}

/** Sums since the cluster was opened: take two, and what lies between them is the difference. */
export interface ClusterMetrics {
  /** Milliseconds on a clock of its own that never goes back. */
  readonly atMs: number
  /** Of this thread and of those that have connected. A page of a scan is a request, and each key of `getMany`. */
  readonly requests: Readonly<Record<'get' | 'put' | 'delete' | 'batch' | 'scan', RequestMetrics>>
  /** Of the gets, those whose caller's thread had kept the value (`nearCacheBytes`). They took 0 µs. */
  readonly nearCacheHits: number
  /** Of all nodes and gateways. */
  readonly repairs: RepairMetrics
}

/** One replica that is to be copied. */
export interface PlannedMove {
  readonly partition: PartitionId
  /** Who has the place now; null: nobody. */
  readonly from: NodeId | null
  /** Who gets it. */
  readonly to: NodeId
  /** What a replica of its owner takes on the disk, on the average. */
  readonly bytes: number
}

/** What a join or a leave would do. */
export interface ShapePlan {
  /** The ids that new nodes would get. */
  readonly joining: NodeId[]
  /** Those that were named. */
  readonly leaving: NodeId[]
  /** The fewest moves that leave no node above its share, ⌈partitions · n / nodes⌉, and none below ⌊partitions · n / nodes⌋. */
  readonly moves: PlannedMove[]
  /** Of all moves. */
  readonly bytes: number
  /** Replicas of each member afterwards. */
  readonly replicas: Readonly<Record<NodeId, number>>
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
