/**
 * Everything that can happen to a node's core: one closed union. The host (a thread, or the simulator) gives them one at
 * a time to `DynamoNode.step`, together with the time.
 */

import type { Address, Incarnation, NodeId } from './ids.js'
import type { Message, PeerStatus } from './messages.js'
import type { PartitionTable } from './ring/table.js'
import type { Hint, StorePage, WriteKept } from './store-contract.js'

/** A peer as the supervisor knows it. */
export interface PeerInfo {
  readonly node: NodeId
  readonly incarnation: Incarnation
  readonly status: PeerStatus
}

export type NodeEvent =
  /** First of all: what the node is told and what its store held. The table is at least as new as the stored one. */
  | {
      readonly type: 'node/boot'
      readonly table: PartitionTable
      readonly storedEpoch: number
      /** Highest epoch whose flipped rows may be served. */
      readonly activeEpoch: number
      readonly peers: readonly PeerInfo[]
      readonly hints: readonly Hint[]
    }
  /** Mail. `incarnation` is the life of the receiver that the sender meant. */
  | { readonly type: 'message'; readonly from: Address; readonly incarnation: Incarnation; readonly message: Message }
  | { readonly type: 'store/written'; readonly token: number }
  | { readonly type: 'store/failed'; readonly token: number; readonly kept: WriteKept; readonly detail: string }
  | { readonly type: 'store/scan-done'; readonly token: number; readonly page: StorePage }
  /** The deadline that `nextDeadlineMs` named has come (or any later time). */
  | { readonly type: 'timer' }
