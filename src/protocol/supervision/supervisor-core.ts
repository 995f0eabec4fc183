/**
 * The supervisor's core: who lives, who is restarted, who is given up, and who owns what. Sans-I/O: `step(event, nowMs)`.
 *
 * Only it makes a new epoch. The order of a change of owners, each step waiting for the one before:
 *   1. the joint rows (old owners and pending ones) are fsynced, then announced;
 *   2. once n − min(r, w) + 1 old owners have stored them, the pending owners are told to fill, from n − w + 1 full owners
 *      (among them, where too few live, the stores that the dead left on disk: their threads are spawned for salvage);
 *   3. once filled, the rows flip under a new epoch: fsynced, announced;
 *   4. once n − min(r, w) + 1 of the old owners have stored the flip, it is activated: the new owners may serve it.
 * A thread that has ended counts as having stored: it answers nobody. Where too few stores are left, the row is lost
 * until an operator accepts it; data is never traded for silence.
 *
 * Called by `actors/supervisor.actor.ts`, and by the simulator. After an invariant broke it is rebuilt by `resume` from
 * the highest fsynced table.
 */

import { assert } from '../assert.js'
import { type Address, type Epoch, type Incarnation, type NodeId, type PartitionId, SUPERVISOR } from '../ids.js'
import { checkTable } from '../invariants.js'
import type { FillOrder, Message, PeerStatus } from '../messages.js'
import { isJoint, type PartitionTable, type Row, rowOf } from '../ring/table.js'
import { Exchanges } from './exchanges.js'
import { jointPartitions, rowsAfterAmnesia, rowsAfterDeath, rowsAfterFill, rowsWithLoss } from './reassignment.js'
import { planRestart, type RestartPolicy } from './restart-policy.js'
import type { ResumeState, SupervisorEffect, SupervisorEvent, SupervisorNotice } from './supervisor-events.js'

export interface SupervisorConfig {
  readonly n: number
  readonly r: number
  readonly w: number
  /** The smallest w that this cluster was ever opened with: a fill must meet every write that was acknowledged by it. */
  readonly wFill: number
  readonly restart: RestartPolicy
  /** A thread whose loop stood still for so long is terminated. */
  readonly hungAfterMs: number
  /** A thread that has not opened its store for so long is terminated. */
  readonly openingAfterMs: number
  /** Nodes coordinate requests (server coordination, siblings): their death may leave writes that nobody hints. */
  readonly nodesCoordinate: boolean
}

/** How often the host should tick. */
export const SUPERVISOR_TICK_MS = 50
/** A tick later than this says that our own thread stood still: nobody else is judged. */
const LATE_TICK_MS = 250

/** Where a node is in its life. */
export type NodePhase = 'waiting' | 'opening' | 'booting' | 'up' | 'down' | 'salvaging' | 'salvaged'

interface Supervised {
  readonly id: NodeId
  incarnation: Incarnation
  phase: NodePhase
  /** When the phase began; of `waiting`: when to spawn. */
  sinceMs: number
  upSinceMs: number | undefined
  shortLivesAtMs: number[]
  restarts: number
  storedEpoch: Epoch
  loops: number
  loopsAtMs: number
  isFinal: boolean
  /** Down for good and its store cannot be read. */
  isStoreGone: boolean
  /** Threads that died over reading its store, down for good as it is. */
  salvagesFailed: number
  isHungReported: boolean
  /** The thread of this life has been told to end. */
  isEnding: boolean
}

/** One node as status shows it. */
export interface SupervisedView {
  readonly id: NodeId
  readonly incarnation: Incarnation
  readonly phase: NodePhase
  readonly restarts: number
}

export class SupervisorCore {
  readonly #config: SupervisorConfig
  readonly #nodes = new Map<NodeId, Supervised>()
  readonly #gateways = new Set<Address>()
  readonly #exchanges = new Exchanges()
  /** The newest table; announced once it is persisted. */
  #table: PartitionTable
  #persisted: PartitionTable
  /** Tables on their way to disk, by epoch, and what is to be told once they are there. */
  readonly #persisting = new Map<
    Epoch,
    { readonly table: PartitionTable; readonly notices: readonly SupervisorNotice[] }
  >()
  #activeEpoch: Epoch
  /** Flips that are not active yet: epoch → the old owners of each flipped row. */
  readonly #flips = new Map<Epoch, readonly (readonly (NodeId | null)[])[]>()
  /** What has been ordered: partition and node → row epoch, life of the node, and where it reads. */
  readonly #ordered = new Map<
    string,
    { readonly rowEpoch: Epoch; readonly incarnation: Incarnation; readonly sources: readonly NodeId[] }
  >()
  readonly #filled = new Map<PartitionId, Map<NodeId, Epoch>>()
  readonly #accepted = new Set<PartitionId>()
  #isCreation = false
  /** Rebuilt: the newest epoch is activated (again) once every living node has stored it. */
  #isResuming = false
  #exchangeWhenUp = false
  /** Hints for places that are being filled are gone: exchange once more when nothing moves. */
  #exchangeWhenFilled = false
  /** Down for good when the last process ended: no hints were kept for them. */
  readonly #wereDown = new Set<NodeId>()
  #isStopping = false
  #expectedTickMs = Number.POSITIVE_INFINITY
  #nowMs = 0
  #effects: SupervisorEffect[] = []

  constructor(config: SupervisorConfig, table: PartitionTable) {
    checkTable(table)
    this.#config = config
    this.#table = table
    this.#persisted = table
    this.#activeEpoch = table.epoch
  }

  /** The newest table that is on disk. */
  get table(): PartitionTable {
    return this.#persisted
  }

  /** Sorted by id. */
  nodes(): readonly SupervisedView[] {
    return this.#sorted().map(({ id, incarnation, phase, restarts }) => ({ id, incarnation, phase, restarts }))
  }

  /** Nothing is on its way: no restart, fill, flip, exchange. A lost partition waits for an operator, and is not. */
  isQuiet(): boolean {
    const rested = this.#sorted().every((node) => node.phase === 'up' || node.phase === 'down')
    return (
      rested && !this.#isMoving() && this.#persisting.size === 0 && this.#flips.size === 0 && this.#exchanges.isEmpty
    )
  }

  step(event: SupervisorEvent, nowMs: number): readonly SupervisorEffect[] {
    this.#nowMs = nowMs
    switch (event.type) {
      case 'start':
        this.#isCreation = event.isCreation
        this.#exchangeWhenUp = event.wasUnclean
        for (const node of event.wereDown) this.#wereDown.add(node)
        for (const node of event.nodes) this.#spawn(this.#add(node))
        break
      case 'resume':
        this.#onResume(event)
        break
      case 'node/opened':
        this.#onOpened(event)
        break
      case 'node/exited':
        this.#onExited(event.node, event.incarnation, event.reason)
        break
      case 'message':
        this.#onMessage(event.from, event.message)
        break
      case 'table/persisted':
        this.#onPersisted(event.epoch)
        break
      case 'tick':
        this.#onTick(event.loops)
        break
      case 'gateway/joined':
        this.#gateways.add(event.gateway)
        break
      case 'gateway/lost':
        this.#gateways.delete(event.gateway)
        this.#exchanges.everybody(this.#living())
        break
      case 'operator/give-up':
        this.#onGiveUp(event.node)
        break
      case 'operator/accept-loss':
        // Only what is lost now: remembered for a healthy row, it would have a later loss pass without a word.
        for (const partition of event.partitions)
          if (this.#table.rows[partition]?.lost === true) this.#accepted.add(partition)
        break
      case 'stop':
        this.#isStopping = true
        break
      default:
        event satisfies never
    }
    if (!this.#isStopping) this.#advance()
    const effects = this.#effects
    this.#effects = []
    return effects
  }

  // --- lives ----------------------------------------------------------------------------------------------------------

  #add(id: NodeId): Supervised {
    const node: Supervised = {
      id,
      incarnation: 0,
      phase: 'waiting',
      sinceMs: this.#nowMs,
      upSinceMs: undefined,
      shortLivesAtMs: [],
      restarts: 0,
      storedEpoch: 0,
      loops: 0,
      loopsAtMs: this.#nowMs,
      isFinal: false,
      isStoreGone: false,
      salvagesFailed: 0,
      isHungReported: false,
      isEnding: false,
    }
    this.#nodes.set(id, node)
    return node
  }

  /** Who has stored which epoch, and which flips are active, is not known any more: what can be is found out again. */
  #onResume(event: SupervisorEvent & { type: 'resume' }): void {
    this.#isResuming = true
    this.#exchangeWhenUp = true
    for (const { node, incarnation, state } of event.nodes) this.#resume(node, incarnation, state)
  }

  #resume(id: NodeId, incarnation: Incarnation, state: ResumeState): void {
    const node = this.#add(id)
    node.incarnation = incarnation
    switch (state) {
      case 'up':
        node.phase = 'up'
        node.upSinceMs = this.#nowMs
        // Which epoch it has stored is not known any more: its table tells.
        return this.#send(id, { type: 'table/request', epoch: 0 })
      case 'starting':
        node.phase = 'opening'
        return this.#terminate(node, 'its supervisor was rebuilt while it was starting')
      case 'ended':
        return this.#spawn(node)
      case 'salvage':
        // Spawned again if it is still needed.
        this.#terminate(node, 'its supervisor was rebuilt while it was read')
        node.phase = 'down'
        return
      case 'down':
        node.phase = 'down'
        return
      default:
        state satisfies never
    }
  }

  #spawn(node: Supervised): void {
    node.incarnation += 1
    node.phase = 'opening'
    node.sinceMs = this.#nowMs
    node.upSinceMs = undefined
    node.storedEpoch = 0
    node.loopsAtMs = this.#nowMs
    node.isHungReported = false
    node.isEnding = false
    this.#effects.push({ type: 'spawn', node: node.id, incarnation: node.incarnation, salvage: false })
  }

  #onOpened(event: SupervisorEvent & { type: 'node/opened' }): void {
    const node = this.#nodes.get(event.node)
    if (node === undefined || node.incarnation !== event.incarnation) return
    const isForgetful = event.verdict === 'amnesiac' || (event.verdict === 'fresh' && !this.#isCreation)
    if (node.phase === 'salvaging') {
      if (isForgetful) {
        node.isStoreGone = true
        this.#terminate(node, 'its store cannot be salvaged')
      } else this.#bootSalvage(node)
      return
    }
    if (node.phase !== 'opening') return
    node.phase = 'booting'
    // Its loop is judged from here: while it loaded and opened it may have had no turn to count.
    node.loopsAtMs = this.#nowMs
    node.sinceMs = this.#nowMs
    node.storedEpoch = 0
    const mayLack = this.#wereDown.delete(node.id)
    if (event.verdict === 'lost-tail') this.#notice({ type: 'node:lost-tail', node: node.id, reason: event.reason })
    if (isForgetful || event.verdict === 'lost-tail' || event.hintsDamaged > 0) this.#onHintsGone()
    else if (mayLack) this.#exchanges.one(node.id, this.#living())
    if (!isForgetful) return
    const table = rowsAfterAmnesia(this.#table, node.id)
    if (table !== this.#table) this.#notice({ type: 'node:amnesia', node: node.id, reason: event.reason })
    this.#change(table, `${node.id} is to be refilled: ${event.reason}`)
  }

  /** A node boots once everything decided about it is on disk: an amnesiac must never see a table in which it is full. */
  #bootReady(): void {
    if (this.#persisting.size > 0) return
    for (const node of this.#sorted()) {
      if (node.phase !== 'booting' || node.upSinceMs !== undefined) continue
      node.upSinceMs = this.#nowMs
      const peers = this.#sorted()
        .filter((peer) => peer.id !== node.id)
        .map((peer) => ({ node: peer.id, incarnation: peer.incarnation, status: statusOf(peer) }))
      const { id, incarnation } = node
      this.#effects.push({
        type: 'boot',
        node: id,
        incarnation,
        table: this.#persisted,
        activeEpoch: this.#activeEpoch,
        peers,
      })
    }
  }

  #onExited(id: NodeId, incarnation: Incarnation, reason: string): void {
    const node = this.#nodes.get(id)
    if (node === undefined || node.incarnation !== incarnation || node.phase === 'waiting') return
    const { phase, upSinceMs } = node
    if (phase === 'salvaging' || phase === 'salvaged' || phase === 'down') {
      // A thread that dies over a store says nothing about the store: it is read again, until that looks hopeless.
      // Giving it up at once would have an operator accept the loss of data that is there.
      if (phase !== 'down' && this.#isSalvageNeeded(node)) node.salvagesFailed += 1
      if (node.salvagesFailed > this.#config.restart.restartsMax) node.isStoreGone = true
      node.phase = 'down'
      return
    }
    const isShort = upSinceMs === undefined || this.#nowMs - upSinceMs < this.#config.restart.stableAfterMs
    if (isShort) node.shortLivesAtMs.push(this.#nowMs)
    const oldest = this.#nowMs - this.#config.restart.windowMs
    node.shortLivesAtMs = node.shortLivesAtMs.filter((atMs) => atMs > oldest)
    node.upSinceMs = undefined
    if (this.#isStopping) return
    if (phase === 'up' && this.#config.nodesCoordinate) this.#exchanges.everybody(this.#living())
    this.#exchanges.onLost(id)
    const decision = planRestart(node.shortLivesAtMs, this.#config.restart, this.#nowMs)
    if (node.isFinal || decision.type === 'give-up') {
      const shortLives = decision.type === 'give-up' ? decision.shortLives : 0
      const isTold = node.isFinal || this.#config.restart.restartsMax === 0
      const why = isTold ? reason : `${shortLives} short lives in a row; the last ended: ${reason}`
      return this.#giveUp(node, why)
    }
    node.phase = 'waiting'
    node.restarts += 1
    node.sinceMs = this.#nowMs + decision.delayMs
    this.#broadcastPeer(node)
    if (decision.delayMs === 0) this.#spawn(node)
  }

  #onGiveUp(id: NodeId): void {
    const node = this.#nodes.get(id)
    if (node === undefined || node.phase === 'down') return
    node.isFinal = true
    if (node.phase === 'waiting') this.#giveUp(node, 'given up by an operator')
  }

  #giveUp(node: Supervised, reason: string): void {
    node.phase = 'down'
    this.#exchanges.onDown(node.id)
    this.#onHintsGone()
    this.#notice({ type: 'node:down', node: node.id, reason })
    this.#broadcastPeer(node)
    this.#reassign(`${node.id} is down for good`)
  }

  /** A node kept hints and keeps them no more; for whom, nobody knows. Before the table is changed on its account. */
  #onHintsGone(): void {
    this.#exchanges.everybody(this.#living())
    // An exchange leaves out what is being filled, and a fill does not read hints.
    if (this.#isMoving()) this.#exchangeWhenFilled = true
  }

  #reassign(reason: string): void {
    const dead = new Set(
      this.#sorted()
        .filter((node) => node.phase === 'down' || isSalvage(node))
        .map((node) => node.id),
    )
    const members = this.#sorted()
      .filter((node) => !dead.has(node.id))
      .map((node) => node.id)
    if (members.length > 0) this.#change(rowsAfterDeath(this.#table, dead, members), reason)
  }

  /** Once a life: a thread may take its time to end. */
  #terminate(node: Supervised, reason: string): void {
    if (node.isEnding) return
    node.isEnding = true
    this.#effects.push({ type: 'terminate', node: node.id, incarnation: node.incarnation, reason })
  }

  // --- mail -----------------------------------------------------------------------------------------------------------

  #onMessage(from: Address, message: Message): void {
    switch (message.type) {
      case 'table/stored':
        return this.#onStored(from, message.epoch)
      case 'table/announce':
        return this.#onStored(from, message.table.epoch)
      case 'table/request':
        if (message.epoch < this.#persisted.epoch) this.#send(from, { type: 'table/announce', table: this.#persisted })
        return
      case 'transfer/done':
        message.partitions.forEach((partition, index) => {
          const nodes = this.#filled.get(partition) ?? new Map<NodeId, Epoch>()
          this.#filled.set(partition, nodes.set(from, message.rowEpochs[index] ?? 0))
        })
        return
      case 'exchange/done':
        return this.#exchanges.onDone(from, message.peers)
      case 'hint/lost':
        for (const target of message.targets) this.#exchanges.one(target, this.#living())
        return
      default:
        // Gossip and heartbeats that were meant for a member are nothing to us.
        return
    }
  }

  #onStored(id: NodeId, epoch: Epoch): void {
    const node = this.#nodes.get(id)
    if (node === undefined) return
    node.storedEpoch = Math.max(node.storedEpoch, epoch)
    if (node.phase !== 'booting') return
    node.phase = 'up'
    node.sinceMs = this.#nowMs
    node.loopsAtMs = this.#nowMs
    this.#broadcastPeer(node)
    this.#notice({ type: 'node:up', node: id, incarnation: node.incarnation })
    if (epoch < this.#persisted.epoch) this.#send(id, { type: 'table/announce', table: this.#persisted })
    if (this.#config.nodesCoordinate && node.incarnation > 1) this.#exchanges.one(id, this.#living())
    if (!this.#sorted().every((other) => other.phase === 'up' || other.phase === 'down')) return
    if (this.#exchangeWhenUp) this.#exchanges.everybody(this.#living())
    this.#exchangeWhenUp = false
    if (this.#isCreation) this.#notice({ type: 'created' })
    this.#isCreation = false
  }

  // --- the table ------------------------------------------------------------------------------------------------------

  /**
   * The program is told when everybody is: an event before the table is on disk would speak of what neither `status()`
   * nor any answer shows yet, and what a crash of the process could still take back.
   */
  #change(table: PartitionTable, reason: string, notices: readonly SupervisorNotice[] = []): void {
    if (table === this.#table) return
    checkTable(table)
    assert(table.epoch > this.#table.epoch, 'epochs only grow', { from: this.#table.epoch, to: table.epoch })
    const partitionsChanged = table.rows.filter((row) => row.epoch === table.epoch).length
    this.#table = table
    const changed: SupervisorNotice = { type: 'epoch', epoch: table.epoch, reason, partitionsChanged }
    this.#persisting.set(table.epoch, { table, notices: [changed, ...notices] })
    this.#effects.push({ type: 'persist', table })
  }

  #onPersisted(epoch: Epoch): void {
    const table = this.#persisting.get(epoch)?.table
    const told = [...this.#persisting].filter(([earlier]) => earlier <= epoch)
    for (const [earlier] of told) this.#persisting.delete(earlier)
    if (table === undefined || epoch <= this.#persisted.epoch) return
    this.#persisted = table
    for (const [, { notices }] of told) for (const notice of notices) this.#notice(notice)
    const message: Message = { type: 'table/announce', table }
    for (const node of this.#sorted()) if (node.upSinceMs !== undefined) this.#send(node.id, message)
    for (const gateway of [...this.#gateways].sort()) this.#send(gateway, message)
  }

  /** Everything that may go on now, in the order of a change. */
  #advance(): void {
    this.#bootReady()
    this.#orderFills()
    this.#markLosses()
    this.#flip()
    this.#activate()
    this.#endSalvage()
    if (this.#exchangeWhenFilled && !this.#isMoving() && this.#flips.size === 0) {
      this.#exchangeWhenFilled = false
      this.#exchanges.everybody(this.#living())
    }
    this.#orderExchanges()
    this.#bootReady()
  }

  /** Not while a node starts: requests and the node that is waited for need the processors more. */
  #orderExchanges(): void {
    const isStarting = this.#sorted().some((node) => node.phase === 'opening' || node.phase === 'booting')
    if (isStarting) return
    for (const { node, peers } of this.#exchanges.takeOrders((id) => this.#nodes.get(id)?.phase === 'up')) {
      this.#send(node, { type: 'exchange/start', peers })
    }
  }

  /** How many of these old places answer nobody under an epoch before this one. */
  #countStored(owners: readonly (NodeId | null)[], epoch: Epoch): number {
    return owners.filter((owner) => {
      const node = owner === null ? undefined : this.#nodes.get(owner)
      // Vacant, dead, or with its table still to be handed to it: it cannot answer under an older epoch.
      if (node === undefined || node.upSinceMs === undefined || isSalvage(node)) return true
      return node.storedEpoch >= epoch
    }).length
  }

  get #storedNeeded(): number {
    return this.#config.n - Math.min(this.#config.r, this.#config.w) + 1
  }

  #orderFills(): void {
    const orders = new Map<NodeId, FillOrder[]>()
    for (const partition of jointPartitions(this.#persisted)) {
      const row = rowOf(this.#persisted, partition)
      if (row !== this.#table.rows[partition] || this.#countStored(row.owners, row.epoch) < this.#storedNeeded) continue
      const sources = this.#chooseSources(row, partition)
      if (sources === undefined) continue
      for (const pending of row.pending) {
        const node = pending === null ? undefined : this.#nodes.get(pending)
        if (node?.phase !== 'up') continue
        const name = `${partition} ${node.id}`
        const earlier = this.#ordered.get(name)
        const isSame = earlier?.rowEpoch === row.epoch && earlier.incarnation === node.incarnation
        // A source that will never answer again (its salvaged store turned out to be gone) is replaced by another.
        if (isSame && earlier.sources.every((source) => this.#isReadable(source))) continue
        this.#ordered.set(name, { rowEpoch: row.epoch, incarnation: node.incarnation, sources })
        orders.set(node.id, [...(orders.get(node.id) ?? []), { partition, rowEpoch: row.epoch, sources }])
      }
    }
    for (const [node, list] of orders) this.#send(node, { type: 'transfer/start', orders: list })
  }

  /** Any so many owners meet every write that was ever acknowledged. */
  get #sourcesNeeded(): number {
    return this.#config.n - this.#config.wFill + 1
  }

  /**
   * The stores to fill a row from: n − w + 1 full owners, those alive first, then what the dead left on disk. Undefined:
   * not yet (a salvage is being started) or not at all (the row is lost).
   */
  #chooseSources(row: Row, partition: PartitionId): readonly NodeId[] | undefined {
    const needed = this.#sourcesNeeded
    const owners = row.owners.filter((owner) => owner !== null).map((owner) => this.#nodes.get(owner))
    const known = owners.filter((node) => node !== undefined)
    const alive = known.filter((node) => node.phase !== 'down' && !isSalvage(node))
    alive.sort((a, b) => Number(b.phase === 'up') - Number(a.phase === 'up'))
    if (alive.length >= needed) return alive.slice(0, needed).map((node) => node.id)
    const readable = known.filter((node) => !alive.includes(node) && !node.isStoreGone)
    for (const node of readable) if (node.phase === 'down') this.#salvage(node)
    if (readable.some((node) => node.phase !== 'salvaged')) return undefined
    const sources = [...alive, ...readable].map((node) => node.id)
    return sources.length >= needed || this.#accepted.has(partition) ? sources.slice(0, Math.max(needed, 1)) : undefined
  }

  #isReadable(source: NodeId): boolean {
    const node = this.#nodes.get(source)
    return node !== undefined && node.phase !== 'down' && !node.isStoreGone
  }

  #isMoving(): boolean {
    return jointPartitions(this.#table).some((partition) => this.#canMove(partition))
  }

  /** Could this row's fill go on without an operator? */
  #canMove(partition: PartitionId): boolean {
    const row = this.#table.rows[partition]
    return row !== undefined && isJoint(row) && !row.lost
  }

  /** Rows with fewer readable stores than a fill needs say so until an operator accepts it. */
  #markLosses(): void {
    const needed = this.#sourcesNeeded
    const isLost = (row: Row, partition: PartitionId): boolean => {
      if (this.#accepted.has(partition)) return false
      const readable = row.owners.filter((owner) => owner !== null && this.#nodes.get(owner)?.isStoreGone !== true)
      return readable.length < needed && (isJoint(row) || readable.length < row.owners.length)
    }
    const table = rowsWithLoss(this.#table, isLost)
    if (table === this.#table) return
    const partitions: PartitionId[] = []
    table.rows.forEach((row, partition) => {
      if (row.lost && this.#table.rows[partition]?.lost !== true) partitions.push(partition)
    })
    if (partitions.length === 0) this.#change(table, 'an operator accepted the loss')
    else this.#change(table, 'too few stores are left', [{ type: 'partition:lost', partitions }])
  }

  #flip(): void {
    const ready = new Map<PartitionId, ReadonlySet<NodeId>>()
    for (const [partition, nodes] of this.#filled) {
      const row = this.#table.rows[partition]
      const filled = new Set<NodeId>()
      for (const [node, rowEpoch] of nodes) {
        if (row !== undefined && rowEpoch === row.epoch && row.pending.includes(node)) filled.add(node)
      }
      if (filled.size === 0) {
        this.#filled.delete(partition)
        continue
      }
      // Others that are being filled would have to begin anew under the flipped row: wait for those that are up.
      const waits = row?.pending.some(
        (node) => node !== null && !filled.has(node) && this.#nodes.get(node)?.phase === 'up',
      )
      if (!waits) ready.set(partition, filled)
    }
    if (ready.size === 0) return
    const before = this.#table
    this.#change(rowsAfterFill(before, ready), `${ready.size} partitions have been filled`)
    this.#flips.set(
      this.#table.epoch,
      [...ready.keys()].map((partition) => rowOf(before, partition).owners),
    )
    for (const partition of ready.keys()) {
      this.#filled.delete(partition)
      this.#accepted.delete(partition)
    }
  }

  /** Epochs become active in order. */
  #activate(): void {
    if (this.#isResuming) {
      const living = this.#sorted().filter((node) => node.phase === 'up')
      if (!living.every((node) => node.storedEpoch >= this.#persisted.epoch)) return
      this.#isResuming = false
      this.#activeEpoch = this.#persisted.epoch - 1
    }
    const before = this.#activeEpoch
    for (let epoch = this.#activeEpoch + 1; epoch <= this.#persisted.epoch; epoch++) {
      const flipped = this.#flips.get(epoch) ?? []
      if (!flipped.every((owners) => this.#countStored(owners, epoch) >= this.#storedNeeded)) break
      this.#flips.delete(epoch)
      this.#activeEpoch = epoch
    }
    if (this.#activeEpoch === before) return
    for (const node of this.#sorted()) {
      if (node.upSinceMs !== undefined) this.#send(node.id, { type: 'table/activate', epoch: this.#activeEpoch })
    }
  }

  // --- salvage --------------------------------------------------------------------------------------------------------

  #salvage(node: Supervised): void {
    node.incarnation += 1
    node.phase = 'salvaging'
    node.sinceMs = this.#nowMs
    node.isHungReported = false
    node.isEnding = false
    this.#effects.push({ type: 'spawn', node: node.id, incarnation: node.incarnation, salvage: true })
  }

  #bootSalvage(node: Supervised): void {
    node.phase = 'salvaged'
    const { id, incarnation } = node
    this.#effects.push({
      type: 'boot',
      node: id,
      incarnation,
      table: this.#persisted,
      activeEpoch: this.#activeEpoch,
      peers: [],
    })
  }

  #endSalvage(): void {
    for (const node of this.#sorted()) {
      if (node.phase === 'salvaged' && !this.#isSalvageNeeded(node)) {
        this.#terminate(node, 'what it left has been read')
      }
    }
  }

  #isSalvageNeeded(node: Supervised): boolean {
    return jointPartitions(this.#table).some((partition) => rowOf(this.#table, partition).owners.includes(node.id))
  }

  // --- time -----------------------------------------------------------------------------------------------------------

  #onTick(loops: Readonly<Record<NodeId, number>>): void {
    const isLate = this.#nowMs - this.#expectedTickMs > LATE_TICK_MS
    this.#expectedTickMs = this.#nowMs + SUPERVISOR_TICK_MS
    for (const node of this.#sorted()) {
      const turned = loops[node.id] ?? node.loops
      if (turned !== node.loops || isLate) node.loopsAtMs = this.#nowMs
      node.loops = turned
      if (node.phase === 'waiting' && this.#nowMs >= node.sinceMs && !this.#isStopping) this.#spawn(node)
      else this.#judge(node, isLate)
    }
  }

  #judge(node: Supervised, isLate: boolean): void {
    if (isLate) {
      node.sinceMs = node.phase === 'opening' || node.phase === 'salvaging' ? this.#nowMs : node.sinceMs
      return
    }
    const silentMs = this.#nowMs - node.loopsAtMs
    if ((node.phase === 'up' || node.phase === 'booting') && silentMs >= this.#config.hungAfterMs) {
      if (node.isHungReported) return
      node.isHungReported = true
      this.#notice({ type: 'node:hung', node: node.id, silentMs })
      this.#terminate(node, `its loop stood still for ${Math.round(silentMs)} ms`)
    }
    const isOpening = node.phase === 'opening' || node.phase === 'salvaging'
    if (!isOpening || node.isHungReported || this.#nowMs - node.sinceMs < this.#config.openingAfterMs) return
    node.isHungReported = true
    this.#terminate(node, `its store was not open after ${this.#config.openingAfterMs} ms`)
  }

  // --- saying ---------------------------------------------------------------------------------------------------------

  #broadcastPeer(changed: Supervised): void {
    const message: Message = {
      type: 'peer/changed',
      node: changed.id,
      incarnation: changed.incarnation,
      status: statusOf(changed),
    }
    for (const node of this.#sorted()) {
      if (node.id !== changed.id && node.upSinceMs !== undefined && !isSalvage(node)) this.#send(node.id, message)
    }
    for (const gateway of [...this.#gateways].sort()) this.#send(gateway, message)
  }

  #living(): readonly NodeId[] {
    return this.#sorted()
      .filter((node) => node.phase !== 'down' && !isSalvage(node))
      .map((node) => node.id)
  }

  #sorted(): readonly Supervised[] {
    return [...this.#nodes.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
  }

  #send(to: Address, message: Message): void {
    if (to !== SUPERVISOR) this.#effects.push({ type: 'send', to, message })
  }

  #notice(notice: SupervisorNotice): void {
    this.#effects.push({ type: 'notice', notice })
  }
}

function isSalvage(node: Supervised): boolean {
  return node.phase === 'salvaging' || node.phase === 'salvaged'
}

/** How others are to see a node. */
function statusOf(node: Supervised): PeerStatus {
  if (node.phase === 'up') return 'up'
  if (node.phase === 'waiting') return 'exited'
  return node.phase === 'down' || isSalvage(node) ? 'down' : 'starting'
}
