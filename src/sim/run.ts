/**
 * One simulated run of a plan: clients call while faults strike (safety), then the faults end and the cluster must settle
 * within a bounded virtual time (liveness), then everything is read once more. Checkers watch all of it.
 *
 * Called by the `coterie sim` command, by tests, and by `shrink.ts`.
 */

import { isLogKey } from '../protocol/batch-log/log-keys.js'
import type { GatewayConfig } from '../protocol/gateway-contract.js'
import type { Key, NodeId } from '../protocol/ids.js'
import { MEMBERSHIP_DEFAULTS } from '../protocol/membership/membership-config.js'
import type { SupervisorConfig } from '../protocol/supervision/supervisor-config.js'
import { STAMP_MAX } from '../protocol/versions/stamp.js'
import { checkersFor } from './checkers/all.js'
import type { Checker, Violation } from './checkers/checker.js'
import { SimClient } from './clients.js'
import { Injector } from './injector.js'
import { endOf, LastReads } from './last-reads.js'
import type { Observer } from './observer.js'
import type { FaultKind, Plan } from './plan.js'
import { isSettled } from './settled.js'
import type { SimGateway } from './sim-gateway.js'
import { SimWorld } from './world.js'

/** Virtual time that each phase may take. */
const OPENING_MS = 10_000
const SAFETY_MS = 120_000
const SETTLING_MS = 20_000
/** Healing what is damaged; see `INTERNAL_TIMEOUT_MS` of the nodes' own requests. */
const HEALING_MS = 3_000
/** Where nodes compare by themselves. */
const ANTI_ENTROPY_MS = 400
/** Where deletes are forgotten: a little longer than any request, repair or handoff. Within so many of them all are. */
const GRACE_MS = 2_100
const FORGETTING_GRACES = 6
const FINAL_TIMEOUT_MS = 5_000
const LAST_READS_MS = 20_000
/** Violations kept of each checker: the first ones tell what happened, and must not hide what the others find. */
const VIOLATIONS_MAX = 5

export interface RunReport {
  readonly seed: number
  readonly violations: readonly Violation[]
  readonly operations: number
  /** How the clients' calls ended, not the last reads: `written`, `value`, `page`, or a failure's code. */
  readonly ends: Readonly<Record<string, number>>
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>
  readonly skipped: number
  readonly virtualMs: number
  /** From the end of the faults until everything had settled. */
  readonly settledAfterMs: number
}

/** Runs a plan. `observers` see everything that the checkers see, after them. Errors: none; what throws is a violation. */
export function runPlan(plan: Plan, observers: readonly Observer[] = []): RunReport {
  return new Run(plan, observers).run()
}

class Run {
  readonly #plan: Plan
  readonly #violations: Violation[] = []
  readonly #checkers: readonly Checker[]
  readonly #world: SimWorld
  readonly #injector: Injector
  readonly #ends: Record<string, number> = {}
  /** That were called for. */
  readonly #keys = new Set<Key>()
  #callsLeft: number
  #settledAfterMs = 0
  #isSettled = false

  constructor(plan: Plan, observers: readonly Observer[]) {
    this.#plan = plan
    this.#callsLeft = plan.operations
    const now = (): number => this.#world?.nowMs ?? 0
    const { checkers, wire } = checkersFor(
      plan,
      (violation) => {
        const found = this.#violations.filter(({ checker }) => checker === violation.checker).length
        if (found < VIOLATIONS_MAX) this.#violations.push({ ...violation, atMs: now() })
      },
      now,
    )
    this.#checkers = checkers
    const counter: Observer = {
      onCall: ({ keys }) => {
        for (const key of keys) this.#keys.add(key)
      },
      onEnd: (_call, outcome) => {
        if (this.#isSettled) return
        const end = endOf(outcome)
        this.#ends[end] = (this.#ends[end] ?? 0) + 1
      },
    }
    const { seed, nodes, standbys, latencyMs, logs } = plan
    const [minMs, spreadMs] = latencyMs
    this.#world = new SimWorld({
      seed,
      nodes,
      standbys,
      logs,
      config: configOf(plan),
      supervision: supervisionOf(plan),
      latency: { minMs, spreadMs },
      observers: [wire, ...checkers, counter, ...observers],
    })
    this.#injector = new Injector(this.#world, plan.faults, plan.sloppy)
  }

  run(): RunReport {
    try {
      this.#phases()
      for (const checker of this.#checkers) checker.atEnd?.(this.#world)
    } catch (error) {
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error)
      this.#violations.push({ checker: 'invariants', rule: 'an invariant broke', detail, atMs: this.#world.nowMs })
    }
    const { seed, operations } = this.#plan
    const { injected, skipped } = this.#injector
    return {
      seed,
      violations: this.#violations,
      operations: operations - this.#callsLeft,
      ends: this.#ends,
      faults: Object.fromEntries(injected),
      skipped,
      virtualMs: this.#world.nowMs,
      settledAfterMs: this.#settledAfterMs,
    }
  }

  #phases(): void {
    const world = this.#world
    if (!this.#until('the nodes are up', () => isSettled(this.#world), OPENING_MS)) return
    for (let count = 0; count < this.#plan.gateways; count++) world.addGateway()
    const clients = this.#clients()
    for (const client of clients) client.start()
    this.#injector.start()
    const isDone = (): boolean => clients.every((client) => client.isDone) && this.#injector.isThrough
    if (!this.#until('all calls are made', isDone, SAFETY_MS)) return
    this.#injector.end()
    const endedAtMs = world.nowMs
    if (!this.#until('the process is there', () => world.supervisor.isThere, SETTLING_MS)) return
    if (world.gateways.size === 0) world.addGateway()
    if (!this.#until('everything has settled', () => isSettled(this.#world), SETTLING_MS)) return
    this.#settledAfterMs = world.nowMs - endedAtMs
    this.#isSettled = true
    for (const observer of world.watching.onSettled) observer.onSettled(world, false)
    this.#readAll()
    // What was damaged was seen at the latest now, and is healed.
    world.run(HEALING_MS)
    if (!this.#until('everything has settled after the last reads', () => isSettled(this.#world), SETTLING_MS)) return
    for (const observer of world.watching.onSettled) observer.onSettled(world, true)
    this.#forget()
  }

  /** Once everybody has been there for long enough, no delete is remembered any more; and nothing comes back for it. */
  #forget(): void {
    const world = this.#world
    const { tombstoneGraceMs, antiEntropyIntervalMs } = world.options.config
    const isEverybodyThere = world.supervisor.views().every(({ phase }) => phase === 'up')
    if (tombstoneGraceMs === 0 || !isEverybodyThere) return
    const partitions = world.supervisor.table.rows.map((_, partition) => partition)
    const all = { range: { reverse: false }, limit: 1, bytesMax: 1e9, partitions, tombstonesBefore: STAMP_MAX }
    const isForgotten = (): boolean =>
      [...world.nodes.values()].every((node) => node.disk.view().page(all).keys.length === 0)
    const withinMs = FORGETTING_GRACES * tombstoneGraceMs
    // Without anti-entropy an owner may remember a delete for ever that another, told of it in time, has forgotten.
    if (antiEntropyIntervalMs === 0) {
      const endMs = world.nowMs + withinMs
      while (world.nowMs < endMs && !isForgotten()) world.run(5)
    } else if (!this.#until('all deletes are forgotten', isForgotten, withinMs)) return
    this.#readAll()
    if (!this.#until('everything has settled after that', () => isSettled(this.#world), SETTLING_MS)) return
    for (const observer of world.watching.onSettled) observer.onSettled(world, true)
  }

  /** False, and a violation: it did not come to that in time. */
  #until(what: string, isSo: () => boolean, withinMs: number): boolean {
    // Looked at every few ms only: it costs more than most events.
    const { nowMs } = this.#world
    while (this.#world.nowMs < nowMs + withinMs) {
      if (isSo()) return true
      this.#world.run(5)
    }
    const detail = `not within ${withinMs} ms: ${what}; ${this.#state()}`
    this.#violations.push({
      checker: 'liveness',
      rule: 'Liveness: without faults everything settles',
      detail,
      atMs: this.#world.nowMs,
    })
    return false
  }

  #clients(): SimClient[] {
    const takeCall = (): boolean => this.#callsLeft > 0 && this.#callsLeft-- > 0
    return Array.from({ length: this.#plan.clients }, (_, number) => {
      const gateway = (): SimGateway | undefined => this.#gatewayOf(number)
      return new SimClient({ number, world: this.#world, plan: this.#plan, takeCall, gateway })
    })
  }

  /** A new one where all have vanished: as a program that is started again would have. */
  #gatewayOf(number: number): SimGateway | undefined {
    const world = this.#world
    if (!world.supervisor.isThere) return undefined
    if (world.gateways.size === 0) world.addGateway()
    const gateways = [...world.gateways.values()].filter((gateway) => gateway.isWelcome)
    return gateways[number % gateways.length]
  }

  #readAll(): void {
    const world = this.#world
    if (world.gateways.size === 0) world.addGateway()
    const isWelcome = () => [...world.gateways.values()].some((gateway) => gateway.isWelcome)
    if (!this.#until('a client is let in', isWelcome, FINAL_TIMEOUT_MS)) return
    const gateway = [...world.gateways.values()].find((candidate) => candidate.isWelcome)
    if (gateway === undefined) return
    const keys = new Set(this.#keys)
    for (const node of world.nodes.values())
      for (const key of node.disk.content.records.keys()) if (!isLogKey(key)) keys.add(key)
    const last = new LastReads(gateway, world.options.config, this.#ownersAlive(), (what, end) =>
      this.#isUnanswered(what, end),
    )
    last.start([...keys].sort())
    this.#until('everything has been read', () => last.isDone, LAST_READS_MS)
  }

  /** Where everybody is a full copy, one that is down for good may still have its place. */
  #ownersAlive(): number {
    const { supervisor } = this.#world
    const isThere = (owner: NodeId | null) => owner !== null && !supervisor.isDown(owner)
    return Math.min(...supervisor.table.rows.map(({ owners }) => owners.filter(isThere).length))
  }

  #isUnanswered(what: string, end: string): void {
    const detail = `the last ${what} ended with ${end}`
    const rule = 'Liveness: without faults every call is answered'
    this.#violations.push({ checker: 'liveness', rule, detail, atMs: this.#world.nowMs })
  }

  #state(): string {
    const { supervisor, nodes } = this.#world
    const views = supervisor.views().map(({ id, phase }) => {
      const core = nodes.get(id)?.core
      return `${id} ${phase} ${core === undefined ? '' : JSON.stringify(core.gauges())}`
    })
    return `supervisor ${supervisor.isQuiet ? 'quiet' : 'busy'}, epoch ${supervisor.table.epoch}; ${views.join('; ')}`
  }
}

function configOf(plan: Plan): GatewayConfig {
  const { quorums, conflict, coordination, sharedClock, hintWindowMs } = plan
  return {
    ...quorums,
    wFill: quorums.w,
    partitions: 16,
    conflict,
    sharedClock,
    coordination,
    // Names of gateways are never used again.
    life: '',
    avoidAfterMs: 50,
    hedgeBudgetPercent: 5,
    hintWindowMs,
    hintBytesMax: plan.hintBytesMax,
    transferBytesPerSecond: 1e8,
    transfersMax: 2,
    antiEntropyIntervalMs: plan.seed % 3 === 0 ? ANTI_ENTROPY_MS : 0,
    tombstoneGraceMs: graceOf(plan),
    queues: plan.queues,
    membership: MEMBERSHIP_DEFAULTS,
    requestsInFlightMax: plan.requestsInFlightMax,
    bytesInFlightMax: plan.bytesInFlightMax,
  }
}

/** Where stamps are of clocks that differ, deletes are never forgotten. */
function graceOf({ seed, sharedClock }: Plan): number {
  return seed % 4 === 1 && sharedClock ? GRACE_MS : 0
}

function supervisionOf(plan: Plan): SupervisorConfig {
  const { quorums, coordination, conflict } = plan
  // Faults that are meant for good say so; dying often is not one of them.
  const restart = { restartsMax: 1_000, windowMs: 60_000, backoffMsMin: 10, backoffMsMax: 200, stableAfterMs: 200 }
  const nodesCoordinate = coordination === 'server' || conflict === 'siblings'
  const tombstoneGraceMs = graceOf(plan)
  return {
    ...quorums,
    wFill: quorums.w,
    hungAfterMs: 500,
    openingAfterMs: 5_000,
    nodesCoordinate,
    tombstoneGraceMs,
    restart,
  }
}
