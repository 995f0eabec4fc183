/**
 * Injects the faults of a plan into a simulated world, each when its time comes, and ends them all for the liveness phase.
 *
 * It asks for no more than the design promises to survive: a store is only lost while all others are whole, and so many
 * nodes stay that a partition has n of them. What cannot be done then is skipped, and counted. Called by `run.ts`.
 */

import { type Address, type NodeId, SUPERVISOR } from '../protocol/ids.js'
import { majorityOf } from '../protocol/ring/quorum.js'
import { standbysOf } from '../protocol/ring/table.js'
import { HEALTHY } from './network.js'
import type { FaultKind, PlannedFault } from './plan.js'
import type { SimNode } from './sim-node.js'
import type { SimWorld } from './world.js'

/** How often, and how long after, a fault is tried whose kind has not come yet. */
const ATTEMPTS_MAX = 10
const ATTEMPT_MS = 60
/** A whole plan brings so many at least: what cannot be done is a crash instead. */
const FAULTS_MIN = 30
/** A cluster that has grown so far grows no more. */
const NODES_MAX = 9

export class Injector {
  readonly #world: SimWorld
  readonly #faults: readonly PlannedFault[]
  readonly #sloppy: boolean
  /** How many of each kind took effect. */
  readonly injected = new Map<FaultKind, number>()
  skipped = 0
  isOver = false
  #left: number

  constructor(world: SimWorld, faults: readonly PlannedFault[], sloppy: boolean) {
    this.#sloppy = sloppy
    this.#world = world
    this.#faults = faults
    this.#left = faults.length
  }

  /** Every fault has had its turn. */
  get isThrough(): boolean {
    return this.#left === 0
  }

  start(): void {
    const startMs = this.#world.nowMs
    for (const fault of this.#faults) this.#world.at(startMs + fault.atMs, () => this.#inject(fault))
  }

  /** Ends what lasts; what died is brought back by the supervisor. */
  end(): void {
    this.isOver = true
    const world = this.#world
    world.network.heal(world.nowMs)
    for (const node of world.nodes.values()) {
      node.disk.isFull = false
      node.disk.slowMs = 0
      node.thaw()
    }
    for (const observer of world.watching.onFault) observer.onFault('faults are over')
  }

  #inject(fault: PlannedFault, attempt = 1): void {
    this.#left -= 1
    if (this.isOver) return
    // What an older copy may be restored from.
    pick([...this.#world.nodes.values()], fault.where[2])?.disk.takeCopy()
    const text = this.#strike(fault)
    if (text === undefined) {
      // Every kind that was drawn shall come at least once: a quiet moment may follow.
      const isGivenUp = this.injected.has(fault.kind) || attempt >= ATTEMPTS_MAX
      if (attempt === 2 * ATTEMPTS_MAX || (isGivenUp && !this.#isNeeded)) this.skipped += 1
      else {
        this.#left += 1
        const next: PlannedFault = isGivenUp ? { ...fault, kind: 'crash' } : fault
        this.#world.at(this.#world.nowMs + ATTEMPT_MS, () => this.#inject(next, attempt + 1))
      }
      return
    }
    this.injected.set(fault.kind, (this.injected.get(fault.kind) ?? 0) + 1)
    for (const observer of this.#world.watching.onFault)
      observer.onFault(`fault ${fault.number}: ${fault.kind} ${text}`)
  }

  /** Without one more, too few would have taken effect. */
  get #isNeeded(): boolean {
    const count = [...this.injected.values()].reduce((sum, times) => sum + times, 0)
    return this.#faults.length >= FAULTS_MIN && count + this.#left < FAULTS_MIN
  }

  /** What was done; undefined: nothing, it cannot be done now. */
  #strike({ kind, lastsMs, where }: PlannedFault): string | undefined {
    const world = this.#world
    const [first, second, third] = where
    const living = [...world.nodes.values()].filter((node) => node.core !== undefined)
    const node = pick(living, first)
    switch (kind) {
      case 'crash':
      case 'crash-losing': {
        // Threads that read what a dead node left crash, too.
        const reading = [...world.nodes.values()].filter(({ life }) => life?.salvage === true)
        const struck = pick([...living, ...reading], first)
        if (struck === undefined) return undefined
        world.endNode(struck, 'a crash', kind === 'crash-losing')
        return struck.id
      }
      case 'hang':
        if (node === undefined) return undefined
        node.freeze(lastsMs)
        return `${node.id} for ${lastsMs.toFixed(0)} ms`
      case 'slow-disk':
        return this.#slowDisk(node, lastsMs, 5 + third * 120)
      case 'full-disk':
        return this.#fillDisk(node, lastsMs)
      case 'lose-store':
      case 'damage-files':
      case 'older-copy':
      case 'damage-records':
      case 'down-for-good':
        return node === undefined || !this.#isWhole() ? undefined : this.#harmStore(kind, node, third)
      case 'several-down-for-good':
        return this.#isWhole() ? this.#giveUpSeveral(where) : undefined
      case 'process-dies':
        if (!world.supervisor.isThere) return undefined
        world.killProcess(20 + third * 100)
        return ''
      case 'supervisor-breaks':
        if (!world.supervisor.isThere) return undefined
        world.supervisor.rebuild()
        return ''
      case 'client-vanishes': {
        const gateway = pick([...world.gateways.values()], first)
        if (gateway === undefined || !world.supervisor.isThere) return undefined
        world.loseGateway(gateway.id)
        return gateway.id
      }
      case 'clock-jumps': {
        const gateway = pick([...world.gateways.values()], first)
        gateway?.jumpClock(second)
        return gateway?.id
      }
      case 'node-joins':
        if (!world.supervisor.isThere || world.nodes.size >= NODES_MAX) return undefined
        return world.grow('member')
      case 'node-leaves': {
        const staying = this.#staying()
        const leaving = pick(staying, first)
        // One that is down for good takes no place, and may come back with the next process.
        if (leaving === undefined || !world.supervisor.isThere || staying.length <= this.#nodesMin) return undefined
        world.supervisor.leave(leaving)
        return leaving
      }
      case 'standby-joins':
        if (!world.supervisor.isThere || world.nodes.size >= NODES_MAX) return undefined
        return world.grow('standby')
      case 'backup':
        if (!world.supervisor.isThere) return undefined
        world.takeCut()
        return ''
      case 'standby-is-promoted': {
        const standby = pick(standbysOf(world.supervisor.table), first)
        if (standby === undefined || !world.supervisor.isThere) return undefined
        world.supervisor.promote(standby)
        return standby
      }
      case 'process-pauses':
        if (!world.supervisor.isThere) return undefined
        world.pause(lastsMs)
        return `for ${lastsMs.toFixed(0)} ms`
      case 'client-thread-joins':
        return world.supervisor.isThere ? world.addGateway().id : undefined
      default:
        return this.#onNetwork(kind, lastsMs, [first, second, third])
    }
  }

  #slowDisk(node: SimNode | undefined, lastsMs: number, slowMs: number): string | undefined {
    if (node === undefined) return undefined
    const { disk } = node
    disk.slowMs = slowMs
    this.#world.at(this.#world.nowMs + lastsMs, () => {
      disk.slowMs = 0
    })
    return `${node.id} for ${lastsMs.toFixed(0)} ms`
  }

  #fillDisk(node: SimNode | undefined, lastsMs: number): string | undefined {
    if (node === undefined) return undefined
    node.disk.isFull = true
    this.#world.at(this.#world.nowMs + lastsMs, () => {
      node.disk.isFull = false
    })
    return `${node.id} for ${lastsMs.toFixed(0)} ms`
  }

  #harmStore(kind: FaultKind, node: SimNode, share: number): string | undefined {
    const world = this.#world
    const { disk } = node
    switch (kind) {
      case 'lose-store':
        world.endNode(node, 'its store is lost', true)
        disk.wipe()
        return node.id
      case 'damage-files':
        world.endNode(node, 'its files are damaged', false)
        disk.isDamaged = true
        return node.id
      case 'older-copy':
        world.endNode(node, 'an older copy of its store is restored', false)
        if (!disk.restoreCopy()) disk.wipe()
        return node.id
      case 'damage-records': {
        const count = disk.damageRecords(world.chance.faults, 1 + Math.floor(share * 5))
        return count === 0 ? undefined : `${count} of ${node.id}`
      }
      default: {
        const staying = this.#staying()
        if (staying.length <= this.#nodesMin || !staying.includes(node.id)) return undefined
        world.supervisor.giveUp(node.id)
        world.endNode(node, 'it will not come back', false)
        return node.id
      }
    }
  }

  /** As many as may be, of two or three. */
  #giveUpSeveral(where: PlannedFault['where']): string | undefined {
    const world = this.#world
    const staying = this.#staying()
    const spare = staying.length - this.#nodesMin
    if (spare < 2) return undefined
    const lost: NodeId[] = []
    for (const place of where.slice(0, spare)) {
      const id = pick(
        staying.filter((one) => !lost.includes(one)),
        place,
      )
      if (id !== undefined) lost.push(id)
    }
    for (const id of lost) world.supervisor.giveUp(id)
    for (const id of lost) {
      const node = world.nodes.get(id)
      if (node !== undefined) world.endNode(node, 'it will not come back', false)
    }
    return lost.join(', ')
  }

  /**
   * So many are there in any case. Where everybody is a full copy, the dead keep their places: the others must be a quorum of all,
   * one of them away.
   */
  get #nodesMin(): number {
    const { options, supervisor } = this.#world
    const { n } = options.config
    return n === 'all' ? Math.max(2, majorityOf(supervisor.table.n)) : n
  }

  /** Members that are neither standbys nor down for good nor on the way in or out. */
  #staying(): readonly NodeId[] {
    const { supervisor, nodes } = this.#world
    const { joining, leaving } = supervisor.onTheWay
    const others = [...joining, ...leaving, ...standbysOf(supervisor.table)]
    return [...nodes.keys()].filter((id) => !supervisor.isDown(id) && !others.includes(id))
  }

  #onNetwork(kind: FaultKind, lastsMs: number, [first, second, third]: PlannedFault['where']): string | undefined {
    const { network } = this.#world
    const all: readonly Address[] = [...this.#world.nodes.keys(), ...this.#world.gateways.keys()]
    const from = pick(all, first)
    const to = pick(
      all.filter((address) => address !== from),
      second,
    )
    if (from === undefined || to === undefined) return undefined
    const share = 0.02 + third ** 2 * 0.3
    const between = `between ${from} and ${to}`
    let text: string
    switch (kind) {
      case 'cut':
        network.cut(from, to)
        network.cut(to, from)
        text = between
        break
      case 'cut-one-way':
        network.cut(from, to)
        text = `from ${from} to ${to}`
        break
      case 'split-in-two':
      case 'split-in-three':
        text = this.#split(all, kind === 'split-in-two' ? 2 : 3)
        break
      case 'lossy-link':
        network.fault(from, to, { ...HEALTHY, lost: 0.5 + third / 2 })
        text = `from ${from} to ${to}`
        break
      case 'slow-link':
        network.fault(from, to, { ...HEALTHY, delayMs: 20 + third * 200 })
        text = `from ${from} to ${to}`
        break
      case 'lossy-network':
        network.faultEverywhere({ ...HEALTHY, lost: share })
        text = `${(share * 100).toFixed(0)} %`
        break
      case 'doubling-network':
        network.faultEverywhere({ ...HEALTHY, doubled: share, delayMs: third * 50 })
        text = `${(share * 100).toFixed(0)} %`
        break
      default:
        network.faultEverywhere({ ...HEALTHY, reordered: 0.5, delayMs: 1 + third * 60 })
        text = ''
    }
    // Faults of the network end together: what began later is over sooner.
    this.#world.at(this.#world.nowMs + lastsMs, () => {
      if (this.isOver) return
      network.heal(this.#world.nowMs)
      for (const observer of this.#world.watching.onFault) observer.onFault('the network is healed')
    })
    return `${text} for ${lastsMs.toFixed(0)} ms`
  }

  #split(all: readonly Address[], parts: number): string {
    const { network, chance } = this.#world
    const sides = new Map(all.map((address) => [address, chance.faults.below(parts)]))
    // Nobody is alone with nobody: an empty side gets somebody of a side that has more than one.
    for (let side = 0; side < parts; side++) {
      const sizes = Array.from(
        { length: parts },
        (_, place) => [...sides.values()].filter((own) => own === place).length,
      )
      const spare = all.find((address) => (sizes[sides.get(address) ?? 0] ?? 0) > 1)
      if (sizes[side] === 0 && spare !== undefined) sides.set(spare, side)
    }
    for (const from of all)
      for (const to of all)
        if (from !== to && from !== SUPERVISOR && sides.get(from) !== sides.get(to)) network.cut(from, to)
    return Array.from({ length: parts }, (_, side) =>
      all.filter((address) => sides.get(address) === side).join(' '),
    ).join(' | ')
  }

  /**
   * Every partition is full and every other store whole: then one may be lost. Where clients write sloppily, hints may be all
   * that is left of a write, so nobody may owe anybody any.
   */
  #isWhole(): boolean {
    const { supervisor, nodes, gateways } = this.#world
    if (!supervisor.isThere) return false
    const { rows } = supervisor.table
    const isFull = rows.every(
      ({ owners, pending }) =>
        // One that is down for good stands there until the table says otherwise.
        owners.every((owner) => owner !== null && !supervisor.isDown(owner)) && pending.every((node) => node === null),
    )
    const living = [...nodes.values()].filter(({ id }) => !supervisor.isDown(id))
    if (!isFull || living.some((node) => hasDamage(node) || node.core === undefined)) return false
    if (!this.#sloppy) return true
    if (!supervisor.isQuiet || living.some(({ life }) => life?.hasFailed === true)) return false
    for (const gateway of gateways.values()) if (gateway.core.lingering > 0) return false
    return living.every((node) => {
      const gauges = node.core?.gauges()
      return gauges !== undefined && gauges.hintsDue + gauges.exchanging + gauges.lingering === 0
    })
  }
}

function hasDamage({ disk }: SimNode): boolean {
  if (disk.isDamaged) return true
  const store = disk.view()
  return store.read([...disk.content.records.keys()]).includes('damaged')
}

function pick<T>(items: readonly T[], where: number): T | undefined {
  return items[Math.floor(where * items.length)]
}

/** For reports. */
export function describeInjected(injected: Readonly<Partial<Record<FaultKind, number>>>): string {
  return Object.entries(injected)
    .map(([kind, count]) => `${kind} ${count}`)
    .join(', ')
}
