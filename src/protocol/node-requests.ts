/**
 * The requests that a node coordinates: for gateways (`coordination: 'server'`, sibling updates), and for itself (hints that
 * are handed over, records that an exchange found missing, damaged records that are learned anew).
 *
 * It keeps what each was started for, and carries its end back to whoever waits. A part of `DynamoNode`, called by nobody
 * else; the quorum logic is the coordination's, what a store takes is the replica's.
 */

import { assert } from './assert.js'
import { type ProtocolConfig, SIBLINGS_MAX, UPDATES_MAX } from './config.js'
import type { Coordination } from './coordinator/coordination.js'
import type { Learning, OperationOutcome } from './coordinator/request.js'
import type { FailureCode } from './failure.js'
import { IdTable } from './id-table.js'
import type { ActorId, GatewayId, Key, NodeId } from './ids.js'
import { SUPERVISOR } from './ids.js'
import type { LocalWrite } from './local-write.js'
import {
  type CoordinateRequest,
  type CoordinateRequests,
  type MessageId,
  PURPOSE,
  type Purpose,
  REPLY,
  type ReplyStatus,
  type RequestId,
} from './messages.js'
import type { NodeIdentity } from './node-identity.js'
import type { NodePost } from './node-post.js'
import { Heals } from './repair/heals.js'
import type { Replica } from './replica.js'
import { partitionOf } from './ring/slot.js'
import { isFullOwner } from './ring/table.js'
import type { TableKeeper } from './table-keeper.js'
import { dvvSiblings, dvvUpdate } from './versions/dvv.js'
import type { VersionRecord } from './versions/record.js'
import { makeStamp } from './versions/stamp.js'

type Update = CoordinateRequest & { kind: 'update' }

/** What a coordination's request was started for. */
type Cause =
  | { readonly type: 'gateway'; readonly gateway: GatewayId; readonly id: RequestId }
  | { readonly type: 'handoff'; readonly handoff: number }
  | { readonly type: 'push'; readonly push: number }
  | { readonly type: 'learn'; readonly key: Key }

/** What a local write was started for. */
type LocalCause =
  | { readonly type: 'fill' }
  | { readonly type: 'exchange' }
  | { readonly type: 'reap' }
  | { readonly type: 'heal'; readonly key: Key }
  | { readonly type: 'update'; readonly gateway: GatewayId; readonly request: Update }

/** Who waits for the ends of what was started for the node itself. */
export interface InternalEnds {
  onHandedOver(handoff: number, accepted: boolean): void
  /** As a store's answer: `unknown` if the peer's own record is damaged. */
  onPushed(push: number, status: ReplyStatus): void
  onFillStored(local: number, status: ReplyStatus): void
  onExchangeStored(local: number, status: ReplyStatus): void
}

/** A record that another node is to be written. */
export interface DirectWrite {
  readonly node: NodeId
  readonly purpose: Purpose
  readonly key: Key
  readonly record: VersionRecord
}

/** Between an actor's name and how often it was renewed. */
const RENEWAL = '~'
/** Gateways whose newest batch is remembered. */
const GATEWAYS_MAX = 4_096
/** How long an internal request (handoff, heal) may take. */
const INTERNAL_TIMEOUT_MS = 2_000

export class NodeRequests {
  readonly #identity: NodeIdentity
  readonly #config: ProtocolConfig
  readonly #keeper: TableKeeper
  readonly #replica: Replica
  readonly #coordination: Coordination
  readonly #post: NodePost
  readonly #ends: InternalEnds
  readonly #takeToken: () => number
  readonly #causes = new IdTable<Cause>()
  readonly #locals = new IdTable<LocalCause>()
  /** Of each gateway the newest batch that was taken; it sends one after the other, under growing ids. */
  readonly #taken = new Map<GatewayId, MessageId>()
  readonly heals: Heals
  /** Gives sibling updates their dots. */
  #actor: ActorId
  #updates = 0
  #isRefusing = false
  #nextOperation = 2
  #nowMs = 0

  constructor(options: {
    identity: NodeIdentity
    config: ProtocolConfig
    keeper: TableKeeper
    replica: Replica
    coordination: Coordination
    post: NodePost
    ends: InternalEnds
    takeToken: () => number
  }) {
    this.#identity = options.identity
    this.#actor = options.identity.actor
    this.#config = options.config
    this.#keeper = options.keeper
    this.#replica = options.replica
    this.#coordination = options.coordination
    this.#post = options.post
    this.#ends = options.ends
    this.#takeToken = options.takeToken
    const { self } = options.identity
    this.heals = new Heals({
      changes: () => this.#coordination.changes,
      partitionOf: (key) => partitionOf(key, this.#config.partitions),
      isFullOwner: (partition) => isFullOwner(this.#keeper.row(partition), self),
      isDamaged: (key) => this.#replica.isDamaged(key),
      learn: (key, { salvaged, accepted }) => this.#learn(key, { except: self, salvaged, accepted }),
      replace: (key, record) => this.#replaceDamaged(key, record),
      openSalvage: (node) => this.#coordination.peer(node)?.openSalvage(),
      notice: (type, key) => this.#post.notice({ type, key }),
      tell: (message) => this.#post.send(SUPERVISOR, message),
    })
  }

  /** Sibling updates that the store has not accepted yet; for invariants. */
  get updates(): number {
    return this.#updates
  }

  /** The time of the step that follows. */
  set nowMs(nowMs: number) {
    this.#nowMs = nowMs
  }

  onCoordinate(from: GatewayId, message: CoordinateRequests): void {
    this.#post.send(from, { type: 'coordinate/taken', replyTo: message.id })
    // Sent again because the answer was lost, or repeated by the link: a sibling update must not be done twice.
    if (message.id <= (this.#taken.get(from) ?? 0)) return
    this.#remember(from, message.id)
    for (const request of message.requests) {
      if (this.#isRefusing) {
        this.#post.tell(from, request.id, { type: 'stale' })
        continue
      }
      if (request.kind === 'update') {
        this.#onUpdate(from, request)
        continue
      }
      const id = this.#takeOperation({ type: 'gateway', gateway: from, id: request.id })
      this.#coordination.submit({ ...request, id }, this.#nowMs)
    }
  }

  /** This node leaves: what it is asked to coordinate from now on goes to another. */
  refuse(): void {
    this.#isRefusing = true
  }

  /** A hint goes to whom it was meant for. */
  handOver(handoff: number, write: DirectWrite): void {
    this.#writeDirectly(this.#takeOperation({ type: 'handoff', handoff }), write)
  }

  /** A peer lacks a record. */
  push(push: number, write: DirectWrite): void {
    this.#writeDirectly(this.#takeOperation({ type: 'push', push }), write)
  }

  storeFill({ local, keys, records, purpose }: LocalWrite): void {
    this.#locals.add(local, { type: 'fill' })
    this.#replica.writeLocally(local, keys, records, purpose)
  }

  storeExchange({ local, keys, records, purpose }: LocalWrite): void {
    this.#locals.add(local, { type: 'exchange' })
    this.#replica.writeLocally(local, keys, records, purpose)
  }

  /** Tombstones that everybody holds. Who does not get to it keeps them for longer. */
  reap({ local, keys, tombstones }: { local: number; keys: readonly Key[]; tombstones: readonly string[] }): void {
    this.onDotsForgotten()
    this.#locals.add(local, { type: 'reap' })
    this.#replica.reap(local, keys, tombstones)
  }

  /** Takes what the coordination has to say. Returns how much that was. */
  drainCoordination(): number {
    const output = this.#coordination.takeOutput()
    for (const { to, message } of output.sends) this.#post.send(to, message)
    for (const { id, outcome } of output.ends) this.#onEnd(id, outcome)
    for (const repair of output.repairs) this.#post.notice({ type: 'repair', ...repair })
    if (output.hintsLost.size > 0)
      this.#post.send(SUPERVISOR, { type: 'hint/lost', targets: [...output.hintsLost].sort() })
    return output.sends.length + output.ends.length
  }

  /** A local write has ended. */
  onLocal(id: number, status: ReplyStatus, records: readonly VersionRecord[]): void {
    const cause = this.#locals.take(id)
    switch (cause?.type) {
      case 'fill':
        return this.#ends.onFillStored(id, status)
      case 'exchange':
        return this.#ends.onExchangeStored(id, status)
      case 'reap':
        if (records.length > 0 && status === REPLY.ok)
          this.#post.notice({ type: 'tombstones:dropped', keys: records.length })
        return
      case 'heal':
        return this.heals.onReplaced(cause.key, status === REPLY.ok)
      case 'update':
        this.#updates -= 1
        return this.#onUpdateStored(cause.gateway, cause.request, status, records)
      default:
        assert(false, 'a local write ends once', { id })
    }
  }

  /** A sibling update: our own store accepts the dot before it is replicated. */
  #onUpdate(gateway: GatewayId, request: Update): void {
    const row = this.#keeper.row(request.partition)
    const verdict = this.#keeper.judgeRead(request.partition, row.epoch)
    if (verdict !== 'serve' || !isFullOwner(row, this.#identity.self))
      return this.#post.tell(gateway, request.id, { type: 'stale' })
    if (request.deadlineMs < this.#nowMs) {
      return this.#post.tell(gateway, request.id, {
        type: 'failed',
        failure: { code: 'TIMEOUT', partition: request.partition },
      })
    }
    if (this.#updates >= UPDATES_MAX)
      return this.#post.tell(gateway, request.id, { type: 'failed', failure: { code: 'OVERLOADED' } })
    const local = this.#takeToken()
    this.#updates += 1
    this.#locals.add(local, { type: 'update', gateway, request })
    this.#replica.updateLocally(local, request.keys, (current, index) => {
      const before = current?.kind === 'siblings' ? current.set : []
      const value = request.values[index] ?? null
      // A delete without a context takes away what this owner sees; a put without one is concurrent to everything.
      const seen = Object.fromEntries(before.map((entry) => [entry.actor, entry.counter]))
      const context = request.context ?? (value === null ? seen : undefined)
      const set = dvvUpdate(before, context, { stamp: request.stamp, value }, this.#actor)
      return dvvSiblings(set).length > SIBLINGS_MAX ? undefined : { kind: 'siblings', set }
    })
  }

  #onUpdateStored(gateway: GatewayId, request: Update, status: ReplyStatus, records: readonly VersionRecord[]): void {
    const { partition, keys, w, deadlineMs } = request
    if (status !== REPLY.ok) {
      return this.#post.tell(gateway, request.id, {
        type: 'failed',
        failure: { code: codeOfUpdate(status), partition },
      })
    }
    const id = this.#takeOperation({ type: 'gateway', gateway, id: request.id })
    const accepted = [this.#identity.self]
    this.#coordination.submit(
      { kind: 'put', id, partition, keys, records, w, sloppy: false, deadlineMs, accepted },
      this.#nowMs,
    )
  }

  #onEnd(id: RequestId, outcome: OperationOutcome): void {
    const cause = this.#causes.take(id)
    switch (cause?.type) {
      case 'gateway':
        if (outcome.type !== 'page') this.#post.tell(cause.gateway, cause.id, outcome)
        return
      case 'handoff':
        return this.#ends.onHandedOver(cause.handoff, outcome.type === 'written')
      case 'learn':
        if (outcome.type !== 'page') this.heals.onLearned(cause.key, outcome)
        return
      case 'push':
        return this.#ends.onPushed(cause.push, statusOfPush(outcome))
      default:
        assert(false, 'a request ends once', { id })
    }
  }

  #learn(key: Key, learning: Learning): void {
    const id = this.#takeOperation({ type: 'learn', key })
    const deadlineMs = this.#nowMs + INTERNAL_TIMEOUT_MS
    this.#coordination.submit({ kind: 'learn', id, key, learning, deadlineMs }, this.#nowMs)
  }

  /** Enough other owners said what the record is; any write that was ever acknowledged is known to one of them. */
  #replaceDamaged(key: Key, record: VersionRecord | undefined): void {
    const none: VersionRecord =
      this.#config.conflict === 'siblings'
        ? { kind: 'siblings', set: [] }
        : { kind: 'lww', stamp: makeStamp(0n, 0, 'heal'), value: null }
    this.onDotsForgotten()
    const local = this.#takeToken()
    this.#locals.add(local, { type: 'heal', key })
    this.#replica.writeLocally(local, [key], [record ?? none], PURPOSE.heal)
  }

  /**
   * A damaged record may have held dots of ours that nobody else knows of; so may what is dropped because its partition has moved
   * away, and may come back, or because it is deleted and nobody needs to remember that. Who may have forgotten a dot is a new actor: a dot given twice would lose a write. In the store before
   * the healed record is, and so before any dot of the new actor.
   */
  onDotsForgotten(): void {
    if (this.#config.conflict !== 'siblings') return
    const [name, renewals = '0'] = this.#actor.split(RENEWAL)
    this.#actor = `${name}${RENEWAL}${Number(renewals) + 1}`
    const write = { keys: [], records: [], liveKeysDelta: 0, meta: { actor: this.#actor }, sync: true }
    this.#post.effect({ type: 'store/write', token: this.#takeToken(), write })
  }

  #writeDirectly(id: RequestId, { node, purpose, key, record }: DirectWrite): void {
    const deadlineMs = this.#nowMs + INTERNAL_TIMEOUT_MS
    const partition = partitionOf(key, this.#config.partitions)
    const columns = { keys: [key], records: [record] }
    this.#coordination.submit({ kind: 'direct', id, node, partition, purpose, ...columns, deadlineMs }, this.#nowMs)
  }

  /** The gateway that has been quiet for longest is forgotten at the bound. */
  #remember(gateway: GatewayId, id: MessageId): void {
    this.#taken.delete(gateway)
    this.#taken.set(gateway, id)
    const [oldest] = this.#taken.keys()
    if (this.#taken.size > GATEWAYS_MAX && oldest !== undefined) this.#taken.delete(oldest)
  }

  #takeOperation(cause: Cause): RequestId {
    const id = this.#nextOperation
    this.#nextOperation += 2
    this.#causes.add(id, cause)
    return id
  }
}

/** Of an update that this node's own store did not take: whether anything of it can be there. */
function codeOfUpdate(status: ReplyStatus): FailureCode {
  if (status === REPLY.full) return 'SIBLINGS_LIMIT'
  return status === REPLY.unknown || status === REPLY.refused ? 'STORE_FAILED' : 'OUTCOME_UNKNOWN'
}

function statusOfPush(outcome: OperationOutcome): ReplyStatus {
  if (outcome.type === 'written') return REPLY.ok
  return outcome.type === 'failed' && outcome.failure.code === 'STORE_FAILED' ? REPLY.unknown : REPLY.failed
}
