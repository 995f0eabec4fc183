/** What one exchange is made of: the state of the one that a node drives, and what it asks of its node. Called by `Exchange`. */

import type { Address, Key, LeafId, NodeId, PartitionId } from '../ids.js'
import type { LocalWrite } from '../local-write.js'
import type { Message } from '../messages.js'
import type { StoreScan } from '../store-contract.js'
import type { VersionRecord } from '../versions/record.js'
import type { TreeWalk } from './tree-walk.js'

export type ExchangeOutput =
  | { readonly type: 'send'; readonly to: Address; readonly message: Message }
  | { readonly type: 'scan'; readonly token: number; readonly scan: StoreScan }
  | ({ readonly type: 'store' } & LocalWrite)
  /** The peer lacks this: write it there, and tell by `onPushed`, with the same number, whether it took it. */
  | {
      readonly type: 'push'
      readonly push: number
      readonly node: NodeId
      readonly key: Key
      readonly record: VersionRecord
    }
  | { readonly type: 'damaged'; readonly key: Key }
  | { readonly type: 'progress'; readonly peer: NodeId; readonly keysDiffering: number; readonly done: boolean }

/** One run over the store: of whole partitions, or of leaves. */
export interface Pass {
  readonly partitions: readonly PartitionId[]
  readonly leaves?: readonly LeafId[]
}

/** The exchange that this node drives now. */
export interface Running {
  readonly peer: NodeId
  /** By the supervisor, who hears of its end. */
  readonly isOrdered: boolean
  readonly beganMs: number
  /** Undefined once keys are compared. */
  walk: TreeWalk | undefined
  pass: Pass
  passes: Pass[]
  after: Key | undefined
  state: 'idle' | 'scanning' | 'asked' | 'storing'
  /** Token of the scan, id of the message, number of the local write: whichever is awaited. */
  awaited: number
  /** In `storing`: the local write has not ended; records that the peer has not answered for; anything refused so far. */
  isStoring: boolean
  pushing: number
  refused: boolean
  /** Of this range; and whether every range so far was taken in the end. */
  retries: number
  isWhole: boolean
  own: Map<Key, VersionRecord>
  to: Key | undefined
  keysDiffering: number
  /** When the range was begun. */
  sinceMs: number
  notBeforeMs: number
}

export function newRun(
  { peer, isOrdered, walk }: Pick<Running, 'peer' | 'isOrdered' | 'walk'>,
  nowMs: number,
): Running {
  return {
    peer,
    isOrdered,
    walk,
    beganMs: nowMs,
    pass: { partitions: [] },
    passes: [],
    after: undefined,
    state: 'idle',
    awaited: 0,
    isStoring: false,
    pushing: 0,
    refused: false,
    retries: 0,
    isWhole: true,
    own: new Map(),
    to: undefined,
    keysDiffering: 0,
    sinceMs: nowMs,
    notBeforeMs: nowMs,
  }
}

export function isAwaiting(running: Running, from: Address, replyTo: number): boolean {
  return running.state === 'asked' && running.awaited === replyTo && running.peer === from
}
