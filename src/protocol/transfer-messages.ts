/** Messages by which a pending owner is filled. Part of the union in `messages.ts`. */

import type { Epoch, Key, NodeId, PartitionId } from './ids.js'
import type { MessageId, ReplyStatus } from './messages.js'
import type { VersionRecord } from './versions/record.js'

/** Pending owner → full owner (or a salvaged store): the next chunk of these partitions after `after`, whole records. */
export interface TransferPull {
  readonly type: 'transfer/pull'
  readonly id: MessageId
  readonly epoch: Epoch
  readonly partitions: readonly PartitionId[]
  readonly rowEpochs: readonly Epoch[]
  readonly after?: Key
  readonly bytesMax: number
  /** The receiver has a copy: what it holds of these partitions in (after, to], for records to be sent only where they differ. */
  readonly copy?: { readonly to?: Key; readonly digest: string }
  readonly skipsDamaged?: boolean
  /** The receiver has a copy, and these are the roots of its Merkle trees, two lanes each: which of yours are the same? Nothing is sent. */
  readonly roots?: { readonly lows: readonly number[]; readonly highs: readonly number[] }
}

/** Source → pending owner. `next` undefined: that was all. A chunk ends before a damaged record, which is healed first. */
export interface TransferChunk {
  readonly type: 'transfer/chunk'
  readonly replyTo: MessageId
  readonly status: ReplyStatus
  readonly keys: readonly Key[]
  readonly records: readonly VersionRecord[]
  readonly next?: Key
  /** The copy of the range that was asked about is the same. */
  readonly same?: boolean
  /** To `roots`: of these partitions the receiver has all there is. */
  readonly equal?: readonly PartitionId[]
  /** To `roots`: of none of the partitions is there a tree that could be trusted. To ask again would be in vain. */
  readonly isBlind?: boolean
}

/** Where a pending owner fills a partition from. */
export interface FillOrder {
  readonly partition: PartitionId
  readonly rowEpoch: Epoch
  /** All of these must be read to the end: n − w + 1 full owners, or what an operator accepted. */
  readonly sources: readonly NodeId[]
  /** It was a standby: it holds nearly all of it already, and compares. */
  readonly hasCopy?: boolean
  /** An operator accepted that damaged records of salvaged stores are lost: they are left out. */
  readonly skipsDamaged?: boolean
}

/** Supervisor → pending owner (or standby): fill these. Repeated orders replace older ones of the same partition. */
export interface TransferStart {
  readonly type: 'transfer/start'
  readonly orders: readonly FillOrder[]
}

/** Pending owner → supervisor: these partitions hold all that their sources had. */
export interface TransferDone {
  readonly type: 'transfer/done'
  readonly partitions: readonly PartitionId[]
  readonly rowEpochs: readonly Epoch[]
}
