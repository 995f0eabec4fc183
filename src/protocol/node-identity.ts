/** Who a node is, for this life, and what its host publishes of it. */

import type { ActorId, Epoch, Incarnation, NodeId } from './ids.js'

/** Numbers of one life: no answer to a message of an earlier life may be taken for one to a message of this life. */
export const IDS_PER_LIFE = 2 ** 32

/** Fixed for a life. */
export interface NodeIdentity {
  readonly self: NodeId
  readonly incarnation: Incarnation
  /** As its store's meta names it (`actor`), else node and store id: new whenever the store may have forgotten something. */
  readonly actor: ActorId
  readonly seed: number
  /** A dead node's store that is only read, so that others can be refilled from it. */
  readonly salvage: boolean
}

/** Whose dots a store gives, until a damaged record makes it a new actor: a store that began anew is another one. */
export function actorOf(node: NodeId, storeId: string): ActorId {
  return `${node}-${storeId}`
}

/** Keys of one node's counters, for status and the supervisor. */
export interface NodeGauges {
  readonly epoch: Epoch
  readonly hints: number
  /** Of those, hints for nodes that are not down for good. */
  readonly hintsDue: number
  readonly filling: number
  /** Partitions whose records it still has to drop: it is nothing to them any more. */
  readonly purging: number
  readonly exchanging: number
  readonly lingering: number
  readonly viewDigest: number
  readonly converged: boolean
}
