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

import type { PeerInfo } from '../events.js'
import type { Address, Epoch, Incarnation, NodeId } from '../ids.js'
import type { Message } from '../messages.js'
import type { PartitionTable } from '../ring/table.js'
import { Exchanges } from './exchanges.js'
import { isStillFull, onFull, onRoom } from './full-disks.js'
import { type ChangeQuorums, OwnerChanges } from './owner-changes.js'
import { rowsAfterAmnesia, rowsAfterDeath } from './reassignment.js'
import type { RestartPolicy } from './restart-policy.js'
import { Roster } from './roster.js'
import { afterDeath, endLife, isSalvage, type Supervised, type SupervisedView } from './supervised.js'
import type { ResumeState, SupervisorEffect, SupervisorEvent, SupervisorNotice } from './supervisor-events.js'
import { SupervisorPost } from './supervisor-post.js'
import { TableBook } from './table-book.js'
import { ThreadWatch, type WatchLimits } from './thread-watch.js'

export interface SupervisorConfig extends ChangeQuorums, WatchLimits {
  readonly restart: RestartPolicy
  /** Nodes coordinate requests (server coordination, siblings): their death may leave writes that nobody hints. */
  readonly nodesCoordinate: boolean
}

export class SupervisorCore {
  readonly #config: SupervisorConfig
  readonly #nodes = new Roster()
  readonly #post = new SupervisorPost(this.#nodes)
  readonly #exchanges = new Exchanges()
  readonly #tables: TableBook
  readonly #watch: ThreadWatch
  readonly #changes: OwnerChanges
  #isCreation = false
  /** Not looked at when somebody comes up: a rebuilt core may find everybody up already. */
  #exchangeWhenUp = false
  /** Nodes compared while places were being filled, which is left out: exchange once more when nothing moves. */
  #exchangeWhenFilled = false
  /** Down for good when the last process ended: no hints were kept for them. */
  readonly #wereDown = new Set<NodeId>()
  #isRebuilt = false
  #isStopping = false
  #nowMs = 0

  constructor(config: SupervisorConfig, table: PartitionTable) {
    this.#config = config
    this.#tables = new TableBook(table)
    this.#watch = new ThreadWatch(config)
    const host = {
      tables: this.#tables,
      nodes: this.#nodes,
      post: this.#post,
      change: this.#change,
      salvage: (node: Supervised) => this.#spawn(node, 'salvaging'),
    }
    this.#changes = new OwnerChanges(config, host, table.epoch)
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
    const isStill = this.#nodes.isAtRest && !this.#tables.isPersisting && this.#exchanges.isEmpty
    return isStill && !this.#changes.isMoving() && this.#changes.isSettled
  }

  step(event: SupervisorEvent, nowMs: number): readonly SupervisorEffect[] {
    this.#nowMs = nowMs
    switch (event.type) {
      case 'start':
        this.#isCreation = event.isCreation
        this.#exchangeWhenUp = event.wasUnclean
        for (const node of event.wereDown) this.#wereDown.add(node)
        for (const node of event.nodes) {
          const first = this.#nodes.add(node, this.#nowMs)
          this.#spawn(first, 'opening')
          // Whoever has not heard of a node takes it for one that is down.
          this.#post.broadcastPeer(first)
        }
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
      case 'operator/accept-loss':
        this.#changes.acceptLoss(event.partitions)
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
    this.#exchangeWhenUp = true
    for (const { node, incarnation, state } of event.nodes) this.#resume(node, incarnation, state)
  }

  #resume(id: NodeId, incarnation: Incarnation, state: ResumeState): void {
    const node = this.#nodes.add(id, this.#nowMs)
    node.incarnation = incarnation
    switch (state) {
      case 'up':
        node.phase = 'up'
        node.upSinceMs = this.#nowMs
        // Which epoch it has stored is not known any more: its table tells.
        return this.#post.send(id, { type: 'table/request', epoch: 0 })
      case 'starting':
        node.phase = 'opening'
        return this.#post.terminate(node, 'its supervisor was rebuilt while it was starting')
      case 'ended':
        return this.#spawn(node, 'opening')
      case 'salvage':
        // Spawned again if it is still needed.
        this.#post.terminate(node, 'its supervisor was rebuilt while it was read')
        node.phase = 'down'
        return
      case 'down':
        node.phase = 'down'
        return
      default:
        state satisfies never
    }
  }

  /** A new life; or, of one that is down for good, a thread that reads what it left. */
  #spawn(node: Supervised, phase: 'opening' | 'salvaging'): void {
    node.incarnation += 1
    node.phase = phase
    node.sinceMs = this.#nowMs
    node.upSinceMs = undefined
    node.storedEpoch = 0
    node.loopsAtMs = this.#nowMs
    node.isHungReported = false
    node.isEnding = false
    const { id, incarnation } = node
    this.#post.effect({ type: 'spawn', node: id, incarnation, salvage: phase === 'salvaging' })
  }

  #onOpened(event: SupervisorEvent & { type: 'node/opened' }): void {
    const node = this.#nodes.get(event.node)
    if (node === undefined || node.incarnation !== event.incarnation) return
    const isForgetful = event.verdict === 'amnesiac' || (event.verdict === 'fresh' && !this.#isCreation)
    if (node.phase === 'salvaging') {
      if (isForgetful) {
        node.isStoreGone = true
        this.#post.terminate(node, 'its store cannot be salvaged')
      } else {
        node.phase = 'salvaged'
        this.#boot(node, [])
      }
      return
    }
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
    const table = rowsAfterAmnesia(this.#tables.newest, node.id)
    if (table !== this.#tables.newest) this.#post.notice({ type: 'node:amnesia', node: node.id, reason: event.reason })
    this.#change(table, `${node.id} is to be refilled: ${event.reason}`)
  }

  /** A node boots once everything decided about it is on disk: an amnesiac must never see a table in which it is full. */
  #bootReady(): void {
    if (this.#tables.isPersisting) return
    for (const node of this.#nodes.sorted) {
      if (node.phase !== 'booting' || node.upSinceMs !== undefined) continue
      node.upSinceMs = this.#nowMs
      this.#boot(node, this.#nodes.peersOf(node.id))
    }
  }

  #boot({ id: node, incarnation }: Supervised, peers: readonly PeerInfo[]): void {
    const { activeEpoch } = this.#changes
    this.#post.effect({ type: 'boot', node, incarnation, table: this.#tables.persisted, activeEpoch, peers })
  }

  #onExited(event: SupervisorEvent & { type: 'node/exited' }): void {
    const { node: id, incarnation, reason, hints } = event
    const node = this.#nodes.get(id)
    if (node === undefined || node.incarnation !== incarnation || node.phase === 'waiting') return
    const { phase } = node
    node.lacksMeans = event.lacksMeans === true
    if (phase === 'up') node.hintsKept = hints
    if (phase === 'salvaging' || phase === 'salvaged' || phase === 'down') {
      // A thread that dies over a store says nothing about the store: it is read again, until that looks hopeless.
      // Giving it up at once would have an operator accept the loss of data that is there.
      if (phase !== 'down' && !node.lacksMeans && this.#changes.isSalvageNeeded(node)) node.salvagesFailed += 1
      if (node.salvagesFailed > this.#config.restart.restartsMax) node.isStoreGone = true
      node.phase = 'down'
      return
    }
    endLife(node, this.#config.restart, this.#nowMs)
    if (this.#isStopping) return
    if (phase === 'up' && this.#config.nodesCoordinate) this.#exchanges.everybody(this.#nodes.living())
    this.#exchanges.onLost(id)
    const decision = afterDeath(node, this.#config.restart, this.#nowMs)
    if (node.isFinal || decision.type === 'give-up') {
      const shortLives = decision.type === 'give-up' ? decision.shortLives : 0
      const isTold = node.isFinal || this.#config.restart.restartsMax === 0
      const why = isTold ? reason : `${shortLives} short lives in a row; the last ended: ${reason}`
      return this.#giveUp(node, why)
    }
    node.phase = 'waiting'
    node.restarts += 1
    node.sinceMs = this.#nowMs + decision.delayMs
    this.#post.broadcastPeer(node)
    if (decision.delayMs === 0 && !isStillFull(node, this.#post)) this.#spawn(node, 'opening')
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
    const dead = new Set(
      this.#nodes.sorted.filter((node) => node.phase === 'down' || isSalvage(node)).map((node) => node.id),
    )
    const members = this.#nodes.sorted.filter((node) => !dead.has(node.id)).map((node) => node.id)
    if (members.length > 0) this.#change(rowsAfterDeath(this.#tables.newest, dead, members), reason)
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
        this.#changes.onFilled(from, message.partitions, message.rowEpochs)
        return
      case 'exchange/done':
        this.#exchangeWhenFilled ||= this.#changes.isMoving()
        return this.#exchanges.onDone(from, message.peers)
      case 'heal/stuck':
        return this.#changes.onStuck(from, message)
      case 'hint/lost':
        for (const target of message.targets) this.#exchanges.one(target, this.#nodes.living())
        return
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
    this.#bootReady()
    this.#changes.advance()
    if (this.#exchangeWhenUp && this.#nodes.isAtRest) {
      this.#exchangeWhenUp = false
      this.#exchanges.everybody(this.#nodes.living())
    }
    const isStored = this.#nodes.isStored(this.#tables.persisted.epoch)
    if (this.#exchangeWhenFilled && isStored && !this.#changes.isMoving() && this.#changes.isSettled) {
      this.#exchangeWhenFilled = false
      this.#exchanges.everybody(this.#nodes.living())
    }
    const { isUp, isFull } = this.#nodes
    const isStarting = this.#nodes.isStarting(this.#nowMs)
    for (const { node, peers } of this.#exchanges.takeOrders({ isUp, isFull, isStarting, nowMs: this.#nowMs })) {
      this.#exchangeWhenFilled ||= this.#changes.isMoving()
      this.#post.send(node, { type: 'exchange/start', peers })
    }
    this.#bootReady()
  }

  #onTick(loops: Readonly<Record<NodeId, number>>): void {
    if (!this.#isStopping) for (const node of this.#nodes.due(this.#nowMs)) this.#spawn(node, 'opening')
    for (const { node, reason, silentMs } of this.#watch.onTick(this.#nodes.sorted, loops, this.#nowMs)) {
      if (silentMs !== undefined) this.#post.notice({ type: 'node:hung', node: node.id, silentMs })
      this.#post.terminate(node, reason)
    }
  }
}
