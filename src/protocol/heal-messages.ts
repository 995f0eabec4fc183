/** What a node and the supervisor say to each other of damaged records that too few others can say anything of. */

import type { NodeId, PartitionId } from './ids.js'

/**
 * Node → supervisor: partitions in which I have such records. All of them, each time that changes, and when a rebuilt supervisor asks
 * for the table.
 */
export interface HealStuck {
  readonly type: 'heal/stuck'
  readonly partitions: readonly PartitionId[]
  /** Of those, partitions in which not even the salvaged stores that were named could say enough. */
  readonly hopeless: readonly PartitionId[]
}

/** Supervisor → a node that is stuck: try again, with what can be read now. */
export interface HealStart {
  readonly type: 'heal/start'
  readonly partition: PartitionId
  /** Dead owners whose stores are open to be read. */
  readonly salvaged: readonly NodeId[]
  /** An operator has accepted the loss: whatever the other owners know is enough, and if that is nothing, nothing. */
  readonly accepted: boolean
}

export type HealMessage = HealStuck | HealStart
