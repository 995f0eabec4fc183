/**
 * One node as a coordinator sees it: whether it lives, whether it is silent, and a lane for each kind of data message.
 *
 * Two kinds of knowledge: *certain* (the supervisor saw the thread end, or it is ready) and *suspicion* (it has been
 * silent for `avoidAfterMs` with mail outstanding). A silent peer keeps what it was sent, and gets nothing more until it
 * answers. Called by `Coordination`.
 */

import { MESSAGE_OPERATIONS_MAX, type QueueLimits } from '../config.js'
import type { Epoch, Incarnation, Key, NodeId, PartitionId } from '../ids.js'
import type { CoordinateRequest, Message, MessageId, PeerStatus, Purpose, ReplicaScan } from '../messages.js'
import type { VersionRecord } from '../versions/record.js'
import { Lane, type LaneEntry } from './lane.js'
import { type HintLeg, type Request, recordBytes, type ScanLeg } from './request.js'
import { operationsOf, type RequestObserver } from './request-observer.js'

export interface ReadEntry extends LaneEntry {
  readonly key: Key
  readonly rowEpoch: Epoch
}

export interface WriteEntry extends LaneEntry {
  readonly partition: PartitionId
  readonly rowEpoch: Epoch
  readonly purpose: Purpose
  readonly keys: readonly Key[]
  readonly records: readonly VersionRecord[]
}

export interface ScanEntry extends LaneEntry {
  readonly scan: Omit<ReplicaScan, 'id' | 'epoch'>
}

export interface HintEntry extends LaneEntry {
  readonly target: NodeId
  readonly partition: PartitionId
  readonly key: Key
  readonly record: VersionRecord
}

export interface CoordinateEntry extends LaneEntry {
  readonly payload: CoordinateRequest
}

/** What leaves in one turn, and how. */
export interface FlushTurn {
  readonly epoch: Epoch
  readonly nowMs: number
  readonly observer: RequestObserver | undefined
  nextId(): MessageId
  send(to: NodeId, message: Message): void
}

/** Between two probes of a slow peer. */
const PROBE_MS = 250

export class Peer {
  status: PeerStatus
  incarnation: Incarnation
  /** Silent with mail outstanding; cleared by any reply and by a new life. */
  silent = false
  /** When it stopped being up; undefined while it is. Bounds the hint window. */
  absentSinceMs: number | undefined = undefined
  /** Until then other replicas are read from first (slow start): a thread that has just begun is slow. */
  warmAtMs = 0
  /** How long its answers take that need no disk, and those to writes, smoothed; 0: none has come in this life. */
  readLatencyMs = 0
  writeLatencyMs = 0
  /** Its answers take much longer than others': other replicas are read from first, and it is only probed. */
  isSlow = false
  /** Its writes take much longer than others': until then it is taken to lack what has just been written. */
  behindUntilMs = 0
  /** Slow: when it is probed next. */
  probeAtMs = 0
  /** Down for good, and its store is open to be read by who heals a record. */
  isSalvaged = false
  /** Position among all peers by id, 0…63: the order in which reads are packed. */
  order = 0
  /** Requests it took to coordinate and has not ended. */
  forwarded = 0
  heardAtMs = 0
  /** Silent: when it is asked next whether it is there; the last such question, and when it was asked. */
  pingAtMs = 0
  pingId: MessageId = 0
  pingedAtMs = 0
  readonly reads: Lane<ReadEntry>
  /** Reads by fallbacks' hints (sloppy). */
  readonly fallbackReads: Lane<ReadEntry>
  readonly writes: Lane<WriteEntry>
  readonly scans: Lane<ScanEntry>
  readonly hints: Lane<HintEntry>
  readonly coordinate: Lane<CoordinateEntry>

  readonly lanes: readonly Lane<LaneEntry>[]

  constructor(
    readonly node: NodeId,
    incarnation: Incarnation,
    status: PeerStatus,
    limits: QueueLimits,
  ) {
    this.incarnation = incarnation
    this.status = status
    this.reads = new Lane(limits)
    this.fallbackReads = new Lane(limits)
    this.writes = new Lane(limits)
    this.scans = new Lane(limits)
    this.hints = new Lane(limits)
    this.coordinate = new Lane(limits)
    this.lanes = [this.reads, this.fallbackReads, this.writes, this.scans, this.hints, this.coordinate]
  }

  /** Its slow start is over. */
  isWarm(nowMs: number): boolean {
    return nowMs >= this.warmAtMs
  }

  isBehind(nowMs: number): boolean {
    return nowMs < this.behindUntilMs
  }

  /** Anything by which it may be passed over while there is somebody else. */
  isLate(nowMs: number): boolean {
    return this.isSlow || this.isBehind(nowMs) || !this.isWarm(nowMs)
  }

  /** True, once in a while: it is slow, and is to be asked beside those that are asked anyway, to see whether it still is. */
  takeProbe(nowMs: number): boolean {
    if (!this.isSlow || !this.healthy || nowMs < this.probeAtMs) return false
    this.probeAtMs = nowMs + PROBE_MS
    return true
  }

  /** A new thread reads the store that it left; what the one before it was asked is answered by nobody. */
  openSalvage(): void {
    if (this.status !== 'down') return
    this.reads.reset()
    this.isSalvaged = true
  }

  /** Lives and answers. */
  get healthy(): boolean {
    return this.status === 'up' && !this.silent
  }

  // False from these: the queue is full, and for this entry the node is missing.

  pushRead(request: Request, key: Key, rowEpoch: Epoch, fallback: boolean): boolean {
    const lane = fallback ? this.fallbackReads : this.reads
    const { deadlineMs } = request
    return lane.push({ request, operations: 1, bytes: key.length, deadlineMs, key, rowEpoch })
  }

  pushScan(request: Request, leg: ScanLeg, rowEpochs: readonly Epoch[]): boolean {
    const { deadlineMs } = request
    const { node: _, ...page } = leg
    const scan = { type: 'replica/scan' as const, request: request.id, rowEpochs, deadlineMs, ...page }
    return this.scans.push({ request, operations: MESSAGE_OPERATIONS_MAX, bytes: 0, deadlineMs, scan })
  }

  pushHint(request: Request, leg: HintLeg): boolean {
    const { deadlineMs } = request
    const { keeper: _, ...payload } = leg
    const bytes = 160 + leg.key.length + recordBytes(leg.record)
    return this.hints.push({ request, operations: 1, bytes, deadlineMs, ...payload })
  }

  pushCoordinate(request: Request, payload: CoordinateRequest): boolean {
    const { bytes, deadlineMs } = request
    return this.coordinate.push({ request, operations: 1, bytes, deadlineMs, payload })
  }

  /** When the oldest unanswered message was sent; undefined if there is none. */
  oldestSentAtMs(): number | undefined {
    let oldest: number | undefined
    for (const lane of this.lanes) {
      const sentAtMs = lane.outstanding?.sentAtMs
      if (sentAtMs !== undefined && (oldest === undefined || sentAtMs < oldest)) oldest = sentAtMs
    }
    return oldest
  }

  /** Every message that may leave now; `nextId` numbers them. */
  flush(turn: FlushTurn): void {
    const { epoch, nowMs, nextId } = turn
    this.#flushReads(this.reads, false, turn)
    this.#flushReads(this.fallbackReads, true, turn)
    if (this.writes.outstanding === undefined && this.writes.queued > 0) {
      const id = nextId()
      const entries = this.writes.take(id, nowMs)
      if (entries !== undefined) this.#send(this.writes, writeMessage(id, epoch, entries), turn)
    }
    if (this.scans.outstanding === undefined && this.scans.queued > 0) this.#flushScan(turn)
    if (this.hints.outstanding === undefined && this.hints.queued > 0) {
      const id = nextId()
      const hints = this.hints.take(id, nowMs)
      if (hints !== undefined) this.#send(this.hints, hintMessage(id, epoch, hints), turn)
    }
    if (this.coordinate.outstanding === undefined && this.coordinate.queued > 0) {
      const id = nextId()
      const requests = this.coordinate.take(id, nowMs)
      if (requests !== undefined) {
        // Counted when they leave: what is taken back before, or has expired, it never took.
        if (this.forwarded === 0) this.heardAtMs = nowMs
        this.forwarded += requests.length
        const payloads: CoordinateRequest[] = []
        for (const { payload } of requests) payloads.push(payload)
        this.#send(this.coordinate, { type: 'coordinate/requests', id, epoch, requests: payloads }, turn)
      }
    }
  }

  #flushReads(lane: Lane<ReadEntry>, fallback: boolean, turn: FlushTurn): void {
    if (lane.outstanding !== undefined || lane.queued === 0) return
    const id = turn.nextId()
    const entries = lane.take(id, turn.nowMs)
    if (entries === undefined) return
    // Filled by `push`: see `actors/runtime/columns.ts`.
    const keys: Key[] = []
    const rowEpochs: number[] = []
    const deadlinesMs: number[] = []
    for (const entry of entries) {
      keys.push(entry.key)
      rowEpochs.push(entry.rowEpoch)
      deadlinesMs.push(entry.deadlineMs)
    }
    const columns = { keys, rowEpochs, deadlinesMs }
    this.#send(lane, { type: 'replica/read', id, epoch: turn.epoch, ...columns, fallback }, turn)
  }

  #flushScan(turn: FlushTurn): void {
    const id = turn.nextId()
    // One scan a message: `operations` of a scan entry is the bound, so that `take` cuts after one.
    const [entry] = this.scans.take(id, turn.nowMs) ?? []
    if (entry !== undefined) this.#send(this.scans, { ...entry.scan, id, epoch: turn.epoch }, turn)
  }

  #send(lane: Lane<LaneEntry>, message: Message, turn: FlushTurn): void {
    lane.sent(message)
    turn.send(this.node, message)
    if (turn.observer === undefined || lane.outstanding === undefined) return
    const { id, entries } = lane.outstanding
    turn.observer.onSent({ node: this.node, id, type: message.type, operations: operationsOf(entries) })
  }
}

function writeMessage(id: MessageId, epoch: Epoch, entries: readonly WriteEntry[]): Message {
  const partitions: number[] = []
  const rowEpochs: number[] = []
  const deadlinesMs: number[] = []
  const purposes: Purpose[] = []
  const counts: number[] = []
  const keys: Key[] = []
  const records: VersionRecord[] = []
  for (const entry of entries) {
    partitions.push(entry.partition)
    rowEpochs.push(entry.rowEpoch)
    deadlinesMs.push(entry.deadlineMs)
    purposes.push(entry.purpose)
    counts.push(entry.keys.length)
    for (let index = 0; index < entry.keys.length; index++) {
      keys.push(entry.keys[index] as Key)
      records.push(entry.records[index] as VersionRecord)
    }
  }
  return { type: 'replica/write', id, epoch, partitions, rowEpochs, deadlinesMs, purposes, counts, keys, records }
}

function hintMessage(id: MessageId, epoch: Epoch, entries: readonly HintEntry[]): Message {
  return {
    type: 'hint/store',
    id,
    epoch,
    targets: entries.map((entry) => entry.target),
    partitions: entries.map((entry) => entry.partition),
    keys: entries.map((entry) => entry.key),
    records: entries.map((entry) => entry.record),
  }
}
