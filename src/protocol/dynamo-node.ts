/**
 * `DynamoNode`: the protocol core of one storage node, free of I/O. `step(event, nowMs)` takes what happened and gives
 * back what to do.
 *
 * It has no rules of its own: it composes the machines (table keeper, replica, coordination, membership, hint keeper,
 * transfers, exchange), carries what one says to the others, and checks the invariants after every input. A message to itself
 * is handled within the same step.
 *
 * Called by the pump in `actors/node.actor.ts`, and by the simulator.
 */

import { assert } from './assert.js'
import type { Coordination } from './coordinator/coordination.js'
import type { CoordinationLoad } from './coordinator/load.js'
import type { NodeEffect } from './effects.js'
import type { NodeEvent } from './events.js'
import { answerFallbackRead, answerSalvageRead } from './fallback-read.js'
import type { HintKeeper } from './handoff/hint-keeper.js'
import { type Address, type NodeId, SUPERVISOR } from './ids.js'
import { checkInvariants } from './invariants.js'
import type { Membership } from './membership/membership.js'
import type { MembershipOutput } from './membership/membership-output.js'
import { isCall, type Message, type PeerChanged } from './messages.js'
import { carryMembership, drainMachines } from './node-drains.js'
import type { NodeGauges, NodeIdentity } from './node-identity.js'
import { makeMachines, type NodeMachines, type NodeOptions } from './node-machines.js'
import type { NodePost } from './node-post.js'
import type { NodeRequests } from './node-requests.js'
import { NodeTables } from './node-tables.js'
import type { NodeTransfers } from './node-transfers.js'
import type { Exchange } from './repair/exchange.js'
import type { MerkleForest, TreeImage } from './repair/merkle-forest.js'
import type { Reaper, ReaperView } from './repair/reaper.js'
import type { Replica } from './replica.js'
import { partitionOf } from './ring/slot.js'
import type { PartitionTable } from './ring/table.js'
import type { StorePage, WriteKept } from './store-contract.js'
import type { TableKeeper } from './table-keeper.js'
import { newestStampOf } from './versions/record.js'

export class DynamoNode {
  readonly #identity: NodeIdentity
  readonly #keeper: TableKeeper
  readonly #replica: Replica
  readonly #coordination: Coordination
  readonly #membership: Membership
  readonly #hints: HintKeeper
  readonly #transfers: NodeTransfers
  readonly #exchange: Exchange
  readonly #forest: MerkleForest
  readonly #reaper: Reaper
  readonly #reaperView: ReaperView
  readonly #peers = new Map<NodeId, PeerChanged>()
  readonly #post: NodePost
  readonly #requests: NodeRequests
  readonly #machines: NodeMachines
  readonly #tables: NodeTables
  readonly #n: number | 'all'
  #checkedTable: PartitionTable | undefined
  /** It leaves, owns nothing, and has not said yet that it owes nothing. */
  #isRetiring = false
  /** Of the membership's view; computed when that was told something, not every turn. */
  #viewDigest = 0
  #nowMs: number

  constructor(options: NodeOptions) {
    this.#identity = options.identity
    this.#n = options.config.n
    this.#nowMs = options.nowMs
    const machines = makeMachines(options, () => this.#nowMs)
    this.#machines = machines
    this.#tables = new NodeTables(machines)
    this.#keeper = machines.keeper
    this.#replica = machines.replica
    this.#coordination = machines.coordination
    this.#membership = machines.membership
    this.#hints = machines.hints
    this.#transfers = machines.transfers
    this.#exchange = machines.exchange
    this.#forest = machines.forest
    this.#reaper = machines.reaper
    this.#reaperView = machines.reaperView
    this.#post = machines.post
    this.#requests = machines.requests
  }

  get table(): PartitionTable {
    return this.#keeper.table
  }

  gauges(): NodeGauges {
    return {
      epoch: this.#keeper.epoch,
      hints: this.#hints.count,
      hintsDue: this.#hints.countFor((node) => this.#coordination.peer(node)?.status !== 'down'),
      filling: this.#transfers.filling,
      purging: this.#transfers.purge.remaining,
      exchanging: this.#exchange.remaining,
      lingering: this.#coordination.lingering,
      viewDigest: this.#viewDigest,
      converged: this.#membership.isConverged(),
    }
  }

  /** Its Merkle trees, to be stored once its store is closed; undefined: there are some that cannot be trusted. */
  trees(): readonly TreeImage[] | undefined {
    return this.#forest.images()
  }

  /** Of what it coordinates; for bounds. */
  load(): CoordinationLoad {
    return this.#coordination.load()
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
      this.#transfers.nextDeadlineMs(this.#mayPull),
      this.#exchange.nextDeadlineMs(this.#isHealthy),
      this.#forest.nextDeadlineMs(),
      this.#reaper.nextDeadlineMs(),
    )
  }

  /** Takes one event, gives what to do. Deterministic: equal events and times give equal effects. */
  step(event: NodeEvent, nowMs: number): readonly NodeEffect[] {
    this.#nowMs = nowMs
    this.#requests.nowMs = nowMs
    switch (event.type) {
      case 'node/boot':
        this.#boot(event)
        break
      case 'message':
        if (event.incarnation === this.#identity.incarnation) this.#onMessage(event.from, event.message)
        break
      case 'store/written':
        this.#onWritten(event.token)
        break
      case 'store/failed':
        this.#onFailed(event.token, event.kept)
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
      n: this.#n,
      epoch: this.#keeper.epoch,
      table: this.#keeper.table,
      updates: this.#requests.updates,
      parked: this.#tables.parked,
      hintBytes: this.#hints.bytes,
      hintBytesBound: this.#hints.bytesBound,
    })
    return this.#post.takeEffects()
  }

  // --- inputs ---------------------------------------------------------------------------------------------------------

  #boot({ storedEpoch, peers }: NodeEvent & { type: 'node/boot' }): void {
    for (const peer of peers) this.#onPeerChanged({ type: 'peer/changed', ...peer })
    if (this.#identity.salvage) return
    // It may have died before it was another actor.
    if (this.#transfers.purge.remaining > 0) this.#requests.onDotsForgotten()
    // An epoch is in the store before it is acted on; until then nobody has been told that this node is up.
    if (storedEpoch < this.#keeper.epoch) this.#tables.store(this.#keeper.table)
    else this.#becomeUp()
  }

  #becomeUp(): void {
    const { epoch } = this.#keeper
    this.#membershipOutputs(this.#membership.onTableStored(epoch, this.#nowMs))
    this.#membershipOutputs(this.#membership.becomeUp(this.#nowMs))
    this.#post.send(SUPERVISOR, { type: 'table/stored', epoch })
  }

  #onMessage(from: Address, message: Message): void {
    if (isCall(message)) this.#machines.budget.onCalled(this.#nowMs)
    switch (message.type) {
      case 'replica/read':
        if (this.#identity.salvage) return this.#post.send(from, answerSalvageRead(message, this.#replica))
        if (message.fallback)
          return this.#post.send(from, answerFallbackRead(message, this.#identity.self, this.#machines))
        if (!this.#replica.onRead(from, message, this.#nowMs)) this.#tables.park(from, message)
        return
      case 'replica/write':
        if (!this.#replica.onWrite(from, message, this.#nowMs)) this.#tables.park(from, message)
        return
      case 'replica/scan':
        if (!this.#replica.onScan(from, message, this.#nowMs)) this.#tables.park(from, message)
        return
      case 'replica/read-reply':
      case 'replica/write-reply':
      case 'replica/scan-reply':
      case 'hint/stored':
      case 'coordinate/taken':
        return this.#coordination.onReply(from, message, this.#nowMs)
      case 'link/ping':
        return this.#post.send(from, { type: 'link/pong', replyTo: message.id })
      case 'link/pong':
        return this.#coordination.onPong(from, message.replyTo, this.#nowMs)
      case 'coordinate/requests':
        return this.#requests.onCoordinate(from, message)
      case 'coordinate/replies':
        return this.#coordination.onOutcomes(from, message, this.#nowMs)
      case 'hint/store':
        return this.#hints.onStore(from, message, (record) => this.#reaper.isTooOld(newestStampOf(record), this.#nowMs))
      case 'transfer/pull':
        return this.#transfers.onPull(from, message, this.#machines, this.#nowMs)
      case 'transfer/chunk':
        return this.#transfers.onChunk(from, message, this.#nowMs)
      case 'transfer/start':
        return this.#transfers.onStart(message.orders)
      case 'exchange/hashes':
        return this.#exchange.onHashes(from, message, this.#keeper.table)
      case 'exchange/unequal':
        return this.#exchange.onUnequal(from, message, this.#nowMs)
      case 'exchange/compare':
        return this.#exchange.onCompare(from, message, this.#keeper.table)
      case 'exchange/differ':
        return this.#exchange.onDiffer(from, message, this.#nowMs)
      case 'exchange/start':
        return this.#exchange.onStart(message.peers)
      case 'reap/start':
        return this.#reaper.onStart(message, this.#nowMs)
      case 'reap/ask':
        return this.#reaper.onAsk(from, message, this.#reaperView)
      case 'reap/held':
        return this.#reaper.onHeld(from, message, this.#reaperView, this.#nowMs)
      case 'reap/drop':
        return this.#reaper.onDrop(message, this.#reaperView)
      case 'table/announce':
        if (this.#keeper.offer(message.table)) this.#tables.store(message.table)
        return
      case 'heal/start':
        return this.#requests.heals.onOrder(message)
      case 'table/request':
        if (from === SUPERVISOR) this.#requests.heals.tellAgain()
        if (message.epoch < this.#keeper.epoch)
          this.#post.send(from, { type: 'table/announce', table: this.#keeper.table })
        return
      case 'table/activate':
        return this.#keeper.onActivate(message.epoch)
      case 'peer/changed':
        return this.#onPeerChanged(message)
      case 'gateway/lost':
        return this.#hints.onCoordinatorLost(message.gateway)
      case 'member/declared':
        return this.#membershipOutputs(
          this.#membership.onDeclared(
            { id: message.node, incarnation: message.incarnation, status: message.status },
            this.#nowMs,
          ),
        )
      case 'retire/start':
        this.#isRetiring = true
        return this.#hints.retire()
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
      case 'retire/done':
      case 'heal/stuck':
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
    const isBack = status === 'up' || status === 'starting'
    if (!isBack || incarnation > (before?.incarnation ?? 0)) this.#hints.onCoordinatorLost(node)
    if (isBack) {
      this.#hints.onCoordinatorBack(node)
      return this.#membershipOutputs(this.#membership.onPeerUp(node, incarnation, this.#nowMs))
    }
    this.#transfers.fill.onPeerLost(node, this.#nowMs)
    this.#exchange.onPeerLost(node, this.#nowMs)
    this.#membershipOutputs(this.#membership.onPeerExit(node, incarnation, this.#nowMs))
    if (status !== 'down') return
    this.#exchange.onPeerDown(node, this.#nowMs)
    this.#membershipOutputs(this.#membership.onDeclared({ id: node, incarnation, status: 'down' }, this.#nowMs))
  }

  #onWritten(token: number): void {
    const epoch = this.#tables.onWritten(token)
    if (epoch === undefined) {
      if (this.#replica.onWritten(token) || this.#transfers.purge.onWritten(token, this.#nowMs)) return
      if (this.#reaper.onWritten(token) || this.#transfers.fill.onSealed(token, true, this.#nowMs)) return
      this.#hints.onWritten(token)
      return
    }
    if (epoch === this.#keeper.epoch) return this.#becomeUp()
    const before = this.#keeper.table
    const table = this.#keeper.onStored(epoch)
    if (table === undefined) return
    this.#coordination.onTable(table, this.#nowMs)
    if (this.#transfers.onTable(before, this.#keeper)) this.#requests.onDotsForgotten()
    this.#membershipOutputs(this.#membership.onTableStored(epoch, this.#nowMs))
    this.#post.send(SUPERVISOR, { type: 'table/stored', epoch })
    for (const { from, message } of this.#tables.takeParked()) this.#onMessage(from, message)
  }

  #onFailed(token: number, kept: WriteKept): void {
    assert(!this.#tables.isWriting(token), 'a node whose store refuses the table cannot go on', { token })
    if (this.#replica.onFailed(token, kept) || this.#transfers.purge.onFailed(token)) return
    if (this.#reaper.onFailed(token) || this.#transfers.fill.onSealed(token, false, this.#nowMs)) return
    this.#hints.onFailed(token, kept)
  }

  #onScanned(token: number, page: StorePage): void {
    if (this.#replica.onScanned(token, page)) return
    if (this.#exchange.onScanned(token, page, this.#nowMs)) return
    if (this.#forest.onScanned(token, page, this.#nowMs)) return
    const partitionOfKey = (key: string) => partitionOf(key, this.#keeper.table.rows.length)
    if (this.#reaper.onScanned(token, page, this.#reaperView, partitionOfKey, this.#nowMs)) return
    this.#transfers.onScanned(token, page, this.#requests, this.#nowMs)
  }

  #onTimer(): void {
    this.#coordination.onTimer(this.#nowMs)
    this.#membershipOutputs(this.#membership.onTick(this.#nowMs))
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
      assert(round < 10_000, 'a step ends', { rounds: round })
      for (const message of this.#post.takeLoopback()) this.#onMessage(this.#identity.self, message)
      if (!this.#identity.salvage) {
        this.#hints.replay(this.#keeper.table, this.#coordination, this.#coordination.changes, this.#nowMs)
        this.#transfers.advance(this.#mayPull, this.#machines, this.#nowMs)
        this.#exchange.advance(this.#keeper.table, this.#isHealthy, this.#nowMs)
        const read = this.#forest.advance(this.#replica.onItsWay, this.#nowMs)
        if (read !== undefined) this.#post.effect({ type: 'store/scan', ...read })
        this.#reaper.advance(this.#reaperView, this.#nowMs)
        this.#requests.heals.retry()
      }
      const said = drainMachines(this.#machines)
      if (said === 0 && !this.#post.hasLoopback) break
    }
    if (this.#isRetiring && this.#owesNothing()) {
      this.#isRetiring = false
      this.#requests.refuse()
      this.#post.send(SUPERVISOR, { type: 'retire/done' })
    }
    this.#post.sendOutcomes(this.#keeper.epoch)
  }

  #owesNothing(): boolean {
    const { running, lingering } = this.#coordination
    return this.#hints.isEmpty && running + lingering + this.#requests.updates === 0
  }

  #membershipOutputs(outputs: readonly MembershipOutput[]): void {
    this.#viewDigest = this.#membership.viewDigest()
    carryMembership(outputs, this.#machines, this.#identity)
  }
}
