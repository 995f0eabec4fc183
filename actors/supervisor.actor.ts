/**
 * Runs the supervisor's core: spawns and ends threads, watches their exits and loop counters, keeps the mesh of ports,
 * fsyncs tables, and carries its mail.
 *
 * It runs in the opener's thread: a supervisor in a thread of its own would take every node down with it (a thread's
 * children end with it). If its core breaks an invariant, the core alone is rebuilt, from the highest fsynced table and
 * the threads that live; the nodes do not notice.
 *
 * Called by `cluster.ts`.
 */

import type { PeerInfo } from '../src/protocol/events.js'
import type { Address, Incarnation, NodeId } from '../src/protocol/ids.js'
import type { Message } from '../src/protocol/messages.js'
import type { PartitionTable } from '../src/protocol/ring/table.js'
import { stateOf, statusOf } from '../src/protocol/supervision/node-phases.js'
import type { SupervisedView } from '../src/protocol/supervision/supervised.js'
import { SupervisorCore } from '../src/protocol/supervision/supervisor-core.js'
import type { SupervisorEffect, SupervisorEvent } from '../src/protocol/supervision/supervisor-events.js'
import { SUPERVISOR_TICK_MS } from '../src/protocol/supervision/thread-watch.js'
import { isShortage } from '../src/shared/shortage.js'
import type { ClusterMetadata } from '../src/storage/cluster-folder.js'
import { nowMs, StampClock } from './runtime/clock.js'
import { ClusterRecord } from './runtime/cluster-record.js'
import { endThread } from './runtime/end-thread.js'
import { type FaultRules, NO_FAULTS } from './runtime/fault-rules.js'
import { MemberChanges } from './runtime/member-changes.js'
import { Mesh } from './runtime/mesh.js'
import { type NodeFacts, newFacts } from './runtime/node-facts.js'
import type { FromNode } from './runtime/node-protocol.js'
import { NodeThread, type ThreadEnd } from './runtime/node-thread.js'
import { senseRoom, watchRoom } from './runtime/room-watch.js'
import { Spawning } from './runtime/spawning.js'
import type { GatewayEnd, SupervisorOptions } from './runtime/supervisor-contract.js'
import { SupervisorMail } from './runtime/supervisor-mail.js'
import { unpackEnvelope } from './runtime/wire.js'

export class SupervisorActor {
  readonly #options: SupervisorOptions
  readonly #mesh = new Mesh()
  readonly #gateways = new Map<Address, GatewayEnd>()
  readonly #facts = new Map<NodeId, NodeFacts>()
  readonly faultsOver: SharedArrayBuffer | undefined
  /** Standing faults, for threads that are assigned from now on; undefined without `faults: true`. */
  faultRules: FaultRules | undefined
  #core: SupervisorCore
  readonly #record: ClusterRecord
  readonly #spawning: Spawning
  #ticker: NodeJS.Timeout | undefined
  readonly #mail = new SupervisorMail()
  /** Who joins, leaves, and is removed. */
  readonly members: MemberChanges
  #isStopping = false

  constructor(options: SupervisorOptions) {
    this.#options = options
    const { folder, metadata, table, observer } = options
    const { onFatal, onFolderFull: onFull } = observer
    this.#record = new ClusterRecord({ folder, metadata, table, onFatal, onFull })
    this.members = new MemberChanges({
      config: options.config,
      record: this.#record,
      facts: this.#facts,
      step: (event) => this.#step(event),
      isStopping: () => this.#isStopping,
    })
    this.#spawning = new Spawning({
      options,
      facts: this.#facts,
      record: this.#record,
      newThread: () => this.#newThread(),
      isStopping: () => this.#isStopping,
      faults: () => ({ faultsOver: this.faultsOver, faultRules: this.faultRules }),
      onLifeEnded: (node, incarnation, end) => this.#onLifeEnded(node, incarnation, end),
    })
    this.#core = new SupervisorCore(options.supervision, table)
    this.faultsOver = options.config.faults ? new SharedArrayBuffer(4) : undefined
    this.faultRules = options.config.faults ? NO_FAULTS : undefined
    for (const { id, status } of metadata.nodes)
      if (status !== 'removed') this.#facts.set(id, newFacts(options.suspects.get(id)))
  }

  get table(): PartitionTable {
    return this.#core.table
  }

  get metadata(): ClusterMetadata {
    return this.#record.metadata
  }

  nodes(): readonly SupervisedView[] {
    return this.#core.nodes()
  }

  factsOf(node: NodeId): NodeFacts | undefined {
    return this.#facts.get(node)
  }

  isGateway(address: Address): boolean {
    return this.#gateways.has(address)
  }

  /** Nothing is on its way: see `SupervisorCore.isQuiet`. */
  isQuiet(): boolean {
    return !this.#isRebuilding && this.#core.isQuiet()
  }

  start(wasUnclean: boolean): void {
    this.#record.start()
    this.#spawning.spares.keep(this.#facts.size)
    const { isCreation, metadata } = this.#record
    const wereDown = metadata.nodes.filter(({ status }) => status === 'down').map(({ id }) => id)
    const nodes = [...this.#facts.keys()].sort()
    this.#step({ type: 'start', nodes, isCreation, wasUnclean, wereDown, ...this.#record.onTheWay })
    this.#ticker = setInterval(() => this.#tick(), SUPERVISOR_TICK_MS)
  }

  /** How the nodes live, for a gateway that joins. */
  peers(): readonly PeerInfo[] {
    return this.#core.nodes().map(({ id, incarnation, phase }) => ({ node: id, incarnation, status: statusOf(phase) }))
  }

  addGateway(gateway: Address, end: GatewayEnd): void {
    this.#gateways.set(gateway, end)
    this.#mesh.addGateway(gateway, end)
    const peers = this.peers().map((peer): Message => ({ type: 'peer/changed', ...peer }))
    end.mail([{ type: 'table/announce', table: this.#core.table }, ...peers])
    this.#step({ type: 'gateway/joined', gateway })
  }

  /** `isLost`: its thread ended in the middle of its work. */
  removeGateway(gateway: Address, isLost: boolean): void {
    if (!this.#gateways.delete(gateway)) return
    this.#mesh.removeGateway(gateway)
    if (!this.#isStopping) this.#step({ type: isLost ? 'gateway/lost' : 'gateway/left', gateway })
  }

  /** Mail of a gateway for the supervisor. */
  onMail(from: Address, messages: readonly Message[]): void {
    for (const message of messages) this.#step({ type: 'message', from, message })
  }

  acceptLoss(partitions: readonly number[]): void {
    this.#step({ type: 'operator/accept-loss', partitions })
  }

  giveUp(node: NodeId): void {
    this.#step({ type: 'operator/give-up', node })
  }

  /** Resolves once every full disk has been looked at anew: if one has room by now, it is known, and the node on its way back. */
  async senseRoom(): Promise<void> {
    const looks = this.#core.nodes().map(async (view) => {
      const facts = this.#facts.get(view.id)
      if (facts !== undefined) await senseRoom(view, facts, this.#options.config, this.#onRoom)
    })
    await Promise.all(looks)
  }

  readonly #onRoom = (event: SupervisorEvent): void => {
    if (!this.#isStopping) this.#step(event)
  }

  /** Its store may be damaged: its thread is ended, and the next one verifies all of its files before it opens them. */
  suspect(node: NodeId, reason: string): void {
    const facts = this.#facts.get(node)
    if (facts === undefined) return
    facts.suspectedFor = reason
    void facts.thread?.terminate(reason)
  }

  /** Stops the nodes in order, then by force; then everything is on disk. Never fails to end. */
  async stop(timeoutMs: number): Promise<void> {
    this.#isStopping = true
    if (this.#ticker !== undefined) clearInterval(this.#ticker)
    this.#record.stop()
    this.#step({ type: 'stop' })
    this.#spawning.spares.endAll()
    const threads = [...this.#facts.values()].map((facts) => facts.thread).filter((thread) => thread !== undefined)
    await Promise.all(threads.map((thread) => endThread(thread, timeoutMs)))
    this.#record.noteClosed(this.#options.config.location)
    await this.#record.settled
  }

  /** Metadata as it is to be from now on; on disk when the promise resolves. */
  writeMetadata(change: Partial<ClusterMetadata>): Promise<void> {
    return this.#record.writeMetadata(change)
  }

  #tick(): void {
    const loops: Record<NodeId, number> = {}
    for (const [node, facts] of this.#facts) loops[node] = facts.gauges.get('loops')
    this.#step({ type: 'tick', loops })
    for (const view of this.#isStopping ? [] : this.#core.nodes()) {
      const facts = this.#facts.get(view.id)
      if (facts !== undefined) watchRoom(view, facts, this.#options.config, this.#onRoom)
    }
    // Not while a node starts: loading another thread would take the processor from the one that is waited for.
    const isStarting = this.#core.nodes().some(({ phase }) => phase === 'opening' || phase === 'booting')
    if (!isStarting && !this.#isStopping) this.#spawning.spares.onQuiet(nowMs())
  }

  /** An invariant that breaks ends the core, not the cluster. Until it is rebuilt nothing is told to a core: `resume` tells all. */
  #step(event: SupervisorEvent): void {
    if (this.#isRebuilding) return
    let effects: readonly SupervisorEffect[]
    try {
      effects = this.#core.step(event, nowMs())
    } catch (error) {
      this.#rebuild(error instanceof Error ? error : new Error(String(error)))
      return
    }
    for (const effect of effects) this.#carryOut(effect)
    this.#flush()
  }

  /** From the highest fsynced table: what the broken core was still writing must be on disk before it is read. */
  #rebuild(error: Error): void {
    this.#options.observer.onRestart(error)
    if (this.#isStopping) return
    this.#isRebuilding = true
    if (this.#ticker !== undefined) clearInterval(this.#ticker)
    void this.#record.settled.then(() => {
      if (this.#isStopping) return
      const nodes = this.#livesKnown()
      this.#core = new SupervisorCore(this.#options.supervision, this.#record.lastTable)
      this.#isRebuilding = false
      this.#step({ type: 'resume', nodes, ...this.#record.onTheWay })
      for (const gateway of this.#gateways.keys()) this.#step({ type: 'gateway/joined', gateway })
      this.#ticker = setInterval(() => this.#tick(), SUPERVISOR_TICK_MS)
    })
  }

  #isRebuilding = false

  /** How the broken core saw the nodes, but for threads that have ended since. Gauges tell nothing: they may be an earlier life's. */
  #livesKnown(): (SupervisorEvent & { type: 'resume' })['nodes'] {
    const views = this.#core.nodes()
    return [...this.#facts].map(([node, { thread }]) => {
      const view = views.find(({ id }) => id === node)
      const incarnation = thread === undefined ? (view?.incarnation ?? 0) : this.#spawning.incarnationOf(thread)
      return { node, incarnation, state: stateOf(view?.phase ?? 'waiting', thread !== undefined) }
    })
  }

  #carryOut(effect: SupervisorEffect): void {
    switch (effect.type) {
      case 'spawn':
        void this.#spawning.spawn(effect)
        return
      case 'terminate': {
        const thread = this.#facts.get(effect.node)?.thread
        if (thread === undefined || this.#spawning.incarnationOf(thread) !== effect.incarnation) return
        void thread.terminate(effect.reason)
        return
      }
      case 'boot':
        this.#boot(effect).catch((error: Error) => this.#options.observer.onFatal(error))
        return
      case 'send':
        // Until then the owners before it may answer, and may have been asked since the table was written.
        if (effect.message.type === 'table/activate') this.#options.marks?.forgetAll()
        return this.#mail.push(effect.to, effect.message)
      case 'persist': {
        const { table } = effect
        this.#options.marks?.forgetAll()
        this.#record.writeTable(table).then(
          () => this.#step({ type: 'table/persisted', epoch: table.epoch }),
          (error: Error) => this.#options.observer.onFatal(error),
        )
        return
      }
      case 'remove':
        this.members.remove(effect.node).catch((error: Error) => this.#options.observer.onFatal(error))
        return
      case 'note-reaping':
        this.members
          .noteReaping(() => new StampClock(this.#options.clock.shared).readNs(), this.#options.isReapingHeld)
          .then(
            (before) => this.#step({ type: 'reaping/noted', before }),
            (error: Error) => this.#options.observer.onFatal(error),
          )
        return
      case 'notice':
        this.#record.remember(effect.notice)
        this.#options.observer.onNotice(effect.notice)
        return
      default:
        effect satisfies never
    }
  }

  #newThread(): NodeThread {
    const { nodeUrl, config } = this.#options
    return new NodeThread({
      url: nodeUrl,
      heapMb: config.nodeHeapMb,
      listener: {
        onMessage: (thread, message) => this.#onThreadMessage(thread, message),
        onEnd: (thread, end) => this.#onThreadEnd(thread, end),
      },
    })
  }

  /** The store id that counts from now on is on disk before the node may become a full owner of anything. */
  async #boot(order: SupervisorEffect & { type: 'boot' }): Promise<void> {
    const facts = this.#facts.get(order.node)
    const thread = facts?.thread
    if (facts === undefined || thread === undefined || thread.incarnation !== order.incarnation) return
    const storeId = facts.actor?.slice(order.node.length + 1)
    const entry = this.#record.entryOf(order.node)
    if (storeId !== undefined && entry !== undefined && entry.storeId !== storeId) {
      await this.#record.changeNode(order.node, { storeId })
    }
    if (facts.thread !== thread || this.#isStopping) return
    // Its store may hold writes that nobody was told of.
    this.#options.marks?.forgetAll()
    this.#mesh.addNode(order.node, thread)
    const { table, activeEpoch, peers } = order
    thread.boot({ table, activeEpoch, peers })
    // What was said to this node while its identity was being written.
    this.#booted.add(thread)
    this.#flush()
  }

  readonly #booted = new Set<NodeThread>()

  #onThreadMessage(thread: NodeThread, message: Exclude<FromNode, { type: 'loaded' | 'failpoint' | 'failed' }>): void {
    const { node, incarnation } = thread
    const facts = node === undefined ? undefined : this.#facts.get(node)
    if (node === undefined || facts?.thread !== thread) return
    switch (message.type) {
      case 'opened': {
        facts.actor = message.actor
        const { verdict, reason, storedEpoch, hintsDamaged, quarantinedTo, wallMs } = message
        if (quarantinedTo !== undefined) {
          facts.quarantined.push({ folder: quarantinedTo, reason, at: new Date(wallMs).toISOString() })
          this.#options.observer.onQuarantine({ node, folder: quarantinedTo, reason })
        }
        this.#step({ type: 'node/opened', node, incarnation, verdict, reason, storedEpoch, hintsDamaged })
        return
      }
      case 'mail':
        for (const mail of unpackEnvelope(message.envelope)) this.#onNodeMail(node, thread, mail)
        return
      case 'notices':
        for (const notice of message.notices) this.#options.observer.onNodeNotice(node, notice)
        return
      default:
        message satisfies never
    }
  }

  #onNodeMail(node: NodeId, thread: NodeThread, mail: Message): void {
    const wasUp = this.#core.nodes().find((view) => view.id === node)?.phase === 'up'
    this.#step({ type: 'message', from: node, message: mail })
    const isUp = this.#core.nodes().find((view) => view.id === node)?.phase === 'up'
    const readyMs = nowMs() - (this.#facts.get(node)?.spawnedAtMs ?? nowMs())
    if (!wasUp && isUp) this.#options.observer.onReady({ node, incarnation: thread.incarnation, readyMs })
  }

  #onThreadEnd(thread: NodeThread, end: ThreadEnd): void {
    this.#booted.delete(thread)
    const { node, incarnation } = this.#spawning.forget(thread)
    const facts = node === undefined ? undefined : this.#facts.get(node)
    if (node === undefined || facts?.thread !== thread) return
    facts.thread = undefined
    this.#onLifeEnded(node, incarnation, end)
  }

  #onLifeEnded(node: NodeId, incarnation: Incarnation, end: ThreadEnd): void {
    const facts = this.#facts.get(node)
    if (facts !== undefined) {
      facts.lastEnd = { end, at: new Date().toISOString() }
      this.#options.marks?.endAllOf(facts.writeMarks)
    }
    this.#options.marks?.forgetAll()
    this.#mesh.removeNode(node)
    this.#mail.drop(node)
    this.#options.observer.onExit({ node, incarnation, end })
    const hints = facts?.gauges.get('hints') ?? 0
    if (end.error !== undefined && 'code' in end.error && end.error.code === 'STORE_FULL')
      this.#step({ type: 'node/full', node, reason: end.reason })
    this.#step({ type: 'node/exited', node, incarnation, reason: end.reason, lacksMeans: isShortage(end.error), hints })
  }

  #flush(): void {
    this.#mail.flush({ gateways: this.#gateways, facts: this.#facts, booted: this.#booted })
  }
}
