/**
 * What the supervisor's core is told, and what it asks for: two closed unions of plain data.
 */

import type { PeerInfo } from '../events.js'
import type { Address, Epoch, Incarnation, NodeId, PartitionId } from '../ids.js'
import type { Message } from '../messages.js'
import type { PartitionTable } from '../ring/table.js'
import type { Stamp } from '../versions/stamp.js'

/** What a store's opening found; see `storage/open-verdict.ts`. */
export type OpeningVerdict = 'fresh' | 'intact' | 'lost-tail' | 'amnesiac'

/** `starting`: its thread lives and is not up. `ended`: it has none, for now. `down`: for good. `salvage`: down, and read. */
export type ResumeState = 'up' | 'starting' | 'ended' | 'down' | 'salvage'

/** Who is on the way in or out, as the cluster's metadata say. */
export interface OnTheWay {
  readonly joining?: readonly NodeId[]
  /** Of these, those that are to be standbys. */
  readonly standbys?: readonly NodeId[]
  /** Standbys that are to be members. */
  readonly promoted?: readonly NodeId[]
  readonly leaving?: readonly NodeId[]
}

/** A standby gets every write and serves nothing, until it is promoted. */
export type NodeRole = 'member' | 'standby'

export type SupervisorEvent =
  /** First of all. `isCreation`: the cluster is new, empty stores are what is expected. */
  | ({
      readonly type: 'start'
      readonly nodes: readonly NodeId[]
      readonly isCreation: boolean
      /** The last process did not close: writes may have reached some owners only. */
      readonly wasUnclean: boolean
      /** Of the nodes, those that were down for good when the last process ended. */
      readonly wereDown: readonly NodeId[]
    } & OnTheWay)
  /** The core was rebuilt after an invariant broke: so the nodes were, with the number of each one's last life. */
  | ({
      readonly type: 'resume'
      readonly nodes: readonly {
        readonly node: NodeId
        readonly incarnation: Incarnation
        readonly state: ResumeState
      }[]
    } & OnTheWay)
  /** A node's store is open. Not yet booted: it is waiting for its table. */
  | {
      readonly type: 'node/opened'
      readonly node: NodeId
      readonly incarnation: Incarnation
      readonly verdict: OpeningVerdict
      readonly reason: string
      readonly storedEpoch: Epoch
      /** Hints that it kept for others and that cannot be read any more. */
      readonly hintsDamaged: number
    }
  /** The thread has ended; or it could not be started. Certain. */
  | {
      readonly type: 'node/exited'
      readonly node: NodeId
      readonly incarnation: Incarnation
      readonly reason: string
      /** The system had no more files to open: nobody's failure. */
      readonly lacksMeans?: boolean
      /** Hints that it kept, as it told before it acknowledged them. */
      readonly hints: number
    }
  | { readonly type: 'message'; readonly from: Address; readonly message: Message }
  /** This epoch and all below are on disk. */
  | { readonly type: 'table/persisted'; readonly epoch: Epoch }
  /** A tick. `loops`: how often each living thread's loop has turned, from shared counters. */
  | { readonly type: 'tick'; readonly loops: Readonly<Record<NodeId, number>> }
  /** Its disk is full: its store takes no writes, or does not open for it. Told once; the reason is for people. */
  | { readonly type: 'node/full'; readonly node: NodeId; readonly reason: string }
  /** There is room again for a node that is full. Ignored for any other. */
  | { readonly type: 'node/room'; readonly node: NodeId }
  /** A gateway's thread ended in the middle of its work; it may have owed hints. */
  | { readonly type: 'gateway/lost'; readonly gateway: Address }
  | { readonly type: 'gateway/joined'; readonly gateway: Address }
  /** It owed nothing. */
  | { readonly type: 'gateway/left'; readonly gateway: Address }
  /** An operator (or a fault) says that the next death of this node is final, or that it is dead now. */
  | { readonly type: 'operator/give-up'; readonly node: NodeId }
  | { readonly type: 'operator/accept-loss'; readonly partitions: readonly PartitionId[] }
  /** New nodes, known to the cluster's metadata. */
  /** `haveCopies`: they hold nearly everything already, and compare it. */
  | {
      readonly type: 'operator/join'
      readonly nodes: readonly NodeId[]
      readonly role: NodeRole
      readonly haveCopies?: boolean
    }
  /** A standby becomes a member. */
  | { readonly type: 'operator/promote'; readonly node: NodeId }
  /** In the metadata too. */
  | { readonly type: 'operator/leave'; readonly node: NodeId }
  /** After `remove`: its thread has ended, and the metadata say that it is no member. */
  | { readonly type: 'node/removed'; readonly node: NodeId }
  /** After `note-reaping`: it is on the disk. */
  | { readonly type: 'reaping/noted'; readonly before: Stamp }
  | { readonly type: 'stop' }

export type SupervisorEffect =
  | { readonly type: 'spawn'; readonly node: NodeId; readonly incarnation: Incarnation; readonly salvage: boolean }
  | { readonly type: 'terminate'; readonly node: NodeId; readonly incarnation: Incarnation; readonly reason: string }
  /** Start the node's core with this. */
  | {
      readonly type: 'boot'
      readonly node: NodeId
      readonly incarnation: Incarnation
      readonly table: PartitionTable
      readonly activeEpoch: Epoch
      readonly peers: readonly PeerInfo[]
    }
  | { readonly type: 'send'; readonly to: Address; readonly message: Message }
  /** It owns nothing and owes nothing: end its thread in order, note that it is no member, then drop its store. */
  | { readonly type: 'remove'; readonly node: NodeId; readonly incarnation: Incarnation }
  /** fsync it, then say `table/persisted`. Nobody may learn of it before. */
  | { readonly type: 'persist'; readonly table: PartitionTable }
  /**
   * Note on the disk that what every copy had held a grace ago (`reapedBeforeNs`) may be gone from now on, then say `reaping/noted` with
   * that time.
   */
  | { readonly type: 'note-reaping' }
  | { readonly type: 'notice'; readonly notice: SupervisorNotice }

export type SupervisorNotice =
  | { readonly type: 'node:up'; readonly node: NodeId; readonly incarnation: Incarnation }
  | { readonly type: 'node:down'; readonly node: NodeId; readonly reason: string }
  | { readonly type: 'node:hung'; readonly node: NodeId; readonly silentMs: number }
  /** Its disk is full: it refuses writes, and reads go on. */
  | { readonly type: 'node:full'; readonly node: NodeId; readonly reason: string }
  /** There is room again: its store is opened anew. */
  | { readonly type: 'node:room'; readonly node: NodeId }
  | { readonly type: 'node:amnesia'; readonly node: NodeId; readonly reason: string }
  | { readonly type: 'node:lost-tail'; readonly node: NodeId; readonly reason: string }
  | { readonly type: 'epoch'; readonly epoch: Epoch; readonly reason: string; readonly partitionsChanged: number }
  | { readonly type: 'partition:lost'; readonly partitions: readonly PartitionId[] }
  | { readonly type: 'created' }
  /** It owns its share. */
  | { readonly type: 'node:joined'; readonly node: NodeId }
  /** A standby is a member: by hand, or in place of one that is down for good. */
  | { readonly type: 'node:promoted'; readonly node: NodeId }
  /** It is no member any more. */
  | { readonly type: 'node:removed'; readonly node: NodeId }
