/** What a cluster tells of itself: status, ring, views, versions, metrics, plans of another shape. Plain data. */

import type { ActorId, NodeId, PartitionId } from '../protocol/ids.js'
import type { MemberStatus } from '../protocol/membership/member-status.js'
import type { Location } from './api.js'
import type { CoterieErrorCode } from './errors.js'
import type { FaultCounts } from './fault-calls.js'
import type { MigrationStatus } from './migration-shapes.js'

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
