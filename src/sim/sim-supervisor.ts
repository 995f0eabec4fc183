/**
 * Runs the real `SupervisorCore` in a simulated world: spawns and ends nodes' threads, keeps the tables that were fsynced,
 * ticks. It can break, and is then rebuilt from the highest fsynced table; and the whole process can die, and be started anew.
 *
 * Called by `SimWorld` and by faults.
 */

import type { PeerInfo } from '../protocol/events.js'
import { type Address, type Incarnation, type NodeId, SUPERVISOR } from '../protocol/ids.js'
import type { Message } from '../protocol/messages.js'
import { type PartitionTable, standbysOf } from '../protocol/ring/table.js'
import { stateOf, statusOf } from '../protocol/supervision/node-phases.js'
import type { NodePhase, SupervisedView } from '../protocol/supervision/supervised.js'
import type { SupervisorConfig } from '../protocol/supervision/supervisor-config.js'
import { SupervisorCore } from '../protocol/supervision/supervisor-core.js'
import type {
  NodeRole,
  OnTheWay,
  SupervisorEffect,
  SupervisorEvent,
} from '../protocol/supervision/supervisor-events.js'
import { SUPERVISOR_TICK_MS } from '../protocol/supervision/thread-watch.js'
import { type Stamp, stampTimePart } from '../protocol/versions/stamp.js'
import { HAS_LEFT } from './observer.js'
import type { Life, SimNode } from './sim-node.js'
import type { SimWorld } from './world.js'

/** Times of the host: a minimum, and a spread that is drawn from. */
const OPENING_MS = [2, 10] as const
const EXIT_MS = [0.5, 8] as const
const FSYNC_MS = [0.3, 3] as const
const IDENTITY_MS = [0.1, 1] as const
const CLOCK_FSYNC_MS = 2

export class SimSupervisor {
  readonly #world: SimWorld
  readonly #config: SupervisorConfig
  #core: SupervisorCore
  #isCreation = true
  /** The newest table that is on disk. */
  #persisted: PartitionTable
  /** Deletes that are older may be forgotten: as noted on the disk. */
  forgottenBefore: Stamp = ''
  readonly #down = new Set<NodeId>()
  /** On the way in, or out: as noted on the disk. */
  readonly #joining = new Map<NodeId, NodeRole>()
  readonly #leaving = new Set<NodeId>()
  readonly #promoted = new Set<NodeId>()
  readonly #booted = new Set<Life>()
  /** What is to be said to nodes that have not been booted. */
  #waiting = new Map<NodeId, Message[]>()
  /** Being fsynced, oldest first. */
  readonly #persisting: PartitionTable[] = []
  #fsyncFreeAtMs = 0
  /** Grows when the core is lost: what was meant for the old one reaches nobody. */
  #generation = 0
  /** Grows when the whole process is gone. */
  #process = 0
  /** Dead, or being rebuilt: nothing is told to the core. */
  #isDeaf = false

  constructor(world: SimWorld, config: SupervisorConfig, table: PartitionTable) {
    this.#world = world
    this.#config = config
    this.#persisted = table
    this.#core = new SupervisorCore(config, table)
  }

  get table(): PartitionTable {
    return this.#core.table
  }

  /** Nothing is on its way, as it sees it. */
  get isQuiet(): boolean {
    return !this.#isDeaf && this.#core.isQuiet()
  }

  views(): readonly SupervisedView[] {
    return this.#core.nodes()
  }

  get isThere(): boolean {
    return !this.#isDeaf
  }

  phaseOf(node: NodeId): NodePhase | undefined {
    return this.#core.nodes().find(({ id }) => id === node)?.phase
  }

  /** For good; its thread, if it has one, only reads what it left. */
  isDown(node: NodeId): boolean {
    const phase = this.phaseOf(node)
    return phase === 'down' || phase === 'salvaging' || phase === 'salvaged'
  }

  /** How the nodes live, for a gateway that joins. */
  peers(): readonly PeerInfo[] {
    return this.#core
      .nodes()
      .map(({ id: node, incarnation, phase }) => ({ node, incarnation, status: statusOf(phase) }))
  }

  start(wasUnclean: boolean): void {
    const nodes = [...this.#world.nodes.keys()].sort()
    const wereDown = [...this.#down].sort()
    this.step({ type: 'start', nodes, isCreation: this.#isCreation, wasUnclean, wereDown, ...this.onTheWay })
    this.#down.clear()
    this.#tick(this.#generation)
  }

  onMessage(from: Address, message: Message): void {
    this.step({ type: 'message', from, message })
  }

  step(event: SupervisorEvent): void {
    if (this.#isDeaf) return
    const { nowMs, watching } = this.#world
    for (const effect of this.#core.step(event, nowMs)) {
      if (effect.type === 'notice')
        for (const observer of watching.onNotice) observer.onNotice(SUPERVISOR, effect.notice)
      this.#carryOut(effect)
    }
  }

  /** A thread has ended; the news takes a moment. */
  onDeath(node: SimNode, incarnation: Incarnation, reason: string, hints: number): void {
    const generation = this.#generation
    this.#world.after(EXIT_MS, () => {
      if (generation === this.#generation) this.step({ type: 'node/exited', node: node.id, incarnation, reason, hints })
    })
  }

  get onTheWay(): Required<OnTheWay> {
    const joining = [...this.#joining.keys()].sort()
    const standbys = joining.filter((node) => this.#joining.get(node) === 'standby')
    const inTable = standbysOf(this.#persisted)
    const promoted = [...this.#promoted].filter((node) => inTable.includes(node)).sort()
    return { joining, standbys, promoted, leaving: [...this.#leaving].sort() }
  }

  join(node: NodeId, role: NodeRole): void {
    this.#joining.set(node, role)
    this.step({ type: 'operator/join', nodes: [node], role })
  }

  promote(node: NodeId): void {
    this.#promoted.add(node)
    this.step({ type: 'operator/promote', node })
  }

  leave(node: NodeId): void {
    this.#joining.delete(node)
    this.#leaving.add(node)
    this.step({ type: 'operator/leave', node })
  }

  giveUp(node: NodeId): void {
    this.step({ type: 'operator/give-up', node })
  }

  /**
   * An invariant broke: the core is rebuilt from what is on disk, and learns how the nodes live. What it was still writing
   * is written first.
   */
  rebuild(): void {
    const views = this.#core.nodes()
    this.#generation += 1
    this.#isDeaf = true
    const generation = this.#generation
    this.#world.at(Math.max(this.#fsyncFreeAtMs, this.#world.nowMs), () => {
      if (generation !== this.#generation) return
      const nodes = views.map(({ id: node, incarnation, phase }) => {
        const isAlive = this.#world.nodes.get(node)?.life?.incarnation === incarnation
        return { node, incarnation, state: stateOf(phase, isAlive) }
      })
      this.#core = new SupervisorCore(this.#config, this.#persisted)
      this.#isDeaf = false
      this.step({ type: 'resume', nodes, ...this.onTheWay })
      for (const gateway of this.#world.gateways.keys()) this.step({ type: 'gateway/joined', gateway })
      this.#tick(generation)
    })
  }

  /** The whole process is gone; the nodes are ended by the world. */
  die(): void {
    this.#generation += 1
    this.#process += 1
    this.#isDeaf = true
    // Of the tables that were being written, the first few may be on the disk.
    const kept = this.#world.chance.faults.below(this.#persisting.length + 1)
    for (const table of this.#persisting.splice(0).slice(0, kept)) this.#keep(table)
    this.#booted.clear()
    this.#waiting.clear()
  }

  /** A new process, from what is on disk. */
  restart(): void {
    this.#isDeaf = false
    this.#core = new SupervisorCore(this.#config, this.#persisted)
    this.start(true)
  }

  #tick(generation: number): void {
    const dueMs = this.#world.nowMs + SUPERVISOR_TICK_MS
    this.#world.at(dueMs, () => {
      if (generation !== this.#generation) return
      const loops: Record<NodeId, number> = {}
      // An idle loop turns too: its pulse. Where this thread has stood still, the others have too, and have had no turn yet.
      const isLate = this.#world.nowMs > dueMs
      for (const node of this.#world.nodes.values()) {
        if (node.life !== undefined && !node.isFrozen() && !isLate) node.loops += 1
        loops[node.id] = node.loops
      }
      this.#senseDisks()
      this.#renewClock()
      this.step({ type: 'tick', loops })
      this.#tick(generation)
    })
  }

  /** Of what a dying process was writing nothing is on the disk. */
  #renewClock(): void {
    const { clock, nowMs } = this.#world
    const ceilingNs = clock.dueNs(nowMs)
    if (ceilingNs === undefined) return
    const process = this.#process
    this.#world.at(nowMs + CLOCK_FSYNC_MS, () => {
      if (process === this.#process) clock.onStored(ceilingNs)
    })
  }

  /** Whose disk is full, and who has room again. */
  #senseDisks(): void {
    for (const { id, isFull } of this.#core.nodes()) {
      const { life, disk } = this.#nodeOf(id)
      if (life?.hasFailed === true && !isFull)
        this.step({ type: 'node/full', node: id, reason: 'no space left on device' })
      if (isFull && !disk.isFull) this.step({ type: 'node/room', node: id })
    }
  }

  #carryOut(effect: SupervisorEffect): void {
    switch (effect.type) {
      case 'spawn':
        return this.#spawn(effect)
      case 'terminate': {
        const node = this.#nodeOf(effect.node)
        const life = node.life
        if (life?.incarnation !== effect.incarnation) return
        this.#world.after(EXIT_MS, () => {
          if (node.life === life) this.#world.endNode(node, effect.reason, false)
        })
        return
      }
      case 'boot':
        return this.#boot(effect)
      case 'send':
        return this.#send(effect.to, effect.message)
      case 'persist':
        return this.#persist(effect.table)
      case 'notice':
        if (effect.notice.type === 'created') this.#isCreation = false
        if (effect.notice.type === 'node:joined') this.#joining.delete(effect.notice.node)
        if (effect.notice.type === 'node:down' && !this.#leaving.has(effect.notice.node)) {
          this.#joining.delete(effect.notice.node)
          this.#down.add(effect.notice.node)
        }
        return
      case 'note-reaping':
        return this.#noteReaping()
      case 'remove':
        return this.#remove(effect.node)
    }
  }

  #spawn({ node: id, incarnation, salvage }: SupervisorEffect & { type: 'spawn' }): void {
    const node = this.#nodeOf(id)
    const life = node.begin(incarnation, salvage)
    for (const observer of this.#world.watching.onSpawn) observer.onSpawn(id, incarnation)
    const generation = this.#generation
    this.#world.after(OPENING_MS, () => {
      if (node.life !== life) return
      const { verdict, reason, meta } = node.open(life, this.#isCreation)
      const { storeId } = node.disk
      for (const observer of this.#world.watching.onOpened) observer.onOpened(id, { verdict, storeId, reason })
      if (generation !== this.#generation) return
      const storedEpoch = meta.table === undefined ? 0 : (JSON.parse(meta.table) as PartitionTable).epoch
      this.step({ type: 'node/opened', node: id, incarnation, verdict, reason, storedEpoch, hintsDamaged: 0 })
    })
  }

  /** Its thread ends in order; then it is no member, on the disk too. */
  #remove(id: NodeId): void {
    const generation = this.#generation
    this.#world.after(EXIT_MS, () => {
      const node = this.#world.nodes.get(id)
      if (generation !== this.#generation || node === undefined) return
      this.#world.endNode(node, HAS_LEFT, false)
      this.#leaving.delete(id)
      this.#world.forgetNode(id)
      this.step({ type: 'node/removed', node: id })
    })
  }

  #boot(order: SupervisorEffect & { type: 'boot' }): void {
    const node = this.#nodeOf(order.node)
    const { life } = node
    if (life?.incarnation !== order.incarnation) return
    const generation = this.#generation
    this.#world.after(IDENTITY_MS, () => {
      if (node.life !== life || generation !== this.#generation) return
      this.#booted.add(life)
      this.#world.network.forget(node.id)
      node.boot(life, order)
      const waiting = this.#waiting.get(node.id) ?? []
      this.#waiting.delete(node.id)
      for (const message of waiting) this.#world.post(SUPERVISOR, node.id, message)
    })
  }

  #send(to: Address, message: Message): void {
    const life = this.#world.nodes.get(to)?.life
    if (this.#world.nodes.has(to) && (life === undefined || !this.#booted.has(life))) {
      // A thread that is not booted yet is told after: its table is newer than what waits.
      if (life !== undefined) this.#waiting.set(to, [...(this.#waiting.get(to) ?? []), message])
      return
    }
    this.#world.post(SUPERVISOR, to, message)
  }

  #persist(table: PartitionTable): void {
    const world = this.#world
    this.#persisting.push(table)
    this.#fsyncFreeAtMs = Math.max(this.#fsyncFreeAtMs, world.nowMs) + world.drawMs(FSYNC_MS)
    const generation = this.#generation
    world.at(this.#fsyncFreeAtMs, () => {
      if (this.#persisting[0] !== table) return
      this.#persisting.shift()
      this.#keep(table)
      if (generation === this.#generation) this.step({ type: 'table/persisted', epoch: table.epoch })
    })
  }

  #noteReaping(): void {
    const world = this.#world
    const generation = this.#generation
    const graceNs = BigInt(world.options.config.tombstoneGraceMs) * 1_000_000n
    const before = stampTimePart(world.isReapingHeld ? 0n : world.clock.readNs(world.nowMs) - graceNs)
    world.after(FSYNC_MS, () => {
      if (generation !== this.#generation) return
      if (before > this.forgottenBefore) this.forgottenBefore = before
      this.step({ type: 'reaping/noted', before })
    })
  }

  #keep(table: PartitionTable): void {
    this.#persisted = table
    for (const observer of this.#world.watching.onPersisted) observer.onPersisted(table)
  }

  #nodeOf(id: NodeId): SimNode {
    const node = this.#world.nodes.get(id)
    if (node === undefined) throw new RangeError(`there is no ${id}`)
    return node
  }
}
