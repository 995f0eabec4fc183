/** Events of an open cluster, and what comes with them. */

import type { NodeId, PartitionId } from '../protocol/ids.js'
import type { FillStatus } from './cluster-reports.js'
import type { Failpoint } from './failpoints.js'
import type { MigrationStatus } from './migration-shapes.js'

/** Names of events and what comes with them. `node` is whom it is about; times are milliseconds. */
export interface ClusterEvents {
  /** A node's thread has ended; also, with code 0, when the cluster closes. */
  'node:exit': [{ node: NodeId; incarnation: number; code: number | null; reason: string; error?: Error }]
  /** A node came by a failpoint; its `node:exit`, whose reason says so, comes next. */
  failpoint: [{ node: NodeId; incarnation: number; point: Failpoint }]
  /** A node serves; `readyMs` since its thread was taken. */
  'node:up': [{ node: NodeId; incarnation: number; readyMs: number }]
  /** One node (`by`) suspects another. */
  'node:suspect': [{ node: NodeId; by: NodeId; reason: string }]
  /** Given up for good; its partitions get other owners. */
  'node:down': [{ node: NodeId; reason: string }]
  /** A thread's loop stood still for `silentMs`; it is terminated. */
  'node:hung': [{ node: NodeId; silentMs: number }]
  /** A node that joined owns its share. */
  'node:joined': [{ node: NodeId }]
  /** A standby is a member: by hand, or in place of one that is down for good. */
  'node:promoted': [{ node: NodeId }]
  /** A node that left is no member any more; its store is deleted. */
  'node:removed': [{ node: NodeId }]
  /** Its disk is full: see `NodeStatus.storeFull`. */
  'node:full': [{ node: NodeId; reason: string }]
  /** There is room again: its store is opened anew. */
  'node:room': [{ node: NodeId }]
  /**
   * A node's tables were verified while it runs. Problems: it is ended, set aside and refilled, unless too few others (w = 1)
   * could refill it. `error`: it did not come to its end.
   */
  scrub: [
    {
      node: NodeId
      tables: number
      bytes: number
      problems: readonly { readonly file: string; readonly kind: string; readonly detail: string }[]
      error?: Error
    },
  ]
  /** A node's store was moved aside, into `folder`. */
  'node:quarantine': [{ node: NodeId; folder: string; reason: string }]
  /** A node's store may have forgotten something; it will be refilled. */
  'node:amnesia': [{ node: NodeId; reason: string }]
  /** Its last acknowledged writes may be gone (the machine was restarted); it compares with the other owners. */
  'node:lost-tail': [{ node: NodeId; reason: string }]
  /** The partition table changed. */
  epoch: [{ epoch: number; reason: string; partitionsChanged: number }]
  /** `node` handed hints over to `target`; `remaining` are still to be. */
  handoff: [{ node: NodeId; target: NodeId; hints: number; remaining: number }]
  /** A read repair, or a healed record: `nodes` are brought up to date. `node` may be a gateway; `blocking`: a read waited for it. */
  repair: [{ node: string; key: Uint8Array; nodes: readonly NodeId[]; blocking: boolean }]
  /** A pass of a fill of `node` from `source`. */
  transfer: [{ node: NodeId; source: NodeId; partitions: number; records: number; done: boolean }]
  /** A node has forgotten deletes that every copy of the keys held. */
  'tombstones:dropped': [{ node: NodeId; keys: number }]
  /** How far everything is that `node` is being filled with, by a join, a leave, a refill: a few times a second, and at the end. */
  'transfer:progress': [{ node: NodeId; done: boolean } & FillStatus]
  /** Two replicas compared what they hold. */
  exchange: [{ node: NodeId; peer: NodeId; keysDiffering: number; done: boolean }]
  /** Too few stores are left to refill them safely, or every node is down for good. */
  'partition:lost': [{ partitions: readonly PartitionId[] }]
  /** A record's checksum is wrong; it is healed from the other owners. */
  'record:damaged': [{ node: NodeId; key: Uint8Array }]
  /**
   * Too few others can say what the damaged record was. The stores that dead owners left are read for it; if those are gone too,
   * `partition:lost` comes next.
   */
  'record:stuck': [{ node: NodeId; key: Uint8Array }]
  /** A supervisor's core broke an invariant and was rebuilt from the stored table. */
  'supervisor:restart': [{ error: Error }]
  /** The cluster folder must wait for room before its table or metadata can be written; it goes on by itself. */
  'folder:full': [{ error: Error }]
  /** A migration has come to another stage, was paused, goes on. `records` and `share` are in `status()`. */
  migration: [MigrationStatus]
  /** Once: see `ClusterStatus.fatal`. */
  fatal: [{ error: Error }]
  /** Every living member has the same table and the same view of the members, and nothing is being filled. */
  converged: [{ epoch: number }]
  /** The cluster is closed. */
  close: []
}

/** All of them; a name that is missing here does not compile. */
export const EVENT_NAMES = Object.keys({
  'node:exit': true,
  failpoint: true,
  'node:up': true,
  'node:suspect': true,
  'node:down': true,
  'node:hung': true,
  'node:joined': true,
  'node:promoted': true,
  'node:removed': true,
  'node:full': true,
  'node:room': true,
  scrub: true,
  'node:quarantine': true,
  'node:amnesia': true,
  'node:lost-tail': true,
  epoch: true,
  handoff: true,
  repair: true,
  transfer: true,
  'tombstones:dropped': true,
  'transfer:progress': true,
  exchange: true,
  'partition:lost': true,
  'record:damaged': true,
  'record:stuck': true,
  'supervisor:restart': true,
  'folder:full': true,
  migration: true,
  fatal: true,
  converged: true,
  close: true,
} satisfies Record<keyof ClusterEvents, true>) as readonly (keyof ClusterEvents)[]
