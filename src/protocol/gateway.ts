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
import type { ProtocolConfig } from './config.js'
import { Coordination } from './coordinator/coordination.js'
import type { CoordinationLoad } from './coordinator/load.js'
import { type OperationOutcome, WRITTEN } from './coordinator/request.js'
import { type Asked, StampAsks } from './coordinator/stamp-asks.js'
import type { Failure, FailureCode } from './failure.js'
import { IdTable } from './id-table.js'
import type { Address, GatewayId, Key, NodeId, PartitionId } from './ids.js'
import { SUPERVISOR } from './ids.js'
import type { CoordinateRequest, KeyRange, Message, RequestId } from './messages.js'
import { MAJORITY, readQuorumOf, writeQuorumOf } from './ring/quorum.js'
import { partitionOf } from './ring/slot.js'
import { type PartitionTable, rowOf } from './ring/table.js'
import type { CausalContext } from './versions/dvv.js'
import type { VersionRecord } from './versions/record.js'
import { type Stamp, stampOf, stampTimePart } from './versions/stamp.js'

/** A request of the program. `id`s are whole numbers that the program's side counts up. */
export type ClientRequest =
  | {
      readonly kind: 'get'
      readonly id: number
      readonly key: Key
      readonly r: number
      readonly sloppy: boolean
      readonly deadlineMs: number
    }
  | {
      readonly kind: 'put'
      readonly id: number
      /** Of duplicate keys the last wins. */
      readonly keys: readonly Key[]
      /** null: delete. */
      readonly values: readonly (Uint8Array | null)[]
      readonly w: number
      readonly sloppy: boolean
      readonly context?: CausalContext
      readonly deadlineMs: number
    }
  | {
      readonly kind: 'scan'
      readonly id: number
      readonly range: KeyRange
      readonly limit: number
      readonly bytesMax: number
      readonly r: number
      readonly deadlineMs: number
    }

/** `more`: another input of the same turn follows, and nothing is sent yet; the host ends the turn with `flush`. */
export type GatewayEvent =
  /** The requests of one turn. `stampTimeNs`: the shared clock, read after they were taken; undefined: it must not be used. */
  | {
      readonly type: 'client/requests'
      readonly requests: readonly ClientRequest[]
      readonly stampTimeNs: bigint | undefined
      readonly more?: boolean
    }
  | { readonly type: 'message'; readonly from: Address; readonly message: Message; readonly more?: boolean }
  | { readonly type: 'timer' }
  /** The turn is over: what has gathered leaves. */
  | { readonly type: 'flush' }
  /** No more requests; those that run end now. */
  | { readonly type: 'close' }

export type GatewayEffect =
  | { readonly type: 'send'; readonly to: Address; readonly message: Message }
  | { readonly type: 'reply'; readonly id: number; readonly outcome: OperationOutcome }
  | { readonly type: 'repair'; readonly key: Key; readonly nodes: readonly NodeId[]; readonly blocking: boolean }
  | { readonly type: 'table'; readonly table: PartitionTable }

export interface GatewayConfig extends ProtocolConfig {
  readonly coordination: 'client' | 'server'
  readonly requestsInFlightMax: number
  readonly bytesInFlightMax: number
}

/** Ids of a batch's groups and of asks; below it an operation's id is twice its request's. Even, as callers' ids are. */
const OWN_ID_BASE = 2 ** 40

/** A batch that was split by partition: ends when all groups have, with the worst outcome. */
interface Join {
  readonly id: number
  readonly groups: number
  waiting: number
  written: number
  failure: Failure | undefined
}

export class Gateway {
  readonly id: GatewayId
  readonly #config: GatewayConfig
  readonly #coordination: Coordination
  readonly #joins = new IdTable<Join>()
  /** Undefined: the clock is shared. */
  readonly #asks: StampAsks<ClientRequest & { kind: 'put' }> | undefined
  #nextId = OWN_ID_BASE
  #closed = false
  #effects: GatewayEffect[] = []

  constructor(id: GatewayId, config: GatewayConfig, table: PartitionTable) {
    this.id = id
    this.#config = config
    this.#coordination = new Coordination(config, table)
    this.#asks = config.sharedClock || config.conflict === 'siblings' ? undefined : new StampAsks(id)
  }

  get table(): PartitionTable {
    return this.#coordination.table
  }

  /** Requests not answered yet. */
  get running(): number {
    return this.#coordination.running
  }

  /** Writes that are answered but still see to owners that missed them. */
  get lingering(): number {
    return this.#coordination.lingering
  }

  /** For bounds. */
  load(): CoordinationLoad {
    return this.#coordination.load()
  }

  nextDeadlineMs(): number {
    return this.#coordination.nextDeadlineMs()
  }

  step(event: GatewayEvent, nowMs: number): readonly GatewayEffect[] {
    switch (event.type) {
      case 'client/requests':
        this.#onRequests(event.requests, event.stampTimeNs, nowMs)
        break
      case 'message':
        this.#onMessage(event.from, event.message, nowMs)
        break
      case 'timer':
        this.#coordination.onTimer(nowMs)
        break
      case 'flush':
        break
      case 'close':
        this.#closed = true
        this.#coordination.endAll('CLOSED', nowMs)
        break
      default:
        event satisfies never
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
          break
        case 'scan':
          this.#coordination.submit({ ...request, id: request.id * 2 }, nowMs)
          break
        default:
          request satisfies never
      }
    }
  }

  #refusalOf(request: ClientRequest, stampTimeNs: bigint | undefined): FailureCode | undefined {
    if (this.#closed) return 'CLOSED'
    if (this.#coordination.running >= this.#config.requestsInFlightMax) return 'OVERLOADED'
    if (this.#coordination.bytes >= this.#config.bytesInFlightMax) return 'OVERLOADED'
    if (request.kind === 'put' && stampTimeNs === undefined) return 'CLOCK_UNAVAILABLE'
    return undefined
  }

  #submitGet(request: Omit<ClientRequest & { kind: 'get' }, 'id'>, id: RequestId, nowMs: number): void {
    if (this.#config.coordination === 'client') {
      const { key, r, sloppy, deadlineMs } = request
      this.#coordination.submit({ kind: 'get', id, key, r, sloppy, deadlineMs }, nowMs)
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
    if (keys.length === 1) {
      const partition = partitionOf(keys[0] as Key, this.#config.partitions)
      return this.#submitGroup(request, { id: id * 2, partition, keys, values }, stamp, nowMs)
    }
    const groups = groupByPartition(keys, values, this.#config.partitions)
    if (groups.length === 0) this.#effects.push({ type: 'reply', id, outcome: WRITTEN })
    const join: Join = { id, groups: groups.length, waiting: groups.length, written: 0, failure: undefined }
    for (const group of groups) {
      const groupId = this.#takeId()
      this.#joins.add(groupId, join)
      this.#submitGroup(request, { ...group, id: groupId }, stamp, nowMs)
    }
  }

  /** The keys of one partition: the last of duplicate keys, and only that. */
  #submitGroup(
    request: ClientRequest & { kind: 'put' },
    group: Group & { readonly id: RequestId },
    stamp: Stamp,
    nowMs: number,
  ): void {
    const { id, partition, keys, values } = group
    const { w, sloppy, deadlineMs, context } = request
    if (this.#config.conflict === 'siblings') {
      const update = { kind: 'update' as const, id, partition, keys, values, stamp, w, deadlineMs }
      this.#forward(context === undefined ? update : { ...update, context }, partition, bytesOf(values), nowMs)
      return
    }
    const records: VersionRecord[] = []
    for (const value of values) records.push({ kind: 'lww', stamp, value })
    const put = { kind: 'put' as const, id, partition, keys, records, w, sloppy, deadlineMs }
    if (this.#config.coordination === 'client') this.#coordination.submit(put, nowMs)
    else this.#forward(put, partition, bytesOf(values), nowMs)
  }

  #forward(payload: CoordinateRequest, partition: PartitionId, bytes: number, nowMs: number): void {
    this.#coordination.submit({ kind: 'forward', id: payload.id, partition, bytes, payload }, nowMs)
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
    let isAsked = false
    for (const { id, outcome } of output.ends) {
      if (this.#asks?.isOurs(id) !== true) this.#onEnd(id, outcome)
      else isAsked = this.#onAsked(this.#asks.onRead(id, outcome), nowMs) || isAsked
    }
    for (const { to, message } of output.sends) this.#effects.push({ type: 'send', to, message })
    for (const repair of output.repairs) this.#effects.push({ type: 'repair', ...repair })
    if (output.hintsLost.size > 0) {
      const message: Message = { type: 'hint/lost', targets: [...output.hintsLost].sort() }
      this.#effects.push({ type: 'send', to: SUPERVISOR, message })
    }
    // What was stamped now leaves in this step.
    if (isAsked) this.#collect(more, nowMs)
  }

  /** True: a write begins. */
  #onAsked(asked: Asked<ClientRequest & { kind: 'put' }> | undefined, nowMs: number): boolean {
    if (asked === undefined) return false
    const { put, stamped } = asked
    if (typeof stamped === 'string') this.#submitPut(put, stamped, nowMs)
    else this.#effects.push({ type: 'reply', id: put.id, outcome: { type: 'failed', failure: stamped } })
    return typeof stamped === 'string'
  }

  #onEnd(id: RequestId, outcome: OperationOutcome): void {
    if (id < OWN_ID_BASE) {
      this.#effects.push({ type: 'reply', id: id / 2, outcome })
      return
    }
    const join = this.#joins.take(id)
    assert(join !== undefined, 'a group ends once', { id })
    join.waiting -= 1
    if (outcome.type !== 'failed') join.written += 1
    else if (join.failure?.code !== 'OUTCOME_UNKNOWN') join.failure = outcome.failure
    if (join.waiting === 0) this.#effects.push({ type: 'reply', id: join.id, outcome: outcomeOf(join) })
  }
}

/**
 * How a batch as a whole ended. Where one group was written and another failed, it is *outcome unknown*: a definite
 * failure would say that nothing was kept.
 */
function outcomeOf(join: Join): OperationOutcome {
  const { failure, written, groups } = join
  if (failure === undefined) return WRITTEN
  if (written === 0 || failure.code === 'OUTCOME_UNKNOWN') return { type: 'failed', failure }
  const detail = `written in ${written} of ${groups} partitions; in another it failed with ${failure.code}`
  return { type: 'failed', failure: { ...failure, code: 'OUTCOME_UNKNOWN', detail } }
}

interface Group {
  readonly partition: PartitionId
  readonly keys: readonly Key[]
  readonly values: readonly (Uint8Array | null)[]
}

function bytesOf(values: readonly (Uint8Array | null)[]): number {
  return values.reduce((sum, value) => sum + (value?.byteLength ?? 0) + 128, 0)
}

/** One group a partition, in order of first appearance; of duplicate keys the last wins. */
function groupByPartition(
  keys: readonly Key[],
  values: readonly (Uint8Array | null)[],
  partitions: number,
): readonly Group[] {
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
