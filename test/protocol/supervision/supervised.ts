/**
 * A supervisor's core with obedient surroundings: threads open, boot and store tables at once, unless a test holds them
 * back. Virtual time; what the core asked for is kept, so that a test can look at it.
 */

import type { Incarnation, NodeId } from '../../../src/protocol/ids.js'
import type { Message } from '../../../src/protocol/messages.js'
import { planClaim } from '../../../src/protocol/ring/claim.js'
import type { PartitionTable } from '../../../src/protocol/ring/table.js'
import { newTable } from '../../../src/protocol/supervision/reassignment.js'
import { RESTART_POLICY_DEFAULTS, type RestartPolicy } from '../../../src/protocol/supervision/restart-policy.js'
import type { NodePhase } from '../../../src/protocol/supervision/supervised.js'
import type { SupervisorConfig } from '../../../src/protocol/supervision/supervisor-config.js'
import { SupervisorCore } from '../../../src/protocol/supervision/supervisor-core.js'
import type {
  NodeRole,
  OnTheWay,
  OpeningVerdict,
  SupervisorEffect,
  SupervisorEvent,
  SupervisorNotice,
} from '../../../src/protocol/supervision/supervisor-events.js'
import { SUPERVISOR_TICK_MS } from '../../../src/protocol/supervision/thread-watch.js'

export interface SupervisedOptions extends Partial<Omit<SupervisorConfig, 'restart'>> {
  readonly nodes?: number
  /** Beside the nodes: the ids after theirs. */
  readonly standbys?: number
  readonly partitions?: number
  readonly restart?: Partial<RestartPolicy>
  /** Of an earlier process; a new one if nothing is said. */
  readonly table?: PartitionTable
}

export class Supervised {
  nowMs = 0
  core: SupervisorCore
  readonly #config: SupervisorConfig
  /** Members, those on the way in and out included. */
  ids: readonly NodeId[]
  readonly effects: SupervisorEffect[] = []
  /** What the next opening of a node finds; `intact` if nothing is said. */
  readonly verdicts = new Map<NodeId, OpeningVerdict>()
  readonly hintsDamaged = new Map<NodeId, number>()
  /** Hints that a node kept when it exits; 1 if nothing is said. */
  readonly hintsKept = new Map<NodeId, number>()
  /** Their threads do nothing: no opening, no table, no exit. */
  readonly held = new Set<NodeId>()
  /** Nodes do what fills and exchanges they are ordered to, at once. */
  obeysOrders = true
  /** Who is told to retire owes nothing. */
  retires = true
  readonly #events: SupervisorEvent[] = []
  #isStepping = false

  constructor(options: SupervisedOptions = {}) {
    const { nodes = 3, standbys = 0, partitions = 16, restart = {}, table, ...config } = options
    const n = config.n === 'all' ? nodes : (config.n ?? 3)
    this.ids = Array.from({ length: nodes + standbys }, (_, index) => `node${index + 1}`)
    const { rows } = planClaim({ partitions, n, members: this.ids.slice(0, nodes) })
    this.#config = {
      n: config.n ?? 3,
      r: 2,
      w: 2,
      wFill: config.w ?? 2,
      hungAfterMs: 1_000,
      openingAfterMs: 5_000,
      nodesCoordinate: false,
      tombstoneGraceMs: 0,
      ...config,
      restart: { ...RESTART_POLICY_DEFAULTS, ...restart },
    }
    this.core = new SupervisorCore(this.#config, table ?? newTable(rows, n, this.ids.slice(nodes)))
  }

  get table(): PartitionTable {
    return this.core.table
  }

  /** A cluster that was closed in order is opened. */
  start(options: { wasUnclean?: boolean; wereDown?: readonly NodeId[] } = {}): this {
    const { wasUnclean = false, wereDown = [] } = options
    this.step({ type: 'start', nodes: this.ids, isCreation: false, wasUnclean, wereDown })
    return this
  }

  /** A core that broke is made anew, of the table that is on the disk. */
  rebuild(onTheWay: OnTheWay = {}, starting: readonly NodeId[] = []): void {
    const phases = this.core.nodes()
    this.core = new SupervisorCore(this.#config, this.table)
    const stateOf = (id: NodeId) => (starting.includes(id) ? 'starting' : 'up')
    const nodes = phases.map(({ id, incarnation }) => ({ node: id, incarnation, state: stateOf(id) }) as const)
    this.step({ type: 'resume', nodes, ...onTheWay })
  }

  phaseOf(id: NodeId): NodePhase | undefined {
    return this.core.nodes().find((node) => node.id === id)?.phase
  }

  incarnationOf(id: NodeId): Incarnation {
    return this.core.nodes().find((node) => node.id === id)?.incarnation ?? 0
  }

  exit(id: NodeId, reason = 'a crash'): void {
    const hints = this.hintsKept.get(id) ?? 1
    this.step({ type: 'node/exited', node: id, incarnation: this.incarnationOf(id), reason, hints })
  }

  join(id: NodeId, role: NodeRole = 'member'): void {
    this.ids = [...this.ids, id]
    this.step({ type: 'operator/join', nodes: [id], role })
  }

  leave(id: NodeId): void {
    this.step({ type: 'operator/leave', node: id })
  }

  full(id: NodeId): void {
    this.step({ type: 'node/full', node: id, reason: 'no space left' })
  }

  room(id: NodeId): void {
    this.step({ type: 'node/room', node: id })
  }

  giveUp(id: NodeId): void {
    this.step({ type: 'operator/give-up', node: id })
    this.exit(id)
  }

  /** Ticks of the host; every living thread's loop turns, but for the held ones. */
  runFor(ms: number): void {
    const untilMs = this.nowMs + ms
    while (this.nowMs < untilMs) {
      this.nowMs += SUPERVISOR_TICK_MS
      const turning = this.ids.filter((id) => !this.held.has(id))
      this.step({ type: 'tick', loops: Object.fromEntries(turning.map((id) => [id, this.nowMs])) })
    }
  }

  /** One event, and all that follows from it, in order. */
  step(event: SupervisorEvent): void {
    this.#events.push(event)
    if (this.#isStepping) return
    this.#isStepping = true
    for (let next = this.#events.shift(); next !== undefined; next = this.#events.shift()) {
      for (const effect of this.core.step(next, this.nowMs)) {
        this.effects.push(effect)
        this.#obey(effect)
      }
    }
    this.#isStepping = false
  }

  /** Forgets what was asked for so far. */
  forget(): void {
    this.effects.length = 0
  }

  notices<Type extends SupervisorNotice['type']>(type: Type): (SupervisorNotice & { type: Type })[] {
    return this.effects.flatMap((effect) =>
      effect.type === 'notice' && effect.notice.type === type
        ? [effect.notice as SupervisorNotice & { type: Type }]
        : [],
    )
  }

  sent<Type extends Message['type']>(
    type: Type,
  ): { readonly to: string; readonly message: Message & { type: Type } }[] {
    return this.effects.flatMap((effect) =>
      effect.type === 'send' && effect.message.type === type
        ? [{ to: effect.to, message: effect.message as Message & { type: Type } }]
        : [],
    )
  }

  /** `a+b` for each pair of nodes that was told to compare. */
  pairsCompared(): string[] {
    const pairs = this.sent('exchange/start').flatMap(({ to, message }) =>
      message.peers.map((peer) => [to, peer].sort().join('+')),
    )
    return [...new Set(pairs)].sort()
  }

  terminations(id: NodeId): string[] {
    return this.effects.flatMap((effect) => (effect.type === 'terminate' && effect.node === id ? [effect.reason] : []))
  }

  #obey(effect: SupervisorEffect): void {
    switch (effect.type) {
      case 'spawn':
        if (!this.held.has(effect.node)) this.open(effect.node, effect.incarnation)
        return
      case 'boot':
        if (effect.peers.length > 0 || this.ids.length === 1)
          this.step({
            type: 'message',
            from: effect.node,
            message: { type: 'table/stored', epoch: effect.table.epoch },
          })
        return
      case 'terminate':
        if (this.held.has(effect.node)) return
        this.step({
          type: 'node/exited',
          node: effect.node,
          incarnation: effect.incarnation,
          reason: effect.reason,
          hints: this.hintsKept.get(effect.node) ?? 1,
        })
        return
      case 'persist':
        this.step({ type: 'table/persisted', epoch: effect.table.epoch })
        return
      case 'remove':
        this.ids = this.ids.filter((id) => id !== effect.node)
        this.step({ type: 'node/removed', node: effect.node })
        return
      case 'send':
        this.#answer(effect.to, effect.message)
        return
      case 'notice':
        return
    }
  }

  open(node: NodeId, incarnation: Incarnation): void {
    const verdict = this.verdicts.get(node) ?? 'intact'
    const hintsDamaged = this.hintsDamaged.get(node) ?? 0
    this.verdicts.delete(node)
    this.hintsDamaged.delete(node)
    this.step({ type: 'node/opened', node, incarnation, verdict, reason: 'a test', storedEpoch: 0, hintsDamaged })
  }

  #answer(from: string, message: Message): void {
    if (!this.ids.includes(from) || this.held.has(from)) return
    const say = (answer: Message): void => this.step({ type: 'message', from, message: answer })
    if (message.type === 'table/announce') say({ type: 'table/stored', epoch: message.table.epoch })
    if (!this.obeysOrders) return
    if (message.type === 'retire/start' && this.retires) say({ type: 'retire/done' })
    if (message.type === 'exchange/start') say({ type: 'exchange/done', peers: message.peers })
    if (message.type === 'transfer/start') {
      const partitions = message.orders.map((order) => order.partition)
      const rowEpochs = message.orders.map((order) => order.rowEpoch)
      say({ type: 'transfer/done', partitions, rowEpochs })
    }
  }
}
