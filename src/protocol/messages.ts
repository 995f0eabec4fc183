/**
 * Every message between nodes, gateways and the supervisor: one closed union of plain readonly data.
 *
 * Two lanes. *Control* (membership, table, supervision) is handled before *data* and never waits for a credit. *Data*
 * requests are batches: columns of equal length, one entry per operation of a sender's turn, and a sender keeps at most one message
 * of a type outstanding per receiver (natural batching: its credit); everything else gathers for the next. Each data
 * request is answered by one reply, entry by entry in the same order, which gives the credit back.
 *
 * A link may lose, repeat, delay and reorder what is not the supervisor's: what is not answered is sent again with the same
 * id (`coordinator/retransmission.ts`), and every request may be handled twice; of `coordinate/requests` a repeated id is not.
 *
 * `README.md` beside this file has the table: who sends what, in which state it is accepted, what it causes.
 */

import type {
  ExchangeCompare,
  ExchangeDiffer,
  ExchangeDone,
  ExchangeHashes,
  ExchangeStart,
  ExchangeUnequal,
} from './exchange-messages.js'
import type { Failure } from './failure.js'
import type { HealMessage } from './heal-messages.js'
import type { Address, Epoch, Incarnation, Key, NodeId, PartitionId } from './ids.js'
import type { MembershipMessage } from './membership/gossip.js'
import type { ReapAsk, ReapDrop, ReapHeld, ReapStart } from './reap-messages.js'
import type { PartitionTable } from './ring/table.js'
import type { TransferChunk, TransferDone, TransferPull, TransferStart } from './transfer-messages.js'
import type { CausalContext } from './versions/dvv.js'
import type { VersionRecord } from './versions/record.js'
import type { Stamp } from './versions/stamp.js'

/** Number of a data request within its sender; the reply repeats it. */
export type MessageId = number
/** Number of a request within its coordinator. */
export type RequestId = number

/** What a replica says of one operation. */
export const REPLY = {
  /** Read: the record, or nothing if there is none. Write: accepted by the store at the cluster's durability. */
  ok: 0,
  /** The record is damaged; "unknown", never "absent". */
  unknown: 1,
  /** The row's epoch is not the replica's own. A newer table has been sent ahead of the reply if the replica has one. */
  stale: 2,
  /** The row was flipped and is not yet served here, or this replica is not a full owner yet; ask again soon. */
  guarded: 3,
  /** The deadline had passed on arrival. Nothing was done. */
  expired: 4,
  /** The store failed over it: it may or may not be found there when the store has been opened again. */
  failed: 5,
  /** A bound was reached (hints that are kept, transfers that are given): nothing was done. */
  full: 6,
  /** The store takes no writes, for longer (its disk is full). Nothing was kept. */
  refused: 7,
} as const
export type ReplyStatus = (typeof REPLY)[keyof typeof REPLY]

/** Why a replica is asked to write; only counted, except `heal`, which may replace a damaged record. */
export const PURPOSE = { write: 0, repair: 1, handoff: 2, heal: 3 } as const
export type Purpose = (typeof PURPOSE)[keyof typeof PURPOSE]

/** Coordinator → full owner (or fallback, if `fallback`): give your version of each key. */
export interface ReplicaRead {
  readonly type: 'replica/read'
  readonly id: MessageId
  readonly epoch: Epoch
  readonly keys: readonly Key[]
  readonly rowEpochs: readonly Epoch[]
  readonly deadlinesMs: readonly number[]
  /** True: the receiver is a fallback and answers from its hints. */
  readonly fallback: boolean
}

/** Owner → coordinator. Gives the credit back. */
export interface ReplicaReadReply {
  readonly type: 'replica/read-reply'
  readonly replyTo: MessageId
  readonly epoch: Epoch
  readonly statuses: readonly ReplyStatus[]
  readonly records: readonly (VersionRecord | undefined)[]
}

/**
 * Coordinator → full, pending and standby owners: merge these records into your store. Entries come in *groups* (one
 * request's keys of one partition), each atomic; `counts` says how many keys and records belong to each id.
 */
export interface ReplicaWrite {
  readonly type: 'replica/write'
  readonly id: MessageId
  readonly epoch: Epoch
  readonly partitions: readonly PartitionId[]
  readonly rowEpochs: readonly Epoch[]
  readonly deadlinesMs: readonly number[]
  readonly purposes: readonly Purpose[]
  readonly counts: readonly number[]
  readonly keys: readonly Key[]
  readonly records: readonly VersionRecord[]
}

/** Owner → coordinator, once the store has accepted everything in the message. Gives the credit back. */
export interface ReplicaWriteReply {
  readonly type: 'replica/write-reply'
  readonly replyTo: MessageId
  readonly epoch: Epoch
  readonly statuses: readonly ReplyStatus[]
}

/** A range in byte order. `from` and `to` are inclusive unless the flag says otherwise; absent: open. */
export interface KeyRange {
  readonly from?: Key
  readonly fromExclusive?: boolean
  readonly to?: Key
  readonly toExclusive?: boolean
  readonly reverse: boolean
}

/** Coordinator → full owner: one page of your keys in these partitions, in order. */
export interface ReplicaScan {
  readonly type: 'replica/scan'
  readonly id: MessageId
  readonly epoch: Epoch
  readonly request: RequestId
  readonly range: KeyRange
  readonly limit: number
  readonly bytesMax: number
  readonly partitions: readonly PartitionId[]
  /** The epoch of each partition's row, as in `partitions`. */
  readonly rowEpochs: readonly Epoch[]
  readonly deadlineMs: number
}

/** Owner → coordinator. A record of undefined is damaged here: unknown. `next`: the last key looked at if there may be more. */
export interface ReplicaScanReply {
  readonly type: 'replica/scan-reply'
  readonly replyTo: MessageId
  readonly epoch: Epoch
  readonly request: RequestId
  readonly status: ReplyStatus
  readonly keys: readonly Key[]
  readonly records: readonly (VersionRecord | undefined)[]
  readonly next?: Key
}

/** What a gateway asks a node to coordinate: `coordination: 'server'`, and every write under `siblings`. */
export type CoordinateRequest =
  | {
      readonly kind: 'get'
      readonly id: RequestId
      readonly key: Key
      readonly r: number
      readonly sloppy: boolean
      readonly deadlineMs: number
    }
  | {
      readonly kind: 'put'
      readonly id: RequestId
      readonly partition: PartitionId
      readonly keys: readonly Key[]
      readonly records: readonly VersionRecord[]
      readonly w: number
      readonly sloppy: boolean
      readonly deadlineMs: number
    }
  | {
      readonly kind: 'update'
      readonly id: RequestId
      readonly partition: PartitionId
      readonly keys: readonly Key[]
      /** null: delete. */
      readonly values: readonly (Uint8Array | null)[]
      readonly stamp: Stamp
      readonly context?: CausalContext
      readonly w: number
      readonly deadlineMs: number
    }

/** Gateway → any node (`update`: a full owner): be the coordinator of these. */
export interface CoordinateRequests {
  readonly type: 'coordinate/requests'
  readonly id: MessageId
  readonly epoch: Epoch
  readonly requests: readonly CoordinateRequest[]
}

/** How a request ended. `stale`: nothing was done, the receiver was the wrong one; the table was sent ahead. */
export type Outcome =
  | { readonly type: 'value'; readonly record: VersionRecord | undefined }
  | { readonly type: 'written' }
  | { readonly type: 'stale' }
  | { readonly type: 'failed'; readonly failure: Failure }

/** Node → gateway: some of the requests have ended. Not tied to one message; requests end one by one. */
export interface CoordinateReplies {
  readonly type: 'coordinate/replies'
  readonly epoch: Epoch
  readonly ids: readonly RequestId[]
  readonly outcomes: readonly Outcome[]
}

/** Node → gateway, at once: the batch was taken. Gives the credit back (the requests go on). */
export interface CoordinateTaken {
  readonly type: 'coordinate/taken'
  readonly replyTo: MessageId
}

/** Coordinator → a silent node: are you there? Who answers, and not to what it was sent, is sent that again. */
export interface LinkPing {
  readonly type: 'link/ping'
  readonly id: MessageId
}

/** Node → coordinator, at once. */
export interface LinkPong {
  readonly type: 'link/pong'
  readonly replyTo: MessageId
}

/** Coordinator → a healthy node: keep these for owners that missed them, and hand them over when they return. */
export interface HintStore {
  readonly type: 'hint/store'
  readonly id: MessageId
  readonly epoch: Epoch
  readonly targets: readonly NodeId[]
  readonly partitions: readonly PartitionId[]
  readonly keys: readonly Key[]
  readonly records: readonly VersionRecord[]
}

/** Hint keeper → coordinator, once the store has accepted them. Gives the credit back. */
export interface HintStored {
  readonly type: 'hint/stored'
  readonly replyTo: MessageId
  readonly epoch: Epoch
  readonly statuses: readonly ReplyStatus[]
}

/** Anyone → anyone: the table, whenever the receiver seems to have an older one. */
export interface TableAnnounce {
  readonly type: 'table/announce'
  readonly table: PartitionTable
}

/** Anyone → anyone: please send your table, mine is `epoch`. */
export interface TableRequest {
  readonly type: 'table/request'
  readonly epoch: Epoch
}

/** Node → supervisor: this epoch is in my store; I act on it. */
export interface TableStored {
  readonly type: 'table/stored'
  readonly epoch: Epoch
}

/** Supervisor → nodes: enough old owners have stored this epoch; its flipped rows may be served. */
export interface TableActivate {
  readonly type: 'table/activate'
  readonly epoch: Epoch
}

/** Gateway → supervisor: these owners may lack writes that nobody keeps a hint for; let them exchange. */
export interface HintsLost {
  readonly type: 'hint/lost'
  readonly targets: readonly NodeId[]
}

/**
 * How the supervisor sees a life of a node. `starting`: not serving yet; `exited`: its thread has ended, another life will
 * come; `down`: for good.
 */
export type PeerStatus = 'starting' | 'up' | 'exited' | 'down'

/** Supervisor → nodes and gateways: the life of a node changed (certain knowledge: its thread ended, or it is ready). */
export interface PeerChanged {
  readonly type: 'peer/changed'
  readonly node: NodeId
  readonly incarnation: Incarnation
  readonly status: PeerStatus
}

/** Supervisor → nodes: this gateway's thread has ended; nobody sees to what it had begun. */
export interface GatewayLost {
  readonly type: 'gateway/lost'
  readonly gateway: Address
}

/** Supervisor → nodes: this member leaves, or has left. The supervisor's word, which outranks what gossip guesses. */
export interface MemberDeclared {
  readonly type: 'member/declared'
  readonly node: NodeId
  readonly incarnation: Incarnation
  readonly status: 'leaving' | 'removed'
}

/** Supervisor → a node that leaves and owns nothing any more: keep no new hints, hand over those you have, end what you coordinate. */
export interface RetireStart {
  readonly type: 'retire/start'
}

/** Node → supervisor: I owe nothing to anybody. What it is asked from then on, it refuses. */
export interface RetireDone {
  readonly type: 'retire/done'
}

export type DataRequest =
  | ReplicaRead
  | ReplicaWrite
  | ReplicaScan
  | CoordinateRequests
  | HintStore
  | TransferPull
  | ExchangeHashes
  | ExchangeCompare
  | ReapAsk
export type DataReply =
  | ReplicaReadReply
  | ReplicaWriteReply
  | ReplicaScanReply
  | CoordinateTaken
  | HintStored
  | TransferChunk
  | ExchangeUnequal
  | ExchangeDiffer
  | ReapHeld
export type DataMessage = DataRequest | DataReply | ReapDrop | CoordinateReplies | LinkPing | LinkPong
export type ControlMessage =
  | MembershipMessage
  | TableAnnounce
  | TableRequest
  | TableStored
  | TableActivate
  | TransferStart
  | TransferDone
  | ExchangeStart
  | ExchangeDone
  | HintsLost
  | ReapStart
  | HealMessage
  | PeerChanged
  | GatewayLost
  | MemberDeclared
  | RetireStart
  | RetireDone
export type Message = DataMessage | ControlMessage

/** A question whether one is there waits for its turn like data: else its answer would overtake those that are asked for. */
const DATA_AREAS = ['replica', 'coordinate', 'hint', 'transfer', 'exchange', 'reap', 'link']
const CONTROL_TYPES = ['transfer/start', 'transfer/done', 'exchange/start', 'exchange/done', 'hint/lost', 'reap/start']

/** The lane of a message: control is handled first. */
export function isDataMessage(message: Message): message is DataMessage {
  return DATA_AREAS.includes(message.type.slice(0, message.type.indexOf('/'))) && !CONTROL_TYPES.includes(message.type)
}

/** Of a program, and not of nodes that mend something. */
export function isCall(message: Message): boolean {
  if (message.type === 'replica/write') return message.purposes[0] === PURPOSE.write
  return message.type === 'replica/read' || message.type === 'replica/scan'
}
