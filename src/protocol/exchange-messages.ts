/** Messages by which replicas find what differs between them. Part of the union in `messages.ts`. */

import type { Epoch, Key, LeafId, NodeId, PartitionId } from './ids.js'
import type { MessageId, ReplyStatus } from './messages.js'
import type { VersionRecord } from './versions/record.js'

/**
 * Replica → replica: these are the hashes of nodes of my Merkle trees, all of one level; which of yours are not equal? Parallel
 * columns; two lanes a node.
 */
export interface ExchangeHashes {
  readonly type: 'exchange/hashes'
  readonly id: MessageId
  readonly epoch: Epoch
  readonly level: number
  readonly partitions: readonly PartitionId[]
  readonly nodes: readonly number[]
  readonly lows: readonly number[]
  readonly highs: readonly number[]
}

/** Replica → replica: places, in the question, of nodes that are not equal here; partitions whose trees are being built anew. */
export interface ExchangeUnequal {
  readonly type: 'exchange/unequal'
  readonly replyTo: MessageId
  readonly status: ReplyStatus
  readonly places: readonly number[]
  readonly blind: readonly PartitionId[]
}

/**
 * Replica → replica: this is what I hold of these partitions (and of these leaves only, if there are any) in (after, to]; versions
 * as `versionHash`. What do you hold?
 */
export interface ExchangeCompare {
  readonly type: 'exchange/compare'
  readonly id: MessageId
  readonly epoch: Epoch
  readonly partitions: readonly PartitionId[]
  readonly leaves?: readonly LeafId[]
  readonly after?: Key
  readonly to?: Key
  readonly keys: readonly Key[]
  readonly versions: readonly number[]
  readonly bytesMax: number
}

/** Replica → replica: my records of the range that you lack or hold in another version, up to `to` (which may be nearer than asked), and what I lack. */
export interface ExchangeDiffer {
  readonly type: 'exchange/differ'
  readonly replyTo: MessageId
  readonly status: ReplyStatus
  readonly keys: readonly Key[]
  readonly records: readonly VersionRecord[]
  readonly lacking: readonly Key[]
  readonly to?: Key
}

/** Supervisor → node: compare all shared partitions with these peers, in the background. */
export interface ExchangeStart {
  readonly type: 'exchange/start'
  readonly peers: readonly NodeId[]
}

/** Node → supervisor: exchanges with all ordered peers have run to the end. */
export interface ExchangeDone {
  readonly type: 'exchange/done'
  readonly peers: readonly NodeId[]
}
