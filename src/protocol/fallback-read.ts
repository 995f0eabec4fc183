/**
 * What a node answers that is asked for a key though it serves nobody by the table: a stand-in under a sloppy quorum, and the
 * store that a dead node left. A part of `DynamoNode`.
 */

import type { HintKeeper } from './handoff/hint-keeper.js'
import type { Key, NodeId } from './ids.js'
import { REPLY, type ReplicaRead, type ReplicaReadReply } from './messages.js'
import type { Replica } from './replica.js'
import { partitionOf } from './ring/slot.js'
import type { TableKeeper } from './table-keeper.js'
import { mergeRecords, type VersionRecord } from './versions/record.js'

/** Where a stand-in looks. */
interface StandIn {
  readonly keeper: TableKeeper
  readonly hints: HintKeeper
  readonly replica: Replica
}

export function answerFallbackRead(message: ReplicaRead, self: NodeId, standIn: StandIn): ReplicaReadReply {
  const records = message.keys.map((key) => knownRecord(key, self, standIn))
  const statuses = message.keys.map(() => REPLY.ok)
  return { type: 'replica/read-reply', replyTo: message.id, epoch: standIn.keeper.epoch, statuses, records }
}

/** Whoever heals a record counts what the store says. It knows no table that its epoch could be compared with. */
export function answerSalvageRead(message: ReplicaRead, replica: Replica): ReplicaReadReply {
  const stored = message.keys.map((key) => replica.inspect(key))
  const statuses = stored.map((record) => (record === 'damaged' ? REPLY.unknown : REPLY.ok))
  const records = stored.map((record) => (record === 'damaged' ? undefined : record))
  return { type: 'replica/read-reply', replyTo: message.id, epoch: message.epoch, statuses, records }
}

/**
 * What a stand-in knows of a key: its hints, and where it is being filled what it has so far. Not the rest of its store:
 * what lies there of partitions that it owned once may be older than a tombstone that everybody has dropped since.
 */
function knownRecord(key: Key, self: NodeId, { keeper, hints, replica }: StandIn): VersionRecord | undefined {
  const hint = hints.read(key)
  const partition = partitionOf(key, keeper.table.rows.length)
  const stored = keeper.row(partition).pending.includes(self) ? replica.peek(key) : undefined
  if (hint === undefined || stored === undefined) return hint ?? stored
  return mergeRecords(hint, stored)
}
