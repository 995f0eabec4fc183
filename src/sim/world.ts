/**
 * A whole cluster in virtual time: the real `SupervisorCore`, `DynamoNode`s and `Gateway`s, on simulated threads, links and
 * disks. One seed decides everything that is chance, so that two runs are equal to the byte.
 *
 * It moves time and mail; it injects no faults by itself and judges nothing: faults call it, observers watch it. Called by
 * the simulator's runs (`run.ts`), by scenarios, and by tests.
 */

import type { GatewayConfig } from '../protocol/gateway-contract.js'
import { type Address, type GatewayId, type Incarnation, type NodeId, SUPERVISOR } from '../protocol/ids.js'
import type { Message } from '../protocol/messages.js'
import { Prng } from '../protocol/prng.js'
import { planClaim } from '../protocol/ring/claim.js'
import { newTable } from '../protocol/supervision/reassignment.js'
import type { SupervisorConfig } from '../protocol/supervision/supervisor-config.js'
import type { NodeRole } from '../protocol/supervision/supervisor-events.js'
import { EventQueue } from './event-queue.js'
import { type Latency, Network } from './network.js'
import { type Mail, type Observer, type Watching, watchingOf } from './observer.js'
import { SimClock } from './sim-clock.js'
import { SimCut } from './sim-cut.js'
import { SimDisk } from './sim-disk.js'
import { SimGateway } from './sim-gateway.js'
import { type Life, SimNode } from './sim-node.js'
import { SimSupervisor } from './sim-supervisor.js'

export interface WorldOptions {
  readonly seed: number
  readonly nodes: number
  /** Beside them. */
  readonly standbys?: number
  readonly config: GatewayConfig
  readonly supervision: SupervisorConfig
  readonly latency: Latency
  /** Batches may be logged: what gateways leave in the log is taken over. */
  readonly logs?: boolean
  /** Everything takes its shortest time: for transcripts that people read. */
  readonly isSteady?: boolean
  readonly observers: readonly Observer[]
}

/** How often observers look at the whole world. */
const SAMPLE_MS = 10
/** Between two processes the wall clock may be set by half of this, either way. */
const WALL_SKEW_MS = 20_000

/** A minimum, and a spread that is drawn from, in ms. */
export type Span = readonly [minMs: number, spreadMs: number]

export class SimWorld {
  readonly options: WorldOptions
  readonly watching: Watching
  /** A source of chance for each purpose, so that leaving out a fault does not change all the rest. */
  readonly chance: {
    readonly network: Prng
    readonly disks: Prng
    readonly host: Prng
    readonly faults: Prng
    readonly clocks: Prng
  }
  readonly network: Network
  readonly nodes = new Map<NodeId, SimNode>()
  readonly gateways = new Map<GatewayId, SimGateway>()
  readonly supervisor: SimSupervisor
  readonly clock = new SimClock()
  nowMs = 0
  readonly #queue = new EventQueue()
  #nextGateway = 1
  /** Gateways have ended since their logs were last looked through. */
  #owesReplay = false
  #nextCall = 1
  #nextCut = 1
  #nextStore = 1
  #nextNode: number

  constructor(options: WorldOptions) {
    const { seed, nodes, standbys: count = 0, config, supervision, observers } = options
    this.options = options
    this.watching = watchingOf(observers)
    const chanceOf = (purpose: number): Prng => new Prng(seed * 8 + purpose)
    this.chance = {
      network: chanceOf(1),
      disks: chanceOf(2),
      host: chanceOf(3),
      faults: chanceOf(4),
      clocks: chanceOf(6),
    }
    this.network = new Network(this.chance.network, options.latency)
    const members = Array.from({ length: nodes }, (_, index) => `node${index + 1}`)
    const { partitions } = config
    const n = config.n === 'all' ? nodes : config.n
    const standbys = Array.from({ length: count }, (_, index) => `node${nodes + index + 1}`)
    for (const id of [...members, ...standbys]) this.nodes.set(id, new SimNode(id, this.#newDisk(), this))
    this.#nextNode = nodes + count + 1
    const table = newTable(planClaim({ partitions, n, members }).rows, n, standbys)
    this.supervisor = new SimSupervisor(this, supervision, table)
    for (const observer of this.watching.onWorld) observer.onWorld(this)
    for (const observer of this.watching.onPersisted) observer.onPersisted(table)
    if (this.watching.onSample.length > 0) this.#sample()
    this.supervisor.start(false)
  }

  get ids(): readonly NodeId[] {
    return [...this.nodes.keys()]
  }

  // --- time -----------------------------------------------------------------------------------------------------------

  at(atMs: number, run: () => void): void {
    this.#queue.add(atMs, run)
  }

  after(span: Span, run: () => void): void {
    this.#queue.add(this.nowMs + this.drawMs(span), run)
  }

  drawMs([minMs, spreadMs]: Span): number {
    return this.options.isSteady === true ? minMs : minMs + this.chance.host.next() * spreadMs
  }

  run(ms: number): void {
    this.runUntil(() => false, ms)
  }

  /** True: it came to that within so many ms. Looked at after every event. */
  runUntil(isSo: () => boolean, withinMs: number): boolean {
    const untilMs = this.nowMs + withinMs
    while (!isSo()) {
      if (this.#queue.nextMs > untilMs) {
        this.nowMs = Math.max(this.nowMs, untilMs)
        return isSo()
      }
      this.nowMs = Math.max(this.nowMs, this.#queue.nextMs)
      this.#queue.take()()
    }
    return true
  }

  /** The process stands still: every thread of it, and the host with it. What came due meanwhile comes late, in its order. */
  pause(ms: number): void {
    for (const observer of this.watching.onPause) observer.onPause(ms, this)
    this.nowMs += ms
  }

  /** After a pause: something has come due and has not happened yet. */
  get isLate(): boolean {
    return this.#queue.nextMs < this.nowMs
  }

  #sample(): void {
    for (const observer of this.watching.onSample) observer.onSample(this)
    this.at(this.nowMs + SAMPLE_MS, () => this.#sample())
  }

  /** Time for a stamp; undefined: none may be given. `skewNs`: where gateways have clocks of their own. */
  stampNs(skewNs: bigint): bigint | undefined {
    return this.options.config.sharedClock ? this.clock.stampNs(this.nowMs) : this.clock.readNs(this.nowMs) + skewNs
  }

  // --- who is there ---------------------------------------------------------------------------------------------------

  node(id: NodeId): SimNode {
    const node = this.nodes.get(id)
    if (node === undefined) throw new RangeError(`there is no ${id}`)
    return node
  }

  takeCallNumber(): number {
    return this.#nextCall++
  }

  addGateway(): SimGateway {
    const id = `gateway${this.#nextGateway++}`
    const gateway = new SimGateway(id, this, this.supervisor.table)
    this.gateways.set(id, gateway)
    for (const observer of this.watching.onGateway) observer.onGateway(id, true)
    for (const peer of this.supervisor.peers()) this.post(SUPERVISOR, id, { type: 'peer/changed', ...peer })
    this.supervisor.step({ type: 'gateway/joined', gateway: id })
    this.#replayBatches()
    return gateway
  }

  /** A new node, under an id that was never used, joins. */
  grow(role: NodeRole): NodeId {
    const id = `node${this.#nextNode++}`
    const disk = this.#newDisk()
    disk.isNew = true
    this.nodes.set(id, new SimNode(id, disk, this))
    this.supervisor.join(id, role)
    return id
  }

  /** A backup begins; observers are told what came of it. */
  takeCut(): void {
    new SimCut(this, this.#nextCut++)
  }

  /** It is no member any more; its thread has ended. */
  forgetNode(id: NodeId): void {
    this.nodes.delete(id)
    this.network.forget(id)
  }

  /** Its thread ends in the middle of its work. */
  loseGateway(id: GatewayId): void {
    const gateway = this.gateways.get(id)
    if (gateway === undefined) return
    this.gateways.delete(id)
    gateway.vanish()
    for (const observer of this.watching.onGateway) observer.onGateway(id, false)
    this.supervisor.step({ type: 'gateway/lost', gateway: id })
    this.#owesReplay = this.options.logs === true
    this.#replayBatches()
  }

  /** Some gateway takes over what the others that are no more have left in the log of batches. */
  #replayBatches(): void {
    const [gateway] = this.gateways.values()
    if (!this.#owesReplay || gateway === undefined) return
    this.#owesReplay = false
    gateway.replayBatches()
  }

  /** No delete may be forgotten now. */
  get isReapingHeld(): boolean {
    return this.#owesReplay || [...this.gateways.values()].some(({ core }) => core.hasLateBatches(this.nowMs))
  }

  /** A thread ends. `losesUnaccepted`: so is everything that its disk had not answered. */
  endNode(node: SimNode, reason: string, losesUnaccepted: boolean): void {
    const { life } = node
    const hints = node.end(losesUnaccepted)
    if (life === undefined || hints === undefined) return
    for (const observer of this.watching.onDeath) observer.onDeath(node.id, reason)
    this.supervisor.onDeath(node, life.incarnation, reason, hints)
    this.#closeLinks(node.id, life.incarnation)
  }

  /** After what was on its way. */
  #closeLinks(id: NodeId, incarnation: Incarnation): void {
    for (const gateway of this.gateways.values()) {
      const atMs = this.network.reliableArrival(id, gateway.id, this.nowMs)
      this.at(atMs, () => gateway.onLinkClosed(id, incarnation))
    }
  }

  /** SIGKILL of the whole process, and a new one after a while. */
  killProcess(downMs: number): void {
    for (const gateway of [...this.gateways.values()]) {
      this.gateways.delete(gateway.id)
      gateway.vanish()
      for (const observer of this.watching.onGateway) observer.onGateway(gateway.id, false)
    }
    for (const node of this.nodes.values()) {
      if (node.end(false) !== undefined)
        for (const observer of this.watching.onDeath) observer.onDeath(node.id, 'SIGKILL')
    }
    this.supervisor.die()
    this.#owesReplay = this.options.logs === true
    const { sharedClock } = this.options.config
    const wallSkewMs = sharedClock ? (this.chance.clocks.next() - 0.5) * WALL_SKEW_MS : 0
    this.at(this.nowMs + downMs, () => {
      this.clock.open(this.nowMs, BigInt(Math.round(wallSkewMs * 1e6)))
      this.supervisor.restart()
    })
  }

  #newDisk(): SimDisk {
    return new SimDisk(this.options.config.partitions, () => (this.#nextStore++).toString(16).padStart(16, '0'))
  }

  // --- mail -----------------------------------------------------------------------------------------------------------

  post(from: Address, to: Address, message: Message): void {
    const mail: Mail = { from, to, message }
    for (const observer of this.watching.onSend) observer.onSend(mail, this)
    const meant = this.nodes.get(to)?.life
    const sender = this.nodes.get(from)?.life
    if (from === SUPERVISOR || to === SUPERVISOR) {
      this.at(this.network.reliableArrival(from, to, this.nowMs), () => this.#arrive(mail, meant, sender))
      return
    }
    const arrivals = this.network.arrivals(from, to, this.nowMs)
    if (arrivals.length === 0) for (const observer of this.watching.onLost) observer.onLost(mail)
    for (const atMs of arrivals) this.at(atMs, () => this.#arrive(mail, meant, sender))
  }

  #arrive(mail: Mail, meant: Life | undefined, sender: Life | undefined): void {
    const { from, to, message } = mail
    if (to === SUPERVISOR) {
      // A thread's last words arrive before its end, or never.
      const life = this.nodes.get(from)?.life
      if (this.nodes.has(from) ? life === sender : this.gateways.has(from)) {
        for (const observer of this.watching.onDelivered) observer.onDelivered(mail, this)
        this.supervisor.onMessage(from, message)
      }
      return
    }
    const node = this.nodes.get(to)
    const gateway = this.gateways.get(to)
    const isThere = node === undefined ? gateway !== undefined : meant !== undefined && node.life === meant
    if (!isThere) {
      for (const observer of this.watching.onLost) observer.onLost(mail)
      if (meant !== undefined) node?.deliverLate(meant, from, message)
      return
    }
    if (node !== undefined && meant !== undefined) return node.deliver(meant, from, message)
    for (const observer of this.watching.onDelivered) observer.onDelivered(mail, this)
    gateway?.deliver(from, message)
  }
}
