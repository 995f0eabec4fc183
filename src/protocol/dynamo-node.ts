/**
 * `DynamoNode`: the protocol core of one storage node, free of I/O. `step(event, nowMs)` takes what happened and gives
 * back what to do.
 *
 * It has no rules of its own: it composes the machines (table keeper, replica, coordination, membership, hint keeper,
 * fill, exchange), carries what one says to the others, and checks the invariants after every input. A message to itself
 * is handled within the same step.
 *
 * Called by the pump in `actors/node.actor.ts`, and by the simulator.
 */

import { assert } from './assert.js'
import type { ProtocolConfig } from './config.js'
import { HEALS_MAX, SIBLINGS_MAX } from './config.js'
import { Coordination } from './coordinator/coordination.js'
import type { OperationOutcome } from './coordinator/request.js'
import type { NodeEffect, Notice } from './effects.js'
import type { NodeEvent } from './events.js'
import { Fill } from './handoff/fill.js'
import { HintKeeper } from './handoff/hint-keeper.js'
import { type ChunkReply, TransferSource } from './handoff/transfer-source.js'
import { IdTable } from './id-table.js'
import {
  type ActorId,
  type Address,
  type Epoch,
  type GatewayId,
  type Incarnation,
  type Key,
  type NodeId,
  SUPERVISOR,
} from './ids.js'
import { checkInvariants } from './invariants.js'
import { Membership } from './membership/membership.js'
import type { MembershipOutput } from './membership/membership-output.js'
import {
  type CoordinateRequest,
  type CoordinateRequests,
  type Message,
  type Outcome,
  type PeerChanged,
  PURPOSE,
  REPLY,
  type ReplicaRead,
  type ReplyStatus,
  type RequestId,
} from './messages.js'
import { Exchange } from './repair/exchange.js'
import { Replica, type ReplicaOutput } from './replica.js'
import { partitionOf } from './ring/slot.js'
import { isFullOwner, type PartitionTable } from './ring/table.js'
import type { Hint, StorePage, StoreReader } from './store-contract.js'
import { TableKeeper } from './table-keeper.js'
import { dvvSiblings, dvvUpdate } from './versions/dvv.js'
import { mergeRecords, type VersionRecord } from './versions/record.js'
import { makeStamp, stampTimePart } from './versions/stamp.js'

/** Who a node is, for this life. */
export interface NodeIdentity {
  readonly self: NodeId
  readonly incarnation: Incarnation
  /** Node and store id; new whenever the store may have forgotten something. */
  readonly actor: ActorId
  readonly seed: number
  /** A dead node's store that is only read, so that others can be refilled from it. */
  readonly salvage: boolean
}

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
  | { readonly type: 'heal'; readonly key: Key }
  | { readonly type: 'update'; readonly gateway: GatewayId; readonly request: CoordinateRequest & { kind: 'update' } }

/** Keys of one node's counters, for status and the supervisor. */
export interface NodeGauges {
  readonly epoch: Epoch
  readonly hints: number
  /** Of those, hints for nodes that are not down for good. */
  readonly hintsDue: number
  readonly filling: number
  readonly exchanging: number
  readonly lingering: number
  readonly viewDigest: number
  readonly converged: boolean
}

/** How long an internal request (handoff, heal) may take. */
const INTERNAL_TIMEOUT_MS = 2_000

export class DynamoNode {
  readonly #identity: NodeIdentity
  readonly #config: ProtocolConfig
  readonly #keeper: TableKeeper
  readonly #replica: Replica
  readonly #coordination: Coordination
  readonly #membership: Membership
  readonly #hints: HintKeeper
  readonly #fill: Fill
  readonly #source = new TransferSource()
  readonly #exchange: Exchange
  readonly #peers = new Map<NodeId, PeerChanged>()
  readonly #causes = new IdTable<Cause>()
  readonly #locals = new IdTable<LocalCause>()
  /** Scans and writes of the table, by token. */
  readonly #tableWrites = new Map<number, Epoch>()
  readonly #healing = new Set<Key>()
  /** Messages made for a table that is on its way into the store. */
  #parked: { readonly from: Address; readonly message: Message }[] = []
  /** Outcomes for gateways, gathered over one step. */
  #outcomes: { readonly gateway: GatewayId; readonly ids: RequestId[]; readonly outcomes: Outcome[] }[] = []
  #checkedTable: PartitionTable | undefined
  /** Of the membership's view; computed when that was told something, not every turn. */
  #viewDigest = 0
  #nextToken = 1
  #nextOperation = 2
  #nowMs: number
  #effects: NodeEffect[] = []
  /** Messages to this node itself, handled before the step ends. */
  #loopback: Message[] = []

  constructor(options: {
    identity: NodeIdentity
    config: ProtocolConfig
    store: StoreReader
    table: PartitionTable
    activeEpoch: Epoch
    hints: readonly Hint[]
    /** The shared clock, in nanoseconds: every stamp in the store is older. */
    bootTimeNs: bigint
    nowMs: number
  }) {
    const { identity, config, table, nowMs } = options
    const { self, incarnation, seed } = identity
    this.#identity = identity
    this.#config = config
    this.#nowMs = nowMs
    const takeToken = () => this.#nextToken++
    this.#keeper = new TableKeeper(self, table, options.activeEpoch)
    this.#replica = new Replica({
      keeper: this.#keeper,
      store: options.store,
      partitions: config.partitions,
      takeToken,
      bootStamp: stampTimePart(options.bootTimeNs),
    })
    this.#coordination = new Coordination(config, table)
    this.#coordination.onPeer({ node: self, incarnation, status: 'up' }, nowMs)
    this.#membership = new Membership({ self, incarnation, config: config.membership, seed, nowMs })
    this.#hints = new HintKeeper({ hints: options.hints, bytesMax: config.hintBytesMax, takeToken })
    const bytesPerSecond = config.transferBytesPerSecond
    this.#fill = new Fill({ bytesPerSecond, takeLocal: takeToken, takeMessageId: takeToken })
    this.#exchange = new Exchange({ self, bytesPerSecond, take: takeToken })
  }

  get table(): PartitionTable {
    return this.#keeper.table
  }

  gauges(): NodeGauges {
    return {
      epoch: this.#keeper.epoch,
      hints: this.#hints.count,
      hintsDue: this.#hints.countFor((node) => this.#coordination.peer(node)?.status !== 'down'),
      filling: this.#fill.remaining,
      exchanging: this.#exchange.remaining,
      lingering: this.#coordination.lingering,
      viewDigest: this.#viewDigest,
      converged: this.#membership.isConverged(),
    }
  }

  /** The members as this node sees them. */
  members(): ReturnType<Membership['members']> {
    return this.#membership.members()
  }

  /** Monotonic ms at which a `timer` event is wanted; Infinity: none. */
  nextDeadlineMs(): number {
    if (this.#identity.salvage) return Number.POSITIVE_INFINITY
    return Math.min(
      this.#coordination.nextDeadlineMs(),
      this.#membership.nextDeadline(),
      this.#hints.nextDeadlineMs(),
      this.#fill.nextDeadlineMs(this.#mayPull),
      this.#exchange.nextDeadlineMs(this.#isHealthy),
    )
  }

  /** Takes one event, gives what to do. Deterministic: equal events and times give equal effects. */
  step(event: NodeEvent, nowMs: number): readonly NodeEffect[] {
    this.#nowMs = nowMs
    switch (event.type) {
      case 'node/boot':
        this.#boot(event.storedEpoch, event.peers)
        break
      case 'message':
        if (event.incarnation === this.#identity.incarnation) this.#onMessage(event.from, event.message)
        break
      case 'store/written':
        this.#onWritten(event.token)
        break
      case 'store/failed':
        this.#onFailed(event.token)
        break
      case 'store/scan-done':
        this.#onScanned(event.token, event.page)
        break
      case 'timer':
        this.#onTimer()
        break
      default:
        event satisfies never
    }
    this.#settleStep()
    this.#checkedTable = checkInvariants({
      checkedTable: this.#checkedTable,
      epoch: this.#keeper.epoch,
      table: this.#keeper.table,
      writesInFlight: this.#replica.writesInFlight,
      parked: this.#parked.length,
      hintBytes: this.#hints.bytes,
      hintBytesBound: this.#hints.bytesBound,
    })
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  // --- inputs ---------------------------------------------------------------------------------------------------------

  #boot(
    storedEpoch: Epoch,
    peers: readonly { node: NodeId; incarnation: Incarnation; status: PeerChanged['status'] }[],
  ): void {
    for (const peer of peers) this.#onPeerChanged({ type: 'peer/changed', ...peer })
    if (this.#identity.salvage) return
    // An epoch is in the store before it is acted on; until then nobody has been told that this node is up.
    if (storedEpoch < this.#keeper.epoch) this.#storeTable(this.#keeper.table)
    else this.#becomeUp()
  }

  #becomeUp(): void {
    const { epoch } = this.#keeper
    this.#membershipOutputs(this.#membership.onTableStored(epoch, this.#nowMs))
    this.#membershipOutputs(this.#membership.becomeUp(this.#nowMs))
    this.#send(SUPERVISOR, { type: 'table/stored', epoch })
  }

  #onMessage(from: Address, message: Message): void {
    switch (message.type) {
      case 'replica/read':
        if (message.fallback) return this.#onFallbackRead(from, message)
        return this.#parkUnless(this.#replica.onRead(from, message, this.#nowMs), from, message)
      case 'replica/write':
        return this.#parkUnless(this.#replica.onWrite(from, message, this.#nowMs), from, message)
      case 'replica/scan':
        return this.#parkUnless(this.#replica.onScan(from, message, this.#nowMs), from, message)
      case 'replica/read-reply':
      case 'replica/write-reply':
      case 'replica/scan-reply':
      case 'hint/stored':
      case 'coordinate/taken':
        return this.#coordination.onReply(from, message, this.#nowMs)
      case 'coordinate/requests':
        return this.#onCoordinate(from, message)
      case 'coordinate/replies':
        return this.#coordination.onOutcomes(from, message, this.#nowMs)
      case 'hint/store':
        return this.#hints.onStore(from, message)
      case 'transfer/pull': {
        const isOurs = message.partitions.every((partition, index) =>
          this.#mayServeFill(partition, message.rowEpochs[index] ?? 0),
        )
        if (!isOurs) return this.#replyChunk(this.#source.refuse(message, from))
        const token = this.#nextToken++
        this.#effects.push({ type: 'store/scan', token, scan: this.#source.onPull(from, message, token) })
        return
      }
      case 'transfer/chunk':
        return this.#fill.onChunk(from, message, this.#nowMs)
      case 'transfer/start':
        return this.#fill.onOrders(message.orders, this.#keeper.epoch, this.#nowMs)
      case 'exchange/compare':
        return this.#exchange.onCompare(from, message, this.#keeper.table)
      case 'exchange/differ':
        return this.#exchange.onDiffer(from, message, this.#nowMs)
      case 'exchange/start':
        return this.#exchange.onStart(message.peers)
      case 'table/announce':
        if (this.#keeper.offer(message.table)) this.#storeTable(message.table)
        return
      case 'table/request':
        if (message.epoch < this.#keeper.epoch) this.#send(from, { type: 'table/announce', table: this.#keeper.table })
        return
      case 'table/activate':
        return this.#keeper.onActivate(message.epoch)
      case 'peer/changed':
        return this.#onPeerChanged(message)
      case 'membership/heartbeat':
        return this.#membershipOutputs(
          this.#membership.onHeartbeat(from, message.incarnation, message.counter, this.#nowMs),
        )
      case 'gossip/syn':
      case 'gossip/ack':
      case 'gossip/ack2':
        return this.#membershipOutputs(this.#membership.onGossip(message, from, this.#nowMs))
      case 'table/stored':
      case 'transfer/done':
      case 'exchange/done':
      case 'hint/lost':
        return assert(false, 'this goes to the supervisor', { type: message.type, from })
      default:
        message satisfies never
    }
  }

  #onPeerChanged(change: PeerChanged): void {
    const { node, incarnation, status } = change
    if (node === this.#identity.self) return
    const before = this.#peers.get(node)
    if (before !== undefined && before.incarnation > incarnation) return
    this.#peers.set(node, change)
    this.#coordination.onPeer(change, this.#nowMs)
    if (status === 'up' || status === 'starting') {
      return this.#membershipOutputs(this.#membership.onPeerUp(node, incarnation, this.#nowMs))
    }
    this.#fill.onPeerLost(node, this.#nowMs)
    this.#exchange.onPeerLost(node, this.#nowMs)
    this.#membershipOutputs(this.#membership.onPeerExit(node, incarnation, this.#nowMs))
    if (status !== 'down') return
    this.#exchange.onPeerDown(node, this.#nowMs)
    this.#membershipOutputs(this.#membership.onDeclared({ id: node, incarnation, status: 'down' }, this.#nowMs))
  }

  #onWritten(token: number): void {
    const epoch = this.#tableWrites.get(token)
    if (epoch === undefined) {
      if (!this.#replica.onWritten(token)) this.#hints.onWritten(token)
      return
    }
    this.#tableWrites.delete(token)
    if (epoch === this.#keeper.epoch) return this.#becomeUp()
    const table = this.#keeper.onStored(epoch)
    if (table === undefined) return
    this.#coordination.onTable(table, this.#nowMs)
    this.#fill.onTable((partition, rowEpoch) => {
      const row = this.#keeper.row(partition)
      return row.epoch === rowEpoch && row.pending.includes(this.#identity.self)
    }, epoch)
    this.#membershipOutputs(this.#membership.onTableStored(epoch, this.#nowMs))
    this.#send(SUPERVISOR, { type: 'table/stored', epoch })
    const parked = this.#parked
    this.#parked = []
    for (const { from, message } of parked) this.#onMessage(from, message)
  }

  #onFailed(token: number): void {
    assert(!this.#tableWrites.has(token), 'a node whose store refuses the table cannot go on', { token })
    if (!this.#replica.onFailed(token)) this.#hints.onFailed(token)
  }

  #onScanned(token: number, page: StorePage): void {
    if (this.#replica.onScanned(token, page)) return
    if (this.#exchange.onScanned(token, page, this.#nowMs)) return
    const chunk = this.#source.onScanned(token, page)
    if (chunk !== undefined) this.#replyChunk(chunk)
  }

  #onTimer(): void {
    this.#coordination.onTimer(this.#nowMs)
    this.#membershipOutputs(this.#membership.onTick(this.#nowMs))
  }

  // --- requests that this node coordinates ----------------------------------------------------------------------------

  #onCoordinate(from: GatewayId, message: CoordinateRequests): void {
    this.#send(from, { type: 'coordinate/taken', replyTo: message.id })
    for (const request of message.requests) {
      if (request.kind === 'update') {
        this.#onUpdate(from, request)
        continue
      }
      const id = this.#takeOperation({ type: 'gateway', gateway: from, id: request.id })
      this.#coordination.submit({ ...request, id }, this.#nowMs)
    }
  }

  /** A sibling update: our own store accepts the dot before it is replicated. */
  #onUpdate(gateway: GatewayId, request: CoordinateRequest & { kind: 'update' }): void {
    const row = this.#keeper.row(request.partition)
    const verdict = this.#keeper.judgeRead(request.partition, row.epoch)
    if (verdict !== 'serve' || !isFullOwner(row, this.#identity.self))
      return this.#tell(gateway, request.id, { type: 'stale' })
    if (request.deadlineMs < this.#nowMs) {
      return this.#tell(gateway, request.id, {
        type: 'failed',
        failure: { code: 'TIMEOUT', partition: request.partition },
      })
    }
    const local = this.#nextToken++
    this.#locals.add(local, { type: 'update', gateway, request })
    this.#replica.updateLocally(local, request.keys, (current, index) => {
      const before = current?.kind === 'siblings' ? current.set : []
      const value = request.values[index] ?? null
      // A delete without a context takes away what this owner sees; a put without one is concurrent to everything.
      const seen = Object.fromEntries(before.map((entry) => [entry.actor, entry.counter]))
      const context = request.context ?? (value === null ? seen : undefined)
      const set = dvvUpdate(before, context, { stamp: request.stamp, value }, this.#identity.actor)
      return dvvSiblings(set).length > SIBLINGS_MAX ? undefined : { kind: 'siblings', set }
    })
  }

  #onLocal(id: number, status: ReplyStatus, records: readonly VersionRecord[]): void {
    const cause = this.#locals.take(id)
    switch (cause?.type) {
      case 'fill':
        this.#fill.onStored(id, status, this.#nowMs)
        return
      case 'exchange':
        this.#exchange.onStored(id, status, this.#nowMs)
        return
      case 'heal':
        this.#healing.delete(cause.key)
        if (status === REPLY.ok) this.#notice({ type: 'record/healed', key: cause.key })
        return
      case 'update':
        return this.#onUpdateStored(cause.gateway, cause.request, status, records)
      default:
        assert(false, 'a local write ends once', { id })
    }
  }

  #onUpdateStored(
    gateway: GatewayId,
    request: CoordinateRequest & { kind: 'update' },
    status: ReplyStatus,
    records: readonly VersionRecord[],
  ): void {
    const { partition, keys, w, deadlineMs } = request
    if (status !== REPLY.ok) {
      const code =
        status === REPLY.full ? 'SIBLINGS_LIMIT' : status === REPLY.unknown ? 'STORE_FAILED' : 'OUTCOME_UNKNOWN'
      return this.#tell(gateway, request.id, { type: 'failed', failure: { code, partition } })
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
        if (outcome.type !== 'page') this.#tell(cause.gateway, cause.id, outcome)
        return
      case 'handoff':
        return this.#hints.onHandedOver(cause.handoff, outcome.type === 'written', this.#nowMs)
      case 'learn':
        return this.#onLearned(cause.key, outcome)
      case 'push':
        return this.#exchange.onPushed(cause.push, outcome.type === 'written', this.#nowMs)
      default:
        assert(false, 'a request ends once', { id })
    }
  }

  #tell(gateway: GatewayId, id: RequestId, outcome: Outcome): void {
    let gathered = this.#outcomes.find((candidate) => candidate.gateway === gateway)
    if (gathered === undefined) {
      gathered = { gateway, ids: [], outcomes: [] }
      this.#outcomes.push(gathered)
    }
    gathered.ids.push(id)
    gathered.outcomes.push(outcome)
  }

  // --- damaged records ------------------------------------------------------------------------------------------------

  #onDamaged(key: Key): void {
    if (this.#healing.has(key) || this.#healing.size >= HEALS_MAX || this.#identity.salvage) return
    this.#healing.add(key)
    this.#notice({ type: 'record/damaged', key })
    const id = this.#takeOperation({ type: 'learn', key })
    const deadlineMs = this.#nowMs + INTERNAL_TIMEOUT_MS
    this.#coordination.submit({ kind: 'learn', id, key, except: this.#identity.self, deadlineMs }, this.#nowMs)
  }

  /** n − w + 1 other owners said what the record is; any write that was ever acknowledged is known to one of them. */
  #onLearned(key: Key, outcome: OperationOutcome): void {
    if (outcome.type !== 'value') {
      this.#healing.delete(key)
      return
    }
    const none: VersionRecord =
      this.#config.conflict === 'siblings'
        ? { kind: 'siblings', set: [] }
        : { kind: 'lww', stamp: makeStamp(0n, 0, 'heal'), value: null }
    const local = this.#nextToken++
    this.#locals.add(local, { type: 'heal', key })
    this.#replica.writeLocally(local, [key], [outcome.record ?? none], PURPOSE.heal)
  }

  // --- between the machines -------------------------------------------------------------------------------------------

  readonly #isHealthy = (node: NodeId): boolean => this.#coordination.peer(node)?.healthy === true

  /** A node that is down for good may be a salvaged store: nobody is told of its life, so it is asked. */
  readonly #mayPull = (node: NodeId): boolean => {
    const status = this.#coordination.peer(node)?.status
    return status === 'up' || status === 'down'
  }

  /** Carries outputs from machine to machine until nothing is left to say. */
  #settleStep(): void {
    for (let round = 0; ; round++) {
      assert(round < 10_000, 'a step ends', { loopback: this.#loopback.length })
      const loopback = this.#loopback
      this.#loopback = []
      for (const message of loopback) this.#onMessage(this.#identity.self, message)
      if (!this.#identity.salvage) {
        this.#hints.replay(this.#keeper.table, this.#isHealthy, this.#coordination.changes, this.#nowMs)
        this.#fill.advance(this.#mayPull, this.#nowMs)
        this.#exchange.advance(this.#keeper.table, this.#isHealthy, this.#nowMs)
      }
      const said =
        this.#drainReplica() +
        this.#drainHints() +
        this.#drainFill() +
        this.#drainExchange() +
        this.#drainCoordination()
      if (said === 0 && this.#loopback.length === 0) break
    }
    if (this.#outcomes.length === 0) return
    for (const { gateway, ids, outcomes } of this.#outcomes) {
      this.#send(gateway, { type: 'coordinate/replies', epoch: this.#keeper.epoch, ids, outcomes })
    }
    this.#outcomes = []
  }

  // Each drain returns how much was said; what follows from it may be said by a machine that was drained before.

  #drainReplica(): number {
    const outputs = this.#replica.takeOutput()
    for (const output of outputs) this.#onReplicaOutput(output)
    return outputs.length
  }

  #onReplicaOutput(output: ReplicaOutput): void {
    switch (output.type) {
      case 'reply':
        return this.#reply(output.to, output.message)
      case 'write':
        this.#effects.push({ type: 'store/write', token: output.token, write: output.write })
        return
      case 'scan':
        this.#effects.push({ type: 'store/scan', token: output.token, scan: output.scan })
        return
      case 'damaged':
        return this.#onDamaged(output.key)
      case 'local':
        return this.#onLocal(output.id, output.status, output.records)
      default:
        output satisfies never
    }
  }

  #drainHints(): number {
    const outputs = this.#hints.takeOutput()
    for (const output of outputs) {
      switch (output.type) {
        case 'write':
          this.#effects.push({ type: 'store/write', token: output.token, write: output.write })
          break
        case 'reply':
          this.#send(output.to, output.message)
          break
        case 'handoff': {
          const { partition, key, record } = output.hint
          const id = this.#takeOperation({ type: 'handoff', handoff: output.handoff })
          this.#writeDirectly(id, output.node, PURPOSE.handoff, key, record, partition)
          break
        }
        case 'progress': {
          const { target, hints, remaining } = output
          this.#notice({ type: 'handoff', target, hints, remaining })
          break
        }
        default:
          output satisfies never
      }
    }
    return outputs.length
  }

  #drainFill(): number {
    const outputs = this.#fill.takeOutput()
    for (const output of outputs) {
      if (output.type === 'send') this.#send(output.to, output.message)
      else if (output.type === 'progress') {
        const { partitions, source, records, done } = output
        this.#notice({ type: 'transfer', partitions, source, records, done })
      } else {
        this.#locals.add(output.local, { type: 'fill' })
        this.#replica.writeLocally(output.local, output.keys, output.records, output.purpose)
      }
    }
    return outputs.length
  }

  #drainExchange(): number {
    const outputs = this.#exchange.takeOutput()
    for (const output of outputs) {
      switch (output.type) {
        case 'send':
          this.#send(output.to, output.message)
          break
        case 'scan':
          this.#effects.push({ type: 'store/scan', token: output.token, scan: output.scan })
          break
        case 'store':
          this.#locals.add(output.local, { type: 'exchange' })
          this.#replica.writeLocally(output.local, output.keys, output.records, output.purpose)
          break
        case 'push': {
          const id = this.#takeOperation({ type: 'push', push: output.push })
          const partition = partitionOf(output.key, this.#config.partitions)
          this.#writeDirectly(id, output.node, PURPOSE.repair, output.key, output.record, partition)
          break
        }
        case 'damaged':
          this.#onDamaged(output.key)
          break
        case 'progress': {
          const { peer, keysDiffering, done } = output
          this.#notice({ type: 'exchange', peer, keysDiffering, done })
          break
        }
        default:
          output satisfies never
      }
    }
    return outputs.length
  }

  #drainCoordination(): number {
    const output = this.#coordination.takeOutput()
    for (const { to, message } of output.sends) this.#send(to, message)
    for (const { id, outcome } of output.ends) this.#onEnd(id, outcome)
    for (const repair of output.repairs) this.#notice({ type: 'repair', ...repair })
    if (output.hintsLost.size > 0) this.#send(SUPERVISOR, { type: 'hint/lost', targets: [...output.hintsLost].sort() })
    return output.sends.length + output.ends.length
  }

  #membershipOutputs(outputs: readonly MembershipOutput[]): void {
    this.#viewDigest = this.#membership.viewDigest()
    for (const output of outputs) {
      switch (output.type) {
        case 'send':
          if (!this.#identity.salvage) this.#send(output.to, output.message)
          break
        case 'status':
          if (output.from !== null)
            this.#notice({ type: 'member/status', node: output.member.id, from: output.from, to: output.to })
          break
        case 'table-behind':
          this.#send(output.peer, { type: 'table/request', epoch: this.#keeper.epoch })
          break
        default:
          output satisfies never
      }
    }
  }

  #parkUnless(handled: boolean, from: Address, message: Message): void {
    if (handled) return
    this.#parked.push({ from, message })
    if (!this.#keeper.isAdopting) this.#send(from, { type: 'table/request', epoch: this.#keeper.epoch })
  }

  #onFallbackRead(from: Address, message: ReplicaRead): void {
    const records = message.keys.map((key) => this.#fallbackRecord(key))
    const statuses = message.keys.map(() => REPLY.ok)
    const { id: replyTo } = message
    this.#send(from, { type: 'replica/read-reply', replyTo, epoch: this.#keeper.epoch, statuses, records })
  }

  /**
   * What a stand-in knows of a key: its hints, and where it is being filled what it has so far. Not the rest of its store:
   * what lies there of partitions that it owned once may be older than a tombstone that everybody has dropped since.
   */
  #fallbackRecord(key: Key): VersionRecord | undefined {
    const hint = this.#hints.read(key)
    const isPending = this.#keeper.row(partitionOf(key, this.#config.partitions)).pending.includes(this.#identity.self)
    const stored = isPending ? this.#replica.peek(key) : undefined
    if (hint === undefined || stored === undefined) return hint ?? stored
    return mergeRecords(hint, stored)
  }

  /** A fill reads from full owners under the very row that it fills; a salvaged store gives what it has. */
  #mayServeFill(partition: number, rowEpoch: Epoch): boolean {
    if (this.#identity.salvage) return true
    const row = this.#keeper.row(partition)
    return row.epoch === rowEpoch && isFullOwner(row, this.#identity.self)
  }

  #replyChunk(chunk: ChunkReply): void {
    this.#send(chunk.to, chunk.message)
    if (chunk.damaged !== undefined) this.#onDamaged(chunk.damaged)
  }

  #storeTable(table: PartitionTable): void {
    const token = this.#nextToken++
    this.#tableWrites.set(token, table.epoch)
    const meta = { table: JSON.stringify(table) }
    this.#effects.push({
      type: 'store/write',
      token,
      write: { keys: [], records: [], liveKeysDelta: 0, meta, sync: true },
    })
  }

  #writeDirectly(
    id: RequestId,
    node: NodeId,
    purpose: (typeof PURPOSE)[keyof typeof PURPOSE],
    key: Key,
    record: VersionRecord,
    partition: number,
  ): void {
    const deadlineMs = this.#nowMs + INTERNAL_TIMEOUT_MS
    const operation = {
      kind: 'direct' as const,
      id,
      node,
      partition,
      purpose,
      keys: [key],
      records: [record],
      deadlineMs,
    }
    this.#coordination.submit(operation, this.#nowMs)
  }

  #takeOperation(cause: Cause): RequestId {
    const id = this.#nextOperation
    this.#nextOperation += 2
    this.#causes.add(id, cause)
    return id
  }

  /** Tells the sender of an older row what the row is now, ahead of the reply. */
  #reply(to: Address, message: Message): void {
    const isStale =
      ((message.type === 'replica/read-reply' || message.type === 'replica/write-reply') &&
        message.statuses.includes(REPLY.stale)) ||
      (message.type === 'replica/scan-reply' && message.status === REPLY.stale)
    if (isStale && to !== this.#identity.self) this.#send(to, { type: 'table/announce', table: this.#keeper.table })
    this.#send(to, message)
  }

  #send(to: Address, message: Message): void {
    if (to === this.#identity.self) this.#loopback.push(message)
    else this.#effects.push({ type: 'send', to, message })
  }

  #notice(notice: Notice): void {
    this.#effects.push({ type: 'notice', notice })
  }
}
