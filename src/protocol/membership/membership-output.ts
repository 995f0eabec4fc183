/**
 * What goes into and comes out of the membership machine, apart from its messages (gossip.ts). Plain data.
 */

import type { Address, Epoch, Incarnation, NodeId } from '../ids.js'
import type { MembershipMessage } from './gossip.js'
import type { MemberState } from './member.js'
import type { MemberStatus } from './member-status.js'

/** What the node machine is to do, in this order. */
export type MembershipOutput =
  /** To a peer's control lane, or to whoever sent us gossip. */
  | { readonly type: 'send'; readonly to: Address; readonly message: MembershipMessage }
  /** A member moved, or began a new life; from null: it is new. Own moves are told as well. */
  | {
      readonly type: 'status'
      readonly member: MemberState
      readonly from: MemberStatus | null
      readonly to: MemberStatus
    }
  /** The peer has a later partition table than we have stored. */
  | { readonly type: 'table-behind'; readonly peer: Address; readonly epoch: Epoch }

/** What the supervisor says of a member; see `onDeclared`. */
export interface DeclaredMember {
  readonly id: NodeId
  readonly incarnation: Incarnation
  readonly status: MemberStatus
}
