/**
 * What the requests (get, put, scan, …) and the coordination that hosts them say to each other.
 *
 * A request is a small opaque value: it is started, given replies, and ends exactly once. It never sends by itself and
 * keeps no clock; everything goes through the `Desk`.
 */

import type { ProtocolConfig } from '../config.js'
import type { Failure } from '../failure.js'
import type { Key, NodeId, PartitionId } from '../ids.js'
import type {
  CoordinateRequest,
  KeyRange,
  Outcome,
  Purpose,
  ReplicaScanReply,
  ReplyStatus,
  RequestId,
} from '../messages.js'
import type { PartitionTable, Row } from '../ring/table.js'
import type { VersionRecord } from '../versions/record.js'
import type { Peer, WriteEntry } from './peer.js'
import type { RequestList } from './request-list.js'
import type { RequestObserver } from './request-observer.js'
import type { ScanCovers } from './scan-covers.js'

/** `running`: its caller waits. `lingering`: answered, still seeing to its last owners. `gone`: takes nothing more. */
export type RequestPhase = 'running' | 'lingering' | 'gone'

/** What one request can be told; what a kind of request has no use for, it leaves as it is here. */
export abstract class Request {
  /** Set by the coordination only. */
  phase: RequestPhase = 'running'
  /** Asked to be retried; set by the coordination only. */
  isWaiting = false
  /** The request that started this one, and for which key; set by the coordination only. */
  outer: { readonly request: Request; readonly key: Key } | undefined = undefined
  /** The list that it is in, and its neighbours there; set by `RequestList` only. */
  list: RequestList | undefined = undefined
  previous: Request | undefined = undefined
  next: Request | undefined = undefined

  constructor(
    readonly id: RequestId,
    /** When it ends in any case; moves once, when it begins to linger. */
    public deadlineMs: number,
    /** For bounds: bytes that the request keeps alive. */
    readonly bytes: number,
  ) {}

  abstract start(desk: Desk): void
  /** The table or a peer changed, or the retry pause passed: do what can be done now. */
  abstract retry(desk: Desk): void
  abstract onDeadline(desk: Desk): void
  onReadReply(_desk: Desk, _from: NodeId, _status: ReplyStatus, _record: VersionRecord | undefined): void {
    // Nothing that this kind of request waits for.
  }
  /**
   * `isRepeated`: it was sent more than once, and this may be the answer to a later copy. `records`: the very list that was written,
   * so that the answer to an earlier attempt is known as such.
   */
  onWriteReply(
    _desk: Desk,
    _from: NodeId,
    _status: ReplyStatus,
    _isRepeated: boolean,
    _records: readonly VersionRecord[],
  ): void {
    // Nothing that this kind of request waits for.
  }
  onHintReply(_desk: Desk, _keeper: NodeId, _status: ReplyStatus, _answered: HintAnswer): void {
    // Nothing that this kind of request waits for.
  }
  /** `asked`: the very list of partitions that was asked for, so that the answer to an earlier attempt is known as such. */
  onScanReply(_desk: Desk, _from: NodeId, _reply: ReplicaScanReply, _asked: readonly PartitionId[]): void {
    // Nothing that this kind of request waits for.
  }
  /** What was sent to this node, or waited for it, will not be answered (its thread ended), or not soon (it is silent). */
  onLegLost(_desk: Desk, _node: NodeId, _lost: LostLeg): void {
    // Nothing that this kind of request waits for.
  }
  /** The row of a new table differs from the one the request works by: begin again, with the same stamp. */
  onTable(_desk: Desk): void {
    // Nothing that this kind of request waits for.
  }
  /** A get that this request started has ended. */
  onInner(_desk: Desk, _key: Key, _outcome: Outcome): void {
    // Nothing that this kind of request waits for.
  }
}

/** `isRepeated`: as for writes. */
export interface HintAnswer {
  readonly key: Key
  readonly isRepeated: boolean
}

/** `sent`: it had left; else it only waited for its turn and was taken back. */
export interface LostLeg {
  readonly sent: boolean
  readonly silent: boolean
}

/** What a request may ask of the coordination. */
export interface Desk {
  readonly nowMs: number
  readonly config: ProtocolConfig
  readonly table: PartitionTable
  /** Grows whenever a peer's health or the table has changed. */
  readonly changes: number
  readonly covers: ScanCovers
  /** Undefined: nobody looks on. */
  readonly observer: RequestObserver | undefined
  peer(node: NodeId): Peer | undefined
  /** Healthy nodes, sorted by id. */
  healthyNodes(): readonly NodeId[]
  /** False: the queue to the node is full; it counts as missing. */
  sendRead(request: Request, peer: Peer, key: Key, row: Row, fallback: boolean): boolean
  sendWrite(node: NodeId, entry: WriteEntry): boolean
  sendScan(request: Request, leg: ScanLeg): boolean
  sendHint(request: Request, leg: HintLeg): boolean
  sendCoordinate(request: Request, node: NodeId, payload: CoordinateRequest): boolean
  /** Asks a slow coordinator, now and then, whether it still is. */
  probe(node: NodeId): void
  /** Ask again when a peer or the table changes, or after the retry pause if `soon`. */
  wait(request: Request, soon: boolean): void
  /** A get inside this request; its outcome comes back by `onInner`. */
  startInner(outer: Request, key: Key, r: number): void
  /** Ends the request for its caller. With `linger` it goes on in the background until it calls `forget`. */
  end(request: Request, outcome: OperationOutcome, linger?: boolean): void
  forget(request: Request): void
  /** Owners that missed a write that was acknowledged, or may have been; keep hints for them. */
  missed(target: NodeId, partition: PartitionId, keys: readonly Key[], records: readonly VersionRecord[]): void
  /** Nobody keeps a hint for a write that this owner missed: it must exchange with the others. */
  hintLost(target: NodeId): void
  /** Read repair is about to write to these. */
  noticeRepair(key: Key, nodes: readonly NodeId[], blocking: boolean): void
}

export interface ScanLeg {
  readonly node: NodeId
  readonly range: KeyRange
  readonly limit: number
  readonly bytesMax: number
  readonly partitions: readonly PartitionId[]
}

export interface HintLeg {
  readonly keeper: NodeId
  readonly target: NodeId
  readonly partition: PartitionId
  readonly key: Key
  readonly record: VersionRecord
}

/** What a coordination can be asked to do. `id` is the caller's; it comes back with the outcome. */
export type Operation =
  | {
      readonly kind: 'get'
      readonly id: RequestId
      readonly key: Key
      readonly r: number
      readonly sloppy: boolean
      readonly deadlineMs: number
    }
  | PutOperation
  | ScanOperation
  /** Write to one node, whatever the quorum: hint handoff, exchange. */
  | DirectOperation
  /** Learn what a damaged record was from n − w + 1 other full owners. */
  | {
      readonly kind: 'learn'
      readonly id: RequestId
      readonly key: Key
      readonly learning: Learning
      readonly deadlineMs: number
    }

/** A node's own record is damaged: the others are asked what it was, and nobody is repaired. */
export interface Learning {
  readonly except: NodeId
  /** Owners that are down for good and whose stores are open to be read. */
  readonly salvaged: readonly NodeId[]
  /** What those others know that can answer is enough, however few they are. */
  readonly accepted: boolean
}

export interface PutOperation {
  readonly kind: 'put'
  readonly id: RequestId
  readonly partition: PartitionId
  readonly keys: readonly Key[]
  readonly records: readonly VersionRecord[]
  readonly w: number
  readonly sloppy: boolean
  readonly deadlineMs: number
  /** Full owners whose stores have accepted the records before the request starts (a sibling update's own). */
  readonly accepted?: readonly NodeId[]
}

export interface ScanOperation {
  readonly kind: 'scan'
  readonly id: RequestId
  readonly range: KeyRange
  readonly limit: number
  readonly bytesMax: number
  readonly r: number
  readonly deadlineMs: number
}

export interface DirectOperation {
  readonly kind: 'direct'
  readonly id: RequestId
  readonly node: NodeId
  readonly partition: PartitionId
  readonly purpose: Purpose
  readonly keys: readonly Key[]
  readonly records: readonly VersionRecord[]
  readonly deadlineMs: number
}

/** One page of a scan. */
export interface ScanPage {
  readonly keys: readonly Key[]
  readonly records: readonly VersionRecord[]
  /** Where the next page begins (exclusive); undefined: the range is exhausted. */
  readonly next?: Key
}

/** How an operation ended. */
export type OperationOutcome = Outcome | { readonly type: 'page'; readonly page: ScanPage }

/** How every put ends that went well. */
export const WRITTEN: Outcome = { type: 'written' }

/** The failure of a request whose owners are too few; `lost` names the other code. */
export function quorumFailure(
  row: Row,
  partition: PartitionId,
  needed: number,
  got: number,
  missing: readonly NodeId[],
): Failure {
  return { code: row.lost ? 'PARTITION_LOST' : 'QUORUM_UNAVAILABLE', partition, needed, got, missing }
}

/** Bytes of records, for bounds. */
export function recordBytes(record: VersionRecord): number {
  if (record.kind === 'lww') return 64 + (record.value?.byteLength ?? 0)
  let bytes = 64
  for (const entry of record.set) for (const sibling of entry.siblings) bytes += 64 + (sibling.value?.byteLength ?? 0)
  return bytes
}
