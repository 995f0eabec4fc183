/** Messages by which tombstones are forgotten that nobody needs any more. Part of the union in `messages.ts`. */

import type { Epoch, Key, NodeId, PartitionId } from './ids.js'
import type { MessageId } from './messages.js'
import type { Stamp } from './versions/stamp.js'

/** Supervisor → nodes: everybody is there and nothing moves; see which tombstones nobody needs any more. */
export interface ReapStart {
  readonly type: 'reap/start'
  /** Everybody. */
  readonly nodes: readonly NodeId[]
  /** The time part of a stamp, a grace ago: only what everybody held before that may be forgotten. It has been noted on the disk. */
  readonly before: Stamp
}

/**
 * First owner → everybody: which of these tombstones do you hold, where you ought to, and of which partitions do you keep no hint?
 * Parallel columns.
 */
export interface ReapAsk {
  readonly type: 'reap/ask'
  readonly id: MessageId
  readonly epoch: Epoch
  readonly keys: readonly Key[]
  /** As `tombstoneOf` names them. */
  readonly tombstones: readonly string[]
  readonly partitions: readonly PartitionId[]
  readonly rowEpochs: readonly Epoch[]
}

/** Everybody → first owner: places, in the question, to which nothing is to be said against. Held in the store, and on the disk. */
export interface ReapHeld {
  readonly type: 'reap/held'
  readonly replyTo: MessageId
  readonly places: readonly number[]
}

/** First owner → owners and standbys: everybody held these for longer than any request can take. Forget them. */
export interface ReapDrop {
  readonly type: 'reap/drop'
  readonly keys: readonly Key[]
  /** As `tombstoneOf` names them. */
  readonly tombstones: readonly string[]
  readonly partitions: readonly PartitionId[]
  readonly rowEpochs: readonly Epoch[]
}
