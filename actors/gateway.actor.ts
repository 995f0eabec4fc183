/**
 * Runs a gateway's core in the caller's thread: its ports to the nodes, its timer, the stamp clock. Not a thread of its
 * own: a request makes one round trip, caller to replica and back.
 *
 * Called by the client (`submit`) and by whoever manages the cluster from here (`attach`, `onSupervisorMail`).
 */

import type { ReplayAsked } from '../src/protocol/batch-log/batch-replay.js'
import type { LogOwner } from '../src/protocol/batch-log/log-keys.js'
import type { OperationOutcome } from '../src/protocol/coordinator/request.js'
import type { RequestObserver } from '../src/protocol/coordinator/request-observer.js'
import { Gateway } from '../src/protocol/gateway.js'
import type { ClientRequest, GatewayConfig, GatewayEvent } from '../src/protocol/gateway-contract.js'
import {
  type Address,
  type GatewayId,
  type Incarnation,
  type Key,
  type NodeId,
  SUPERVISOR,
} from '../src/protocol/ids.js'
import type { Message } from '../src/protocol/messages.js'
import type { PartitionTable } from '../src/protocol/ring/table.js'
import type { Stamp } from '../src/protocol/versions/stamp.js'
import { nowMs, type StampClock } from './runtime/clock.js'
import { DeadlineTimer } from './runtime/deadline-timer.js'
import type { LinkEnd } from './runtime/mesh.js'
import { Ports } from './runtime/ports.js'

export interface GatewayActorOptions {
  readonly id: GatewayId
  readonly config: GatewayConfig
  readonly table: PartitionTable
  readonly clock: StampClock
  /** Each request's end, exactly once. `nowMs`: when what brought it was taken up. */
  readonly onReply: (id: number, outcome: OperationOutcome, nowMs: number) => void
  readonly onRepair: (repair: {
    readonly key: Key
    readonly nodes: readonly NodeId[]
    readonly blocking: boolean
  }) => void
  /** The stamp of a put that is `mirrored`. */
  readonly onStamped: (id: number, stamp: Stamp) => void
  /** Keys that a batch which was taken over writes. */
  readonly onAdopted: (keys: readonly Key[]) => void
  readonly toSupervisor: (message: Message) => void
  /** Gauges for others: see `Gateway.lingering` and `hasLateBatches`. */
  readonly onLoad: (load: { readonly lingering: number; readonly hasLateBatches: boolean }) => void
}

export class GatewayActor {
  readonly #options: GatewayActorOptions
  readonly #core: Gateway
  readonly #ports = new Ports(
    (from, messages) => this.#onMail(from, messages),
    (node, incarnation) => this.#onClosed(node, incarnation),
  )
  readonly #timer = new DeadlineTimer(() => {
    this.#step({ type: 'timer' })
    this.#endTurn()
  })
  #isTurnOpen = false
  #isClosed = false

  constructor(options: GatewayActorOptions) {
    this.#options = options
    this.#core = new Gateway(options.id, options.config, options.table)
  }

  get table(): PartitionTable {
    return this.#core.table
  }

  /** Requests that have not been answered. */
  get running(): number {
    return this.#core.running
  }

  get lingering(): number {
    return this.#core.lingering
  }

  get logOwner(): LogOwner {
    return this.#core.logOwner
  }

  get hasLateBatches(): boolean {
    return this.#core.hasLateBatches(nowMs())
  }

  /** Takes over the logged batches of everybody else. */
  replayBatches(asked: ReplayAsked): void {
    this.#step({ type: 'batches/replay', ...asked })
    this.#endTurn()
  }

  /** All requests of one turn. The clock is read here, after they were taken. */
  submit(requests: readonly ClientRequest[]): void {
    this.#step({ type: 'client/requests', requests, stampTimeNs: this.#options.clock.stampNs(), more: true })
    this.#openTurn()
  }

  /** Who looks on at requests; see `Gateway.observe`. */
  observe(observer: RequestObserver | undefined): void {
    this.#core.observe(observer)
  }

  /** A node's new life. */
  attach(node: NodeId, link: LinkEnd): void {
    this.#ports.attach(node, link)
  }

  onSupervisorMail(messages: readonly Message[]): void {
    this.#onMail(SUPERVISOR, messages)
  }

  /** Ends every request that runs, then the ports. */
  close(): void {
    this.#step({ type: 'close' })
    this.#endTurn()
    this.#isClosed = true
    this.#timer.stop()
    this.#ports.closeAll()
  }

  #step(event: GatewayEvent): void {
    const now = nowMs()
    for (const effect of this.#core.step(event, now)) {
      switch (effect.type) {
        case 'send':
          if (effect.to === SUPERVISOR) this.#options.toSupervisor(effect.message)
          else this.#ports.push(effect.to, effect.message)
          break
        case 'reply':
          this.#options.onReply(effect.id, effect.outcome, now)
          break
        case 'repair':
          this.#options.onRepair(effect)
          break
        case 'stamped':
          this.#options.onStamped(effect.id, effect.stamp)
          break
        case 'adopted':
          this.#options.onAdopted(effect.keys)
          break
        case 'table':
          break
        default:
          effect satisfies never
      }
    }
  }

  #onMail(from: Address, messages: readonly Message[]): void {
    for (const message of messages) this.#step({ type: 'message', from, message, more: true })
    this.#openTurn()
  }

  /** Its requests go elsewhere at once: the thread itself takes some ms to end after it has stopped. */
  #onClosed(node: NodeId, incarnation: Incarnation | undefined): void {
    if (this.#isClosed || incarnation === undefined) return
    this.#step({ type: 'link/closed', node, incarnation })
    this.#endTurn()
  }

  /**
   * What is said leaves when the loop has read all ports: the answers of several nodes, and the requests that the program
   * makes because of them, become one message to each node instead of many small ones.
   */
  #openTurn(): void {
    if (this.#isTurnOpen) return
    this.#isTurnOpen = true
    setImmediate(() => {
      // Nothing leaves any more, and no timer may keep the thread.
      if (this.#isClosed) return
      this.#step({ type: 'flush' })
      this.#endTurn()
    })
  }

  #endTurn(): void {
    this.#isTurnOpen = false
    this.#ports.flush()
    this.#timer.arm(this.#core.nextDeadlineMs())
    const { lingering } = this.#core
    this.#options.onLoad({ lingering, hasLateBatches: this.hasLateBatches })
  }
}
