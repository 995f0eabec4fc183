/** Batches by partition: each part is written for itself, and they end together. Called by `Gateway`. */

import type { OperationOutcome } from '../coordinator/request.js'
import type { Failure } from '../failure.js'
import type { Key, PartitionId } from '../ids.js'
import { partitionOf } from '../ring/slot.js'

/** One partition's part. */
export interface BatchGroup {
  readonly partition: PartitionId
  readonly keys: readonly Key[]
  /** null: delete. */
  readonly values: readonly (Uint8Array | null)[]
}

/** A batch that was split by partition: ends when all groups have, with the worst outcome. */
export interface Join {
  readonly id: number
  readonly groups: number
  waiting: number
  written: number
  failure: Failure | undefined
}

/**
 * How a batch as a whole ended. Where one group was written and another failed, it is *outcome unknown*: a definite
 * failure would say that nothing was kept.
 */
export function outcomeOf(join: Join): OperationOutcome {
  const { failure, written, groups } = join
  if (failure === undefined) return { type: 'written' }
  if (written === 0 || failure.code === 'OUTCOME_UNKNOWN') return { type: 'failed', failure }
  const detail = `written in ${written} of ${groups} partitions; in another it failed with ${failure.code}`
  return { type: 'failed', failure: { ...failure, code: 'OUTCOME_UNKNOWN', detail } }
}

/** One group a partition, in order of first appearance; of duplicate keys the last wins. */
export function groupByPartition(
  keys: readonly Key[],
  values: readonly (Uint8Array | null)[],
  partitions: number,
): readonly BatchGroup[] {
  const last = new Map<Key, Uint8Array | null>()
  keys.forEach((key, index) => {
    last.set(key, values[index] ?? null)
  })
  const groups = new Map<PartitionId, { partition: PartitionId; keys: Key[]; values: (Uint8Array | null)[] }>()
  for (const [key, value] of last) {
    const partition = partitionOf(key, partitions)
    const group = groups.get(partition) ?? { partition, keys: [], values: [] }
    groups.set(partition, group)
    group.keys.push(key)
    group.values.push(value)
  }
  return [...groups.values()]
}
