/**
 * A backup's cut in the simulated world: the same `CutCore` as on real threads, over calls that take their time and nodes that hang
 * and die. What comes of it is told to observers. Called by `SimWorld`.
 */

import type { NodeId } from '../protocol/ids.js'
import { standbysOf } from '../protocol/ring/table.js'
import { CutCore, type CutOutput, ownersNeededFor } from '../protocol/supervision/cut-core.js'
import type { MemoryDisk } from '../storage/memory-store.js'
import type { Life, SimNode } from './sim-node.js'
import type { SimWorld } from './world.js'

const FREEZE_TIMEOUT_MS = 300
/** A node thaws by itself after its freeze could have been used, and so much. */
const LIMIT_SLACK_MS = 100

/** One call in so many is slow. */
const SLOW_CALLS = 4

/** What a cut has brought. */
export interface TakenCut {
  readonly startedAtMs: number
  readonly ended: CutOutput & { type: 'ended' }
  /** Of whoever is in the cut. */
  readonly snapshots: ReadonlyMap<NodeId, MemoryDisk>
}

export class SimCut {
  readonly #world: SimWorld
  readonly #number: number
  readonly #startedAtMs: number
  readonly #core: CutCore
  readonly #lives = new Map<NodeId, Life>()
  readonly #lastCallMs = new Map<NodeId, number>()
  readonly #snapshots = new Map<NodeId, MemoryDisk>()

  constructor(world: SimWorld, number: number) {
    this.#world = world
    this.#number = number
    this.#startedAtMs = world.nowMs
    const standbys = standbysOf(world.supervisor.table)
    const nodes = world.supervisor.views().flatMap(({ id, phase }) => {
      const life = world.nodes.get(id)?.life
      if (standbys.includes(id)) return []
      if (phase === 'up' && life !== undefined) this.#lives.set(id, life)
      return [{ id, phase, isUp: this.#lives.has(id) }]
    })
    const { config } = world.options
    const ownersNeeded = (table: typeof world.supervisor.table) => ownersNeededFor(table, config)
    const limits = { ownersNeeded, freezeTimeoutMs: FREEZE_TIMEOUT_MS, nowMs: world.nowMs }
    this.#core = new CutCore({ nodes, table: () => world.supervisor.table, ...limits })
    this.#start()
  }

  /** Looked at again when its times have come, whatever has happened by then. */
  #start(): void {
    this.#flush()
    for (const atMs of [FREEZE_TIMEOUT_MS / 2, FREEZE_TIMEOUT_MS])
      this.#world.at(this.#startedAtMs + atMs, () => {
        this.#core.onTime(this.#world.nowMs)
        this.#flush()
      })
  }

  #flush(): void {
    for (const output of this.#core.takeOutput()) this.#carryOut(output)
  }

  #carryOut(output: CutOutput): void {
    const world = this.#world
    if (output.type === 'ended') {
      const cut = { startedAtMs: this.#startedAtMs, ended: output, snapshots: this.#snapshots }
      for (const observer of world.watching.onCut) observer.onCut(cut, world)
      return
    }
    const { node: id } = output
    switch (output.type) {
      case 'freeze':
        return this.#call(id, (node, life) => {
          world.at(world.nowMs + FREEZE_TIMEOUT_MS + LIMIT_SLACK_MS, () => node.openGate(life, this.#number))
          node.closeGate(life, this.#number, () =>
            this.#answer(() => this.#core.onFrozen(id, life.gate.isClosedBy(this.#number), world.nowMs)),
          )
        })
      case 'snapshot':
        return this.#call(id, (node, life) => {
          const isTaken = life.gate.isClosedBy(this.#number)
          if (isTaken) this.#snapshots.set(id, node.disk.snapshot())
          node.openGate(life, this.#number)
          this.#answer(() => this.#core.onSnapshot(id, isTaken, 'it was not frozen long enough', world.nowMs))
        })
      case 'release':
        return this.#call(id, (node, life) => node.openGate(life, this.#number))
      default:
        output satisfies never
    }
  }

  /** On the thread of the node, once it does not hang and in the order of the calls; never if that thread has ended. */
  #call(id: NodeId, deed: (node: SimNode, life: Life) => void): void {
    const world = this.#world
    const attempt = (): void => {
      const node = world.nodes.get(id)
      const life = this.#lives.get(id)
      if (node === undefined || life === undefined || node.life !== life) return
      if (node.isFrozen()) return world.at(life.frozenUntilMs + 0.01, attempt)
      deed(node, life)
    }
    const atMs = Math.max(this.#lastCallMs.get(id) ?? 0, world.nowMs + this.#callMs())
    this.#lastCallMs.set(id, atMs)
    world.at(atMs, attempt)
  }

  /** Some calls wait behind a lot of other work. */
  #callMs(): number {
    return this.#world.drawMs(this.#world.chance.host.below(SLOW_CALLS) === 0 ? [0.05, 60] : [0.05, 0.5])
  }

  #answer(tell: () => void): void {
    this.#world.at(this.#world.nowMs + this.#callMs(), () => {
      tell()
      this.#flush()
    })
  }
}
