/**
 * Everything a node's core can ask of its host: one closed union of plain data. The host carries them out in order and
 * answers `store/write` and `store/scan` with an event whenever the store is done. Point reads are not among them: the
 * core is given a `StoreReader` (as etcd's raft is given its `Storage`), because a write has to be merged with what is
 * there in the same turn.
 */

import type { Address, Key, NodeId, PartitionId } from './ids.js'
import type { MemberStatus } from './membership/member-status.js'
import type { Message } from './messages.js'
import type { StoreScan, StoreWrite } from './store-contract.js'

export type NodeEffect =
  | { readonly type: 'send'; readonly to: Address; readonly message: Message }
  | { readonly type: 'store/write'; readonly token: number; readonly write: StoreWrite }
  | { readonly type: 'store/scan'; readonly token: number; readonly scan: StoreScan }
  | { readonly type: 'notice'; readonly notice: Notice }

/** What an observer may want to know; becomes an event of the cluster. Changes nothing. */
export type Notice =
  | { readonly type: 'member/status'; readonly node: NodeId; readonly from: MemberStatus; readonly to: MemberStatus }
  | { readonly type: 'repair'; readonly key: Key; readonly nodes: readonly NodeId[]; readonly blocking: boolean }
  | { readonly type: 'record/damaged'; readonly key: Key }
  | { readonly type: 'record/healed'; readonly key: Key }
  /** Too few others can say what it was. */
  | { readonly type: 'record/stuck'; readonly key: Key }
  | { readonly type: 'handoff'; readonly target: NodeId; readonly hints: number; readonly remaining: number }
  | {
      readonly type: 'transfer'
      readonly partitions: readonly PartitionId[]
      readonly source: NodeId
      readonly records: number
      readonly done: boolean
    }
  | { readonly type: 'tombstones:dropped'; readonly keys: number }
  /** How far everything is that this node is being filled with; told now and then, and at the end. */
  | {
      readonly type: 'transfer/progress'
      /** Since it was filled last; less where rows changed and need it no more. */
      readonly partitions: number
      readonly partitionsDone: number
      readonly records: number
      readonly bytes: number
    }
  | { readonly type: 'exchange'; readonly peer: NodeId; readonly keysDiffering: number; readonly done: boolean }
