/**
 * What goes into a gateway's core and what comes out of it, as plain data. Decides nothing: `Gateway` does.
 *
 * Carried by `actors/gateway.actor.ts` and by the simulator.
 */

import type { LogOwner } from './batch-log/log-keys.js'
import type { ProtocolConfig } from './config.js'
import type { OperationOutcome } from './coordinator/request.js'
import type { Address, Incarnation, Key, NodeId } from './ids.js'
import type { KeyRange, Message } from './messages.js'
import type { PartitionTable } from './ring/table.js'
import type { CausalContext } from './versions/dvv.js'
import type { Stamp } from './versions/stamp.js'

/** A request of the program. `id`s are whole numbers that the program's side counts up. */
export type ClientRequest =
  | {
      readonly kind: 'get'
      readonly id: number
      readonly key: Key
      readonly r: number
      readonly sloppy: boolean
      readonly deadlineMs: number
    }
  | {
      readonly kind: 'put'
      readonly id: number
      /** Of duplicate keys the last wins. */
      readonly keys: readonly Key[]
      /** null: delete. */
      readonly values: readonly (Uint8Array | null)[]
      readonly w: number
      readonly sloppy: boolean
      /** Of `lww`: takes effect as a whole or not at all, in the end, also where its keys are in several partitions. */
      readonly logged?: boolean
      /** Its caller wants to know the stamp: the effect `stamped` comes before the reply. */
      readonly mirrored?: boolean
      readonly context?: CausalContext
      readonly deadlineMs: number
    }
  | {
      readonly kind: 'scan'
      readonly id: number
      readonly range: KeyRange
      readonly limit: number
      readonly bytesMax: number
      readonly r: number
      readonly deadlineMs: number
    }

/** `more`: another input of the same turn follows, and nothing is sent yet; the host ends the turn with `flush`. */
export type GatewayEvent =
  /** The requests of one turn. `stampTimeNs`: the shared clock, read after they were taken; undefined: it must not be used. */
  | {
      readonly type: 'client/requests'
      readonly requests: readonly ClientRequest[]
      readonly stampTimeNs: bigint | undefined
      readonly more?: boolean
    }
  | { readonly type: 'message'; readonly from: Address; readonly message: Message; readonly more?: boolean }
  | { readonly type: 'timer' }
  /** A node's thread ends: nothing comes from that life any more. The supervisor says so too, once it has ended. */
  | { readonly type: 'link/closed'; readonly node: NodeId; readonly incarnation: Incarnation }
  /**
   * Logged batches of whoever is not `living` are nobody's any more: they are taken over. See `logOwner`. `forgottenBefore`: deletes
   * that are older may be forgotten.
   */
  | { readonly type: 'batches/replay'; readonly living: readonly LogOwner[]; readonly forgottenBefore: Stamp }
  /** The turn is over: what has gathered leaves. */
  | { readonly type: 'flush' }
  /** No more requests; those that run end now. */
  | { readonly type: 'close' }

export type GatewayEffect =
  | { readonly type: 'send'; readonly to: Address; readonly message: Message }
  | { readonly type: 'reply'; readonly id: number; readonly outcome: OperationOutcome }
  /** Of a put that is `mirrored`. */
  | { readonly type: 'stamped'; readonly id: number; readonly stamp: Stamp }
  /** Keys that a batch of another gateway, which is no more, writes from now on. */
  | { readonly type: 'adopted'; readonly keys: readonly Key[] }
  | { readonly type: 'repair'; readonly key: Key; readonly nodes: readonly NodeId[]; readonly blocking: boolean }
  | { readonly type: 'table'; readonly table: PartitionTable }

export interface GatewayConfig extends ProtocolConfig {
  readonly coordination: 'client' | 'server'
  /** Differs from that of every earlier process that had the cluster open with gateways of the same names. */
  readonly life: string
  readonly requestsInFlightMax: number
  readonly bytesInFlightMax: number
}
