/**
 * Who may look on while requests are coordinated: what leaves for which node, what comes back, who will never answer. It is told as
 * plain data and changes nothing: a run that is looked at has the same effects, byte for byte, as one that is not, and where
 * nobody looks nothing is made for it.
 *
 * Called by the coordination and the gateway. An operation's number is that of the outermost request: reads inside it are its own.
 */

import type { NodeId, PartitionId } from '../ids.js'
import type { Message, MessageId, Outcome, ReplyStatus, RequestId } from '../messages.js'
import type { CoordinateEntry, ReadEntry, ScanEntry, WriteEntry } from './peer.js'
import type { Request } from './request.js'

/** One operation of a message. */
export interface SentOperation {
  readonly operation: RequestId
  /** Undefined: of several partitions, or none. */
  readonly partition: PartitionId | undefined
}

/** A message to a node, with all that it carries. */
export interface SentMessage {
  readonly node: NodeId
  readonly id: MessageId
  readonly type: Message['type']
  readonly operations: readonly SentOperation[]
}

export interface RequestObserver {
  /** This operation is a part of the program's request of that number. */
  onPart(request: number, operation: RequestId): void
  /** For the first time; when it is repeated nobody is told. */
  onSent(sent: SentMessage): void
  /** `statuses`: in the order of the operations. */
  onAnswered(id: MessageId, statuses: readonly ReplyStatus[]): void
  /** A coordinator says how one operation that it was sent has ended. */
  onOutcome(node: NodeId, operation: RequestId, outcome: Outcome): void
  /** The node's life has ended: what it has not answered it never will. */
  onNodeLost(node: NodeId): void
  /** The host closes: nothing more will be told. */
  onClosed(): void
}

/** An entry of whatever lane. */
type Entry = ReadEntry | WriteEntry | ScanEntry | CoordinateEntry | { readonly request: Request }

export function operationsOf(entries: readonly Entry[]): SentOperation[] {
  return entries.map((entry) => ({ operation: outermost(entry.request).id, partition: partitionIn(entry) }))
}

function outermost(request: Request): Request {
  let found = request
  while (found.outer !== undefined) found = found.outer.request
  return found
}

function partitionIn(entry: Entry): PartitionId | undefined {
  if ('partition' in entry) return entry.partition
  const { request } = entry
  return 'partition' in request ? (request.partition as PartitionId) : undefined
}
