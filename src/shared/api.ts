/// <reference lib="esnext.disposable" preserve="true" />

/**
 * The public door as types: what `openCluster` and `connect` return. `cluster.ts` implements them.
 */

import type { ActorId, GatewayId, NodeId, PartitionId, Slot } from '../protocol/ids.js'
import type { MemberStatus } from '../protocol/membership/member-status.js'
import type { ClusterEvents } from './cluster-events.js'
import type { Failpoint } from './failpoints.js'
import type { ClusterOptions } from './options.js'

/** Text (UTF-8) or bytes. */
export type Bytes = string | Uint8Array

export interface GetOptions {
  /** Owners that must answer; default the cluster's r. */
  readonly r?: number
  /**
   * Count the first n healthy nodes instead of the owners only (Dynamo §4.6). A stand-in without a hint of the key answers that
   * there is nothing: `undefined` can be wrong.
   */
  readonly sloppy?: boolean
  readonly timeoutMs?: number
}

export interface PutOptions {
  /** Owners that must accept; default the cluster's w. */
  readonly w?: number
  readonly sloppy?: boolean
  /** What `read` gave: the write supersedes exactly those values. Only matters under `conflict: 'siblings'`. */
  readonly context?: string
  readonly timeoutMs?: number
}

export type BatchOperation =
  | { readonly type: 'put'; readonly key: Bytes; readonly value: Bytes }
  | { readonly type: 'del'; readonly key: Bytes }

export interface BatchOptions {
  readonly w?: number
  readonly sloppy?: boolean
  readonly timeoutMs?: number
  /**
   * True: the batch takes effect as a whole or not at all, in the end, whoever dies in between; it costs one more write to a majority
   * before the batch, and a delete after it. False (default): each partition's part does so for itself. Of `conflict: 'lww'` only.
   */
  readonly logged?: boolean
}

/** A range in byte order. */
export interface ScanOptions {
  readonly gt?: Bytes
  readonly gte?: Bytes
  readonly lt?: Bytes
  readonly lte?: Bytes
  readonly reverse?: boolean
  /** Pairs at most; default: all. */
  readonly limit?: number
  /** As for get; default the cluster's r. */
  readonly r?: number
  /** Deadline of each page; default: five times `readTimeoutMs`. */
  readonly timeoutMs?: number
}

/** All concurrent values and the causal context to put with. */
export interface ReadResult {
  readonly values: Uint8Array[]
  readonly context: string
}

/** Where a key lives. */
export interface Location {
  readonly slot: Slot
  readonly partition: PartitionId
  /** The preference list: full owners, primary first. */
  readonly owners: NodeId[]
}

/** What every entry point offers: the opener's cluster, and `connect` in other threads. */
export interface KeyValueStore {
  /** The id of this thread's gateway, `gateway1` for the opener's: what `cluster.faults` calls this end of its links. */
  readonly id: GatewayId
  get(key: Bytes, options?: GetOptions): Promise<Uint8Array | undefined>
  read(key: Bytes, options?: GetOptions): Promise<ReadResult>
  put(key: Bytes, value: Bytes, options?: PutOptions): Promise<void>
  delete(key: Bytes, options?: PutOptions): Promise<void>
  getMany(keys: readonly Bytes[], options?: GetOptions): Promise<(Uint8Array | undefined)[]>
  batch(operations: readonly BatchOperation[], options?: BatchOptions): Promise<void>
  scan(options?: ScanOptions): AsyncIterableIterator<[Uint8Array, Uint8Array]>
  locate(key: Bytes): Location
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** A store folder that was moved aside. */
export interface Quarantine {
  readonly folder: string
  readonly reason: string
  readonly at: string
}

/** How far a fill is. */
export interface FillStatus {
  /** To be filled, those that are included. Less where somebody else is to have them by now. */
  readonly partitions: number
  readonly partitionsDone: number
  /** Received so far. */
  readonly records: number
  readonly bytes: number
}

/** One node in `status()`. */
export interface NodeStatus {
  readonly id: NodeId
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
  /** Hints kept for others. */
  readonly hints: number
  /** The table epoch it acts on. */
  readonly epoch: number
  readonly threadId: number | null
  readonly actor: ActorId | null
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

/** Messages that were lost (cuts included), held back, doubled, overtaken; store operations and reads that were slowed. */
export interface FaultCounts {
  readonly dropped: number
  readonly delayed: number
  readonly duplicated: number
  readonly reordered: number
  readonly slowed: number
}

export interface ClusterStatus {
  readonly location: string
  readonly epoch: number
  /** Every living member has the same table and the same view of the members, and no partition is being filled. */
  readonly converged: boolean
  readonly partitions: number
  readonly replication: { readonly n: number; readonly r: number; readonly w: number }
  /** Partitions with a place being filled. */
  readonly partitionsMoving: number
  /** Partitions that say PARTITION_LOST; all of them while every node is down for good. */
  readonly partitionsLost: number[]
  readonly gateways: number
  /**
   * Only after something went wrong that an operator must mend: the cluster folder cannot be written. Requests go on for as
   * long as they need nothing new there; then writes fail with CLOCK_UNAVAILABLE. Close the cluster and open it again.
   */
  readonly fatal?: string
  readonly nodes: NodeStatus[]
}

/** One replica that is to be copied. */
export interface PlannedMove {
  readonly partition: PartitionId
  /** Who has the place now; null: nobody. */
  readonly from: NodeId | null
  readonly to: NodeId
  /** What a replica of its owner takes on the disk, on the average. */
  readonly bytes: number
}

/** What a join or a leave would do. */
export interface ShapePlan {
  readonly joining: NodeId[]
  readonly leaving: NodeId[]
  /** The fewest moves that leave no node above its share, ⌈partitions · n / nodes⌉, and none below ⌊partitions · n / nodes⌋. */
  readonly moves: PlannedMove[]
  /** Of all moves. */
  readonly bytes: number
  /** Replicas of each member afterwards. */
  readonly replicas: Readonly<Record<NodeId, number>>
}

/** How far a backup, a restore or a verification is. */
export interface BulkProgress {
  /** For people: `node3`, `merging`, … */
  readonly phase: string
  readonly records: number
  readonly bytes: number
  /** 0 … 1, more or less. */
  readonly share: number
}

export interface BackupOptions {
  readonly onProgress?: (progress: BulkProgress) => void
  /** Writes stop for no longer than this (default 1,000; 10 … 60,000). Who has not confirmed the freeze by then is left out. */
  readonly freezeTimeoutMs?: number
}

/** A backup that is whole. */
export interface BackupSummary {
  readonly dir: string
  /** Of the cut, ISO 8601. */
  readonly at: string
  /** Whose stores are in it. */
  readonly nodes: readonly NodeId[]
  readonly leftOut: readonly { readonly node: NodeId; readonly reason: string }[]
  /** Of all stores together: each record about n times. */
  readonly records: number
  readonly bytes: number
  /** For so long writes stopped, at most. */
  readonly frozenMs: number
  readonly tookMs: number
}

/** As for `openCluster`, where `location` is new; what is not said is as it was in the backup. */
export interface RestoreOptions extends ClusterOptions {
  readonly onProgress?: (progress: BulkProgress) => void
  /** Databases that are not to be used, because they are damaged; only where the others are enough. */
  readonly without?: readonly NodeId[]
}

/** What verifying found in one store, or one database of a backup. */
export interface VerifiedPart {
  readonly node: NodeId
  readonly files: number
  readonly records: number
  readonly hints: number
  readonly bytes: number
  readonly problems: readonly string[]
}

export interface Verification {
  readonly kind: 'backup' | 'cluster'
  readonly dir: string
  /** Nothing is wrong. */
  readonly ok: boolean
  readonly parts: readonly VerifiedPart[]
  /** What is wrong with the whole. Those of the parts are with them. */
  readonly problems: readonly string[]
  /** What is worth knowing and mends itself, or is no damage. */
  readonly notes: readonly string[]
}

/** One node or gateway, or several. A gateway's is the `id` of its store. */
export type Ids = NodeId | GatewayId | readonly (NodeId | GatewayId)[]

/** Injected faults: each resolves once it is in effect. Only with `faults: true`. */
export interface Faults {
  /**
   * The thread ends at once. In the pause before a restart there is none: the pause goes on. `permanent`: it is not restarted; its
   * partitions are reassigned.
   */
  crash(node: NodeId, options?: { permanent?: boolean }): Promise<void>
  /** An endless loop of `ms` milliseconds. */
  hang(node: NodeId, ms: number): Promise<void>
  /** The thread stands still for `ms` milliseconds without using the CPU. */
  pause(node: NodeId, ms: number): Promise<void>
  /** Ends the node, deletes its store, starts it again (a node that is down for good stays down). */
  wipe(node: NodeId): Promise<void>
  /** Ends the node, flips bytes in its files, starts it again (a node that is down for good stays down). */
  corrupt(node: NodeId): Promise<void>
  // From here on: until `heal`. Those of links treat each message by itself; rules for the same link add up.
  /** No message passes between one side and the other. Links to the supervisor are never cut: it is the process itself. */
  cut(idsA: Ids, idsB: Ids): Promise<void>
  /** No message passes from the one to the other; the way back is open. */
  cutOneWay(from: Ids, to: Ids): Promise<void>
  /** Messages arrive `ms` and up to `jitterMs` later, in their order. */
  delay(from: Ids, to: Ids, options: { ms: number; jitterMs?: number }): Promise<void>
  /** This share of the messages (0 … 1) is lost. */
  drop(from: Ids, to: Ids, options: { share: number }): Promise<void>
  /** This share of the messages arrives twice. */
  duplicate(from: Ids, to: Ids, options: { share: number }): Promise<void>
  /** This share of the messages is held back for `ms` and overtaken by later ones. */
  reorder(from: Ids, to: Ids, options: { share: number; ms: number }): Promise<void>
  /** A slow disk: what the node's store does, and reads of it, take `ms` longer. The thread is not blocked. */
  slow(node: NodeId, options: { ms: number }): Promise<void>
  /** The node's wall clock is wrong by `ms` (may be negative). Stamps and deadlines do not come from it. */
  skewClock(node: NodeId, ms: number): Promise<void>
  /** The node's disk is as good as full: its store takes no writes until `heal`. */
  fillDisk(node: NodeId): Promise<void>
  /**
   * The thread ends when it comes by that point for the `nth` time (default 1, counted over its lives), once: just before it
   * handles a message, or says one. What it has not sent by then goes with it; what its store is doing may be done.
   */
  failpoint(node: NodeId, point: Failpoint, options?: { nth?: number }): Promise<void>
  /** Ends every fault that is still in effect. With ids: only those of links between the one side and the other. */
  heal(idsA?: Ids, idsB?: Ids): Promise<void>
}

/** Give it to another thread (workerData or postMessage; plain data): `connect(ticket)` there. */
export interface Ticket {
  readonly coterie: 1
  readonly clusterId: string
  readonly threadId: number
  readonly secret: string
}

/** An open cluster. */
export interface Cluster extends KeyValueStore {
  status(): ClusterStatus
  on<Name extends keyof ClusterEvents>(name: Name, listener: (...args: ClusterEvents[Name]) => void): this
  once<Name extends keyof ClusterEvents>(name: Name, listener: (...args: ClusterEvents[Name]) => void): this
  off<Name extends keyof ClusterEvents>(name: Name, listener: (...args: ClusterEvents[Name]) => void): this
  /**
   * Resolves once no node is on its way back, hints are drained, fills and exchanges done, and gossip has converged. Lost
   * partitions are not waited for. Errors: TIMEOUT; NODE_NOT_RUNNING if every node is down for good.
   */
  settled(options?: { timeoutMs?: number }): Promise<void>
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
   * Gives up what stores that are gone may have held, so that lost partitions serve again. Default: all lost ones. Of the
   * partitions named, those that are not lost now are left out: a loss cannot be accepted before it happens.
   */
  acceptLoss(partitions?: readonly PartitionId[]): Promise<void>
  readonly faults: Faults
}
