/**
 * The gateway's core: where a program's requests enter. It admits them, stamps writes, splits batches by partition, and
 * has them coordinated: here (`coordination: 'client'`), or by a node (`'server'`, and every write under `siblings`).
 *
 * Sans-I/O like `DynamoNode`: `step(event, nowMs)` gives effects. It must answer every request exactly once, stamp it
 * exactly once, and refuse at once what it cannot hold.
 *
 * Called by `actors/gateway.actor.ts` in the caller's thread, and by the simulator.
 */

import { assert } from './assert.js'
import { BatchReplay } from './batch-log/batch-replay.js'
import { LOG_RANGE, type LogOwner } from './batch-log/log-keys.js'
import { LoggedBatches, type WriteOptions } from './batch-log/logged-batches.js'
import { type BatchGroup, groupByPartition, type Join, outcomeOf } from './batch-log/split-batch.js'
import { Coordination } from './coordinator/coordination.js'
import type { CoordinationLoad } from './coordinator/load.js'
import { type OperationOutcome, WRITTEN } from './coordinator/request.js'
import type { RequestObserver } from './coordinator/request-observer.js'
import { type Asked, StampAsks } from './coordinator/stamp-asks.js'
import type { FailureCode } from './failure.js'
import type { ClientRequest, GatewayConfig, GatewayEffect, GatewayEvent } from './gateway-contract.js'
import { IdTable } from './id-table.js'
import type { Address, GatewayId, Key, PartitionId } from './ids.js'
import { SUPERVISOR } from './ids.js'
import type { CoordinateRequest, Message, RequestId } from './messages.js'
import { MAJORITY, readQuorumOf, writeQuorumOf } from './ring/quorum.js'
import { partitionOf } from './ring/slot.js'
import { type PartitionTable, rowOf } from './ring/table.js'
import type { CausalContext } from './versions/dvv.js'
import type { VersionRecord } from './versions/record.js'
import { type Stamp, stampOf, stampTimePart } from './versions/stamp.js'

/** Of a page of the batches' log. */
const LOG_PAGE_KEYS = 256
const LOG_PAGE_BYTES = 4_194_304

/** Ids of a batch's groups and of asks; below it an operation's id is twice its request's. Even, as callers' ids are. */
const OWN_ID_BASE = 2 ** 40

export class Gateway {
  readonly id: GatewayId
  readonly #config: GatewayConfig
  readonly #coordination: Coordination
  readonly #joins = new IdTable<Join>()
  /** Undefined: the clock is shared. */
  readonly #asks: StampAsks<ClientRequest & { kind: 'put' }> | undefined
  readonly #batches: LoggedBatches
  readonly #replay: BatchReplay
  /** Of the step that runs. */
  #nowMs = 0
  /** Of the coordination, when batches that failed were last tried again for one. */
  #changesSeen = 0
  /** Something was submitted since the output was taken. */
  #hasBegun = false
  #nextId = OWN_ID_BASE
  #closed = false
  #effects: GatewayEffect[] = []

  constructor(id: GatewayId, config: GatewayConfig, table: PartitionTable) {
    this.id = id
    this.#config = config
    this.#coordination = new Coordination(config, table)
    this.#asks = config.sharedClock || config.conflict === 'siblings' ? undefined : new StampAsks(id)
    this.#batches = new LoggedBatches(id, config, {
      takeId: () => this.#takeId(),
      write: (group, stamp, options) => {
        if (group.caller !== undefined) this.#coordination.observer?.onPart(group.caller, group.id)
        this.#submitGroup(group, stamp, options, this.#nowMs)
      },
      reply: (caller, outcome) => this.#effects.push({ type: 'reply', id: caller, outcome }),
    })
    this.#replay = new BatchReplay(
      (after, deadlineMs) => this.#scanLog(after, deadlineMs),
      (stamp, logKeys, entry) => {
        const groups = entry === undefined ? [] : groupByPartition(entry.keys, entry.values, config.partitions)
        if (entry !== undefined) this.#effects.push({ type: 'adopted', keys: entry.keys })
        this.#batches.adopt(stamp, logKeys, groups, config.w, this.#nowMs)
      },
    )
  }

  get table(): PartitionTable {
    return this.#coordination.table
  }

  /** Requests not answered yet. */
  get running(): number {
    return this.#coordination.running
  }

  /** Whose its logged batches are. */
  get logOwner(): LogOwner {
    return this.#batches.owner
  }

  /** Writes that are answered but still see to owners that missed them, or to the rest of their batch. */
  get lingering(): number {
    return this.#coordination.lingering + this.#batches.lingering + (this.#replay.isAwaited ? 1 : 0)
  }

  /** A logged batch may still write what it should have written long ago: no delete may be forgotten meanwhile. */
  hasLateBatches(nowMs: number): boolean {
    return this.#replay.isUnderWay || this.#batches.isLate(nowMs)
  }

  /** For bounds. */
  load(): CoordinationLoad {
    return { ...this.#coordination.load(), running: this.#inFlight, bytes: this.#bytes }
  }

  /** Requests of the program: of a logged batch one, whatever is under way for it. */
  get #inFlight(): number {
    return this.#coordination.running - this.#batches.writesUnderWay + this.#batches.waiting
  }

  get #bytes(): number {
    return this.#coordination.bytes + this.#batches.bytes
  }

  nextDeadlineMs(): number {
    const own = Math.min(this.#batches.nextDeadlineMs(), this.#replay.nextDeadlineMs)
    return Math.min(this.#coordination.nextDeadlineMs(), own)
  }

  /** Looks on from now on; undefined: nobody does. A request without parts is the operation of twice its number. */
  observe(observer: RequestObserver | undefined): void {
    this.#coordination.observer = observer
  }

  step(event: GatewayEvent, nowMs: number): readonly GatewayEffect[] {
    this.#nowMs = nowMs
    switch (event.type) {
      case 'client/requests':
        this.#onRequests(event.requests, event.stampTimeNs, nowMs)
        break
      case 'message':
        this.#onMessage(event.from, event.message, nowMs)
        break
      case 'link/closed':
        this.#coordination.onLinkClosed(event.node, event.incarnation, nowMs)
        break
      case 'timer':
        this.#coordination.onTimer(nowMs)
        this.#batches.onTimer(nowMs)
        this.#replay.onTimer(nowMs)
        break
      case 'batches/replay':
        this.#replay.start(event, nowMs)
        break
      case 'flush':
        break
      case 'close':
        this.#closed = true
        this.#batches.close()
        this.#replay.close()
        this.#coordination.endAll('CLOSED', nowMs)
        break
      default:
        event satisfies never
    }
    if (this.#coordination.changes !== this.#changesSeen) {
      this.#changesSeen = this.#coordination.changes
      this.#batches.onChange(nowMs)
      this.#replay.onChange(nowMs)
    }
    this.#collect('more' in event && event.more === true, nowMs)
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  #onRequests(requests: readonly ClientRequest[], stampTimeNs: bigint | undefined, nowMs: number): void {
    let index = 0
    const stampPrefix = `${stampTimePart(stampTimeNs ?? 0n)}.${this.id}.`
    for (const request of requests) {
      const refusal = this.#refusalOf(request, stampTimeNs)
      if (refusal !== undefined) {
        this.#effects.push({ type: 'reply', id: request.id, outcome: { type: 'failed', failure: { code: refusal } } })
        continue
      }
      switch (request.kind) {
        case 'get':
          this.#submitGet(request, request.id * 2, nowMs)
          break
        case 'put':
          if (this.#asks !== undefined && request.keys.length > 0) this.#askFirst(request, stampTimeNs ?? 0n, nowMs)
          else this.#submitPut(request, stampOf(stampPrefix, index++), nowMs)
          // The next stamp is for clearing its log.
          if (request.logged === true) index += 1
          break
        case 'scan':
          this.#submit({ ...request, id: request.id * 2 }, nowMs)
          break
        default:
          request satisfies never
      }
    }
  }

  #refusalOf(request: ClientRequest, stampTimeNs: bigint | undefined): FailureCode | undefined {
    if (this.#closed) return 'CLOSED'
    if (this.#inFlight >= this.#config.requestsInFlightMax) return 'OVERLOADED'
    if (this.#bytes >= this.#config.bytesInFlightMax) return 'OVERLOADED'
    if (request.kind === 'put' && request.logged === true && this.#batches.isFull) return 'OVERLOADED'
    if (request.kind === 'put' && stampTimeNs === undefined) return 'CLOCK_UNAVAILABLE'
    return undefined
  }

  #submitGet(request: Omit<ClientRequest & { kind: 'get' }, 'id'>, id: RequestId, nowMs: number): void {
    if (this.#config.coordination === 'client') {
      const { key, r, sloppy, deadlineMs } = request
      this.#submit({ kind: 'get', id, key, r, sloppy, deadlineMs }, nowMs)
      return
    }
    const partition = partitionOf(request.key, this.#config.partitions)
    this.#forward({ ...request, id }, partition, request.key.length, nowMs)
  }

  #askFirst(put: ClientRequest & { kind: 'put' }, timeNs: bigint, nowMs: number): void {
    const { sloppy, deadlineMs } = put
    const keys = [...new Set(put.keys)]
    const reads = keys.map(() => this.#takeId())
    this.#asks?.begin(put, reads, timeNs)
    keys.forEach((key, place) => {
      const places = rowOf(this.table, partitionOf(key, this.#config.partitions)).owners.length
      const { r: asked, w } = this.#config
      const isMajority = asked === MAJORITY && w === MAJORITY
      const least = places - writeQuorumOf(this.#config, places) + 1
      const r = isMajority ? MAJORITY : Math.max(readQuorumOf(this.#config, places), least)
      this.#submitGet({ kind: 'get', key, r, sloppy, deadlineMs }, reads[place] as RequestId, nowMs)
    })
  }

  #submitPut(request: ClientRequest & { kind: 'put' }, stamp: Stamp, nowMs: number): void {
    const { id, keys, values } = request
    if (request.mirrored === true) this.#effects.push({ type: 'stamped', id, stamp })
    if (keys.length === 1) {
      const partition = partitionOf(keys[0] as Key, this.#config.partitions)
      return this.#submitGroup({ id: id * 2, partition, keys, values }, stamp, request, nowMs)
    }
    const groups = groupByPartition(keys, values, this.#config.partitions)
    if (request.logged === true && groups.length > 1) {
      const { w, sloppy, deadlineMs } = request
      return this.#batches.begin(id, stamp, groups, { w, sloppy, deadlineMs })
    }
    if (groups.length === 0) this.#effects.push({ type: 'reply', id, outcome: WRITTEN })
    const join: Join = { id, groups: groups.length, waiting: groups.length, written: 0, failure: undefined }
    for (const group of groups) {
      const groupId = this.#takeId()
      this.#joins.add(groupId, join)
      this.#coordination.observer?.onPart(id, groupId)
      this.#submitGroup({ ...group, id: groupId }, stamp, request, nowMs)
    }
  }

  /** The keys of one partition: the last of duplicate keys, and only that. */
  #submitGroup(
    group: BatchGroup & { readonly id: RequestId },
    stamp: Stamp,
    { w, sloppy, deadlineMs, context }: WriteOptions & { readonly context?: CausalContext },
    nowMs: number,
  ): void {
    const { id, partition, keys, values } = group
    if (this.#config.conflict === 'siblings') {
      const update = { kind: 'update' as const, id, partition, keys, values, stamp, w, deadlineMs }
      this.#forward(context === undefined ? update : { ...update, context }, partition, bytesOf(values), nowMs)
      return
    }
    const records: VersionRecord[] = []
    for (const value of values) records.push({ kind: 'lww', stamp, value })
    const put = { kind: 'put' as const, id, partition, keys, records, w, sloppy, deadlineMs }
    if (this.#config.coordination === 'client') this.#submit(put, nowMs)
    else this.#forward(put, partition, bytesOf(values), nowMs)
  }

  #forward(payload: CoordinateRequest, partition: PartitionId, bytes: number, nowMs: number): void {
    this.#submit({ kind: 'forward', id: payload.id, partition, bytes, payload }, nowMs)
  }

  #scanLog(after: Key | undefined, deadlineMs: number): RequestId {
    const id = this.#takeId()
    const range = after === undefined ? LOG_RANGE : { ...LOG_RANGE, from: after, fromExclusive: true }
    const page = { limit: LOG_PAGE_KEYS, bytesMax: LOG_PAGE_BYTES, r: MAJORITY, deadlineMs }
    this.#submit({ kind: 'scan', id, range, ...page }, this.#nowMs)
    return id
  }

  #submit(operation: Parameters<Coordination['submit']>[0], nowMs: number): void {
    this.#hasBegun = true
    this.#coordination.submit(operation, nowMs)
  }

  #takeId(): RequestId {
    const id = this.#nextId
    this.#nextId += 2
    return id
  }

  #onMessage(from: Address, message: Message, nowMs: number): void {
    switch (message.type) {
      case 'replica/read-reply':
      case 'replica/write-reply':
      case 'replica/scan-reply':
      case 'hint/stored':
      case 'coordinate/taken':
        return this.#coordination.onReply(from, message, nowMs)
      case 'coordinate/replies':
        return this.#coordination.onOutcomes(from, message, nowMs)
      case 'link/pong':
        return this.#coordination.onPong(from, message.replyTo, nowMs)
      case 'peer/changed':
        return this.#coordination.onPeer(message, nowMs)
      case 'table/announce': {
        const { epoch } = this.#coordination.table
        this.#coordination.onTable(message.table, nowMs)
        if (this.#coordination.table.epoch > epoch) this.#effects.push({ type: 'table', table: message.table })
        return
      }
      case 'table/request':
        if (message.epoch < this.table.epoch) {
          this.#effects.push({ type: 'send', to: from, message: { type: 'table/announce', table: this.table } })
        }
        return
      default:
        assert(false, 'nobody sends this to a gateway', { type: message.type, from })
    }
  }

  #collect(more: boolean, nowMs: number): void {
    const output = this.#coordination.takeOutput(!more)
    this.#hasBegun = false
    for (const { id, outcome } of output.ends) this.#onEnd(id, outcome, nowMs)
    for (const { to, message } of output.sends) this.#effects.push({ type: 'send', to, message })
    for (const repair of output.repairs) this.#effects.push({ type: 'repair', ...repair })
    if (output.hintsLost.size > 0) {
      const message: Message = { type: 'hint/lost', targets: [...output.hintsLost].sort() }
      this.#effects.push({ type: 'send', to: SUPERVISOR, message })
    }
    // What an end has led to leaves in this step.
    if (this.#hasBegun) this.#collect(more, nowMs)
  }

  #onAsked(asked: Asked<ClientRequest & { kind: 'put' }> | undefined, nowMs: number): void {
    if (asked === undefined) return
    const { put, stamped } = asked
    if (typeof stamped === 'string') this.#submitPut(put, stamped, nowMs)
    else this.#effects.push({ type: 'reply', id: put.id, outcome: { type: 'failed', failure: stamped } })
  }

  #onEnd(id: RequestId, outcome: OperationOutcome, nowMs: number): void {
    if (id < OWN_ID_BASE) {
      this.#effects.push({ type: 'reply', id: id / 2, outcome })
      return
    }
    if (this.#asks?.isOurs(id) === true) return this.#onAsked(this.#asks.onRead(id, outcome), nowMs)
    if (this.#batches.isOurs(id) && outcome.type !== 'page') return this.#batches.onEnd(id, outcome, nowMs)
    if (this.#replay.isOurs(id)) return this.#replay.onPage(outcome, nowMs)
    const join = this.#joins.take(id)
    assert(join !== undefined, 'a group ends once', { id })
    join.waiting -= 1
    if (outcome.type !== 'failed') join.written += 1
    else if (join.failure?.code !== 'OUTCOME_UNKNOWN') join.failure = outcome.failure
    if (join.waiting === 0) this.#effects.push({ type: 'reply', id: join.id, outcome: outcomeOf(join) })
  }
}

function bytesOf(values: readonly (Uint8Array | null)[]): number {
  return values.reduce((sum, value) => sum + (value?.byteLength ?? 0) + 128, 0)
}
