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
 * Called by `actors/supervisor.actor.ts`, and by the simulator. Rebuilt from the highest fsynced table, by `resume`, after an invariant broke.
 */

import type { Address, Epoch, NodeId } from '../ids.js'
import type { Message } from '../messages.js'
import { type PartitionTable, type Row, standbysOf } from '../ring/table.js'
import { Exchanges } from './exchanges.js'
import { isStillFull, onFull, onRoom } from './full-disks.js'
import { Lives } from './lives.js'
import { OwnerChanges } from './owner-changes.js'
import { Reaping } from './reaping.js'
import { rowsAfterAmnesia, tableAfterDeath } from './reassignment.js'
import { Roster } from './roster.js'
import { ShapeChanges } from './shape-changes.js'
import { StandbyFills } from './standby-fills.js'
import {
  afterDeath,
  endLife,
  endSalvage,
  isSalvage,
  type Supervised,
  type SupervisedView,
  whyGivenUp,
} from './supervised.js'
import type { SupervisorConfig } from './supervisor-config.js'
import type { SupervisorEffect, SupervisorEvent, SupervisorNotice } from './supervisor-events.js'
import { SupervisorPost } from './supervisor-post.js'
import { TableBook } from './table-book.js'
import { ThreadWatch } from './thread-watch.js'

export class SupervisorCore {
  readonly #config: SupervisorConfig
  readonly #nodes = new Roster()
  readonly #post = new SupervisorPost(this.#nodes)
  readonly #exchanges = new Exchanges((node) => standbysOf(this.#tables.newest).includes(node))
  readonly #tables: TableBook
  readonly #lives: Lives
  readonly #watch: ThreadWatch
  readonly #changes: OwnerChanges
  readonly #shape: ShapeChanges
  readonly #standbyFills: StandbyFills
  readonly #reaping: Reaping
  #isCreation = false
  /** Down for good when the last process ended: no hints were kept for them. */
  readonly #wereDown = new Set<NodeId>()
  #isRebuilt = false
  #isStopping = false
  #nowMs = 0

  constructor(config: SupervisorConfig, table: PartitionTable) {
    this.#config = config
    this.#tables = new TableBook(table, config.n)
    this.#watch = new ThreadWatch(config)
    this.#reaping = new Reaping(config.tombstoneGraceMs)
    this.#lives = new Lives({
      nodes: this.#nodes,
      post: this.#post,
      tables: this.#tables,
      activeEpoch: () => this.#changes.activeEpoch,
    })
    const host = {
      tables: this.#tables,
      nodes: this.#nodes,
      post: this.#post,
      change: this.#change,
      salvage: (node: Supervised) => this.#lives.spawn(node, 'salvaging', this.#nowMs),
    }
    this.#changes = new OwnerChanges(config, host, table.epoch)
    const isKnown = (row: Row) => this.#changes.isKnown(row)
    this.#standbyFills = new StandbyFills({ ...host, quorums: config, isKnown })
    this.#shape = new ShapeChanges({
      ...host,
      quorums: config,
      isMoving: () => this.#changes.isMoving() || !this.#changes.isSettled,
      forget: (node) => this.#exchanges.onDown(node),
      onNewStandby: (node) => this.#standbyFills.onNew(node, table.rows.length, this.#changes.hasCopy(node)),
      onPromoted: (node) => this.#onPromoted(node),
      lacks: (node) => this.#standbyFills.lacks(node) > 0,
    })
  }

  /** The newest table that is on disk. */
  get table(): PartitionTable {
    return this.#tables.persisted
  }

  /** Sorted by id. */
  nodes(): readonly SupervisedView[] {
    return this.#nodes.views()
  }

  /** Nothing is on its way: no restart, fill, flip, exchange. A lost partition waits for an operator, and is not. */
  isQuiet(): boolean {
    const isStill = this.#nodes.isAtRest && !this.#tables.isPersisting && this.#exchanges.isSettled
    const isShaped = this.#shape.isSettled && !this.#standbyFills.isWorking
    return isStill && isShaped && !this.#changes.isMoving() && this.#changes.isSettled
  }

  step(event: SupervisorEvent, nowMs: number): readonly SupervisorEffect[] {
    this.#nowMs = nowMs
    switch (event.type) {
      case 'start':
        this.#isCreation = event.isCreation
        if (event.wasUnclean) this.#exchanges.everybodyWhenUp()
        for (const node of event.wereDown) this.#wereDown.add(node)
        for (const node of event.nodes) this.#lives.add(node, this.#nowMs)
        this.#shape.goOn(event)
        break
      case 'resume':
        this.#onResume(event)
        break
      case 'node/opened':
        this.#onOpened(event)
        break
      case 'node/exited':
        this.#onExited(event)
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
      case 'node/full':
        if (!this.#isStopping) onFull(event, this.#nodes, this.#post)
        break
      case 'node/room':
        if (!this.#isStopping) onRoom(event.node, this.#nodes, this.#post)
        break
      case 'gateway/joined':
        this.#post.addGateway(event.gateway)
        if (this.#isRebuilt) this.#post.send(event.gateway, { type: 'table/announce', table: this.#tables.persisted })
        break
      case 'gateway/left':
        this.#post.removeGateway(event.gateway)
        break
      case 'gateway/lost':
        this.#post.loseGateway(event.gateway)
        this.#exchanges.everybody(this.#nodes.living())
        break
      case 'operator/give-up':
        this.#onGiveUp(event.node)
        break
      case 'operator/join':
        // A store that is new has forgotten nothing.
        for (const node of event.nodes) this.#lives.add(node, this.#nowMs).hintsKept = 0
        for (const node of event.nodes) {
          if (event.haveCopies === true) this.#changes.onCopy(node)
          this.#shape.onJoin(node, event.role)
        }
        break
      case 'operator/promote':
        this.#shape.onPromote(event.node)
        break
      case 'operator/leave':
        this.#shape.onLeave(event.node)
        break
      case 'node/removed':
        this.#nodes.remove(event.node)
        this.#shape.onRemoved(event.node)
        break
      case 'operator/accept-loss':
        this.#changes.acceptLoss(event.partitions)
        break
      case 'reaping/noted':
        this.#reaping.onNoted(event.before, this.isQuiet(), { nodes: this.#nodes, post: this.#post }, this.#nowMs)
        break
      case 'stop':
        this.#isStopping = true
        break
      default:
        event satisfies never
    }
    if (!this.#isStopping) this.#advance()
    return this.#post.takeEffects()
  }

  // --- lives ----------------------------------------------------------------------------------------------------------

  /** Who has stored which epoch, and which flips are active, is not known any more: what can be is found out again. */
  #onResume(event: SupervisorEvent & { type: 'resume' }): void {
    this.#isRebuilt = true
    this.#changes.resume()
    this.#exchanges.everybodyWhenUp()
    for (const { node, incarnation, state } of event.nodes) this.#lives.resume(node, incarnation, state, this.#nowMs)
    this.#shape.goOn(event)
  }

  #onOpened(event: SupervisorEvent & { type: 'node/opened' }): void {
    const node = this.#nodes.get(event.node)
    if (node === undefined || node.incarnation !== event.incarnation) return
    const isForgetful = event.verdict === 'amnesiac' || (event.verdict === 'fresh' && !this.#isCreation)
    if (node.phase === 'salvaging') return this.#lives.onSalvageOpened(node, isForgetful)
    if (node.phase !== 'opening') return
    node.phase = 'booting'
    // Its loop is judged from here: while it loaded and opened it may have had no turn to count.
    node.loopsAtMs = this.#nowMs
    node.sinceMs = this.#nowMs
    node.storedEpoch = 0
    const mayLack = this.#wereDown.delete(node.id)
    if (event.verdict === 'lost-tail')
      this.#post.notice({ type: 'node:lost-tail', node: node.id, reason: event.reason })
    if (isForgetful || event.verdict === 'lost-tail' || event.hintsDamaged > 0) this.#onHintsGone(node)
    else if (mayLack) this.#exchanges.one(node.id, this.#nodes.living())
    if (!isForgetful) return
    if (standbysOf(this.#tables.newest).includes(node.id))
      this.#standbyFills.onNew(node.id, this.#tables.newest.rows.length, false)
    const table = rowsAfterAmnesia(this.#tables.newest, node.id)
    if (table !== this.#tables.newest) this.#post.notice({ type: 'node:amnesia', node: node.id, reason: event.reason })
    this.#change(table, `${node.id} is to be refilled: ${event.reason}`)
  }

  #onExited(event: SupervisorEvent & { type: 'node/exited' }): void {
    const { node: id, incarnation, reason, hints } = event
    const node = this.#nodes.get(id)
    if (node === undefined || node.incarnation !== incarnation || node.phase === 'waiting') return
    const { phase } = node
    node.lacksMeans = event.lacksMeans === true
    if (phase === 'up') node.hintsKept = hints
    if (isSalvage(node) || phase === 'down')
      return endSalvage(node, this.#changes.isSalvageNeeded(node), this.#config.restart.restartsMax)
    endLife(node, this.#config.restart, this.#nowMs)
    if (this.#isStopping) return
    if (phase === 'up' && this.#config.nodesCoordinate) this.#exchanges.everybody(this.#nodes.living())
    this.#exchanges.onLost(id)
    const decision = afterDeath(node, this.#config.restart, this.#nowMs)
    if (decision.type === 'give-up') return this.#giveUp(node, whyGivenUp(decision, reason))
    node.phase = 'waiting'
    node.restarts += 1
    node.sinceMs = this.#nowMs + decision.delayMs
    this.#post.broadcastPeer(node)
    if (decision.delayMs === 0 && !isStillFull(node, this.#post)) this.#lives.spawn(node, 'opening', this.#nowMs)
  }

  #onGiveUp(id: NodeId): void {
    const node = this.#nodes.get(id)
    if (node === undefined || node.phase === 'down') return
    node.isFinal = true
    if (node.phase === 'waiting') this.#giveUp(node, 'given up by an operator')
  }

  #giveUp(node: Supervised, reason: string): void {
    node.phase = 'down'
    node.isFull = false
    this.#exchanges.onDown(node.id)
    this.#shape.onDown(node.id)
    this.#standbyFills.forget(node.id)
    this.#onHintsGone(node)
    this.#post.notice({ type: 'node:down', node: node.id, reason })
    this.#post.broadcastPeer(node)
    this.#reassign(`${node.id} is down for good`)
  }

  /** A node may have kept hints and keeps them no more; for whom, nobody knows. Before the table is changed on its account. */
  #onHintsGone(node: Supervised): void {
    if (node.hintsKept === 0) return
    this.#exchanges.everybody(this.#nodes.living())
  }

  #reassign(reason: string): void {
    const standbys = standbysOf(this.#tables.newest)
    const isLeaving = (node: NodeId) => this.#shape.isLeaving(node)
    const lacks = (node: NodeId) => this.#standbyFills.lacks(node)
    const ready = standbys.filter((node) => this.#nodes.isUp(node) && !isLeaving(node))
    const living = this.#nodes.living().filter((node) => !standbys.includes(node))
    const areFullCopies = this.#config.n === 'all'
    const survivors = {
      dead: this.#nodes.dead(),
      areFullCopies,
      living,
      isLeaving,
      standbys: ready.sort((a, b) => lacks(a) - lacks(b)),
    }
    const { table, promoted } = tableAfterDeath(this.#tables.newest, survivors)
    for (const node of promoted) {
      this.#onPromoted(node)
      this.#shape.onReplaced(node)
      this.#post.notice({ type: 'node:promoted', node })
    }
    this.#change(table, reason)
  }

  #onPromoted(node: NodeId): void {
    this.#standbyFills.forget(node)
    this.#changes.onCopy(node)
  }

  // --- mail -----------------------------------------------------------------------------------------------------------

  #onMessage(from: Address, message: Message): void {
    switch (message.type) {
      case 'table/stored':
        return this.#onStored(from, message.epoch)
      case 'table/announce':
        // A rebuilt core asked: what was on its way to the disk when the old one broke was told to nobody.
        if (message.table.epoch < this.#tables.persisted.epoch)
          this.#post.send(from, { type: 'table/announce', table: this.#tables.persisted })
        return this.#onStored(from, message.table.epoch)
      case 'table/request':
        if (message.epoch < this.#tables.persisted.epoch)
          this.#post.send(from, { type: 'table/announce', table: this.#tables.persisted })
        return
      case 'transfer/done':
        this.#standbyFills.onFilled(from, message.partitions, message.rowEpochs)
        this.#changes.onFilled(from, message.partitions, message.rowEpochs)
        return
      case 'exchange/done':
        return this.#exchanges.onDone(from, message.peers)
      case 'heal/stuck':
        return this.#changes.onStuck(from, message)
      case 'hint/lost':
        for (const target of message.targets) this.#exchanges.one(target, this.#nodes.living())
        return
      case 'retire/done':
        return this.#shape.onRetired(from)
      default:
        return // Gossip and heartbeats that were meant for a member are nothing to us.
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
    this.#post.broadcastPeer(node)
    this.#post.notice({ type: 'node:up', node: id, incarnation: node.incarnation })
    this.#shape.onUp(node)
    if (epoch < this.#tables.persisted.epoch)
      this.#post.send(id, { type: 'table/announce', table: this.#tables.persisted })
    if (this.#config.nodesCoordinate && node.incarnation > 1) this.#exchanges.one(id, this.#nodes.living())
    if (!this.#isCreation || !this.#nodes.isAtRest) return
    this.#post.notice({ type: 'created' })
    this.#isCreation = false
  }

  // --- the table ------------------------------------------------------------------------------------------------------

  readonly #change = (table: PartitionTable, reason: string, notices: readonly SupervisorNotice[] = []): void => {
    if (this.#tables.change(table, reason, notices)) this.#post.effect({ type: 'persist', table })
  }

  #onPersisted(epoch: Epoch): void {
    const notices = this.#tables.onPersisted(epoch)
    if (notices === undefined) return
    for (const notice of notices) this.#post.notice(notice)
    this.#post.announce(this.#tables.persisted)
  }

  /** Everything that may go on now. */
  #advance(): void {
    this.#lives.bootReady(this.#nowMs)
    this.#changes.advance(this.#nowMs)
    this.#shape.advance()
    this.#standbyFills.advance()
    const isMoving = this.#changes.isMoving()
    const isStored = this.#nodes.isStored(this.#tables.persisted.epoch)
    this.#exchanges.advance({
      isAtRest: this.#nodes.isAtRest,
      isMoving,
      isEverywhere: isStored && !isMoving && this.#changes.isSettled,
      living: () => this.#nodes.living(),
    })
    const { isUp, isFull } = this.#nodes
    const isStarting = this.#nodes.isStarting(this.#nowMs)
    for (const { node, peers } of this.#exchanges.takeOrders({ isUp, isFull, isStarting, nowMs: this.#nowMs })) {
      this.#post.send(node, { type: 'exchange/start', peers })
    }
    this.#lives.bootReady(this.#nowMs)
  }

  #onTick(loops: Readonly<Record<NodeId, number>>): void {
    if (!this.#isStopping)
      for (const node of this.#nodes.due(this.#nowMs)) this.#lives.spawn(node, 'opening', this.#nowMs)
    for (const { node, reason, silentMs } of this.#watch.onTick(this.#nodes.sorted, loops, this.#nowMs)) {
      if (silentMs !== undefined) this.#post.notice({ type: 'node:hung', node: node.id, silentMs })
      this.#post.terminate(node, reason)
    }
    if (!this.#isStopping) this.#reaping.advance(this.isQuiet(), this.#nodes, this.#post, this.#nowMs)
  }
}
