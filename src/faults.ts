/**
 * Faults on real threads: `cluster.faults`. Each resolves once it is in effect. Without `faults: true` every one rejects.
 */

import { setTimeout as delay } from 'node:timers/promises'
import { ControlError, type NodeControl } from '../actors/control.js'
import { nowMs } from '../actors/runtime/clock.js'
import type { SupervisorActor } from '../actors/supervisor.actor.js'
import type { NodeId } from './protocol/ids.js'
import { CoterieError } from './shared/errors.js'
import type { Failpoint } from './shared/failpoints.js'
import type { Faults, Ids } from './shared/fault-calls.js'
import { checkNames, checkWhole, invalid } from './shared/options.js'
import { StandingFaults } from './standing-faults.js'
import { damageStore, deleteStore } from './storage/damage.js'
import { nodeFolders } from './storage/layout.js'

const MS_MAX = 600_000
/** How long a thread may take to say that it is about to hang. */
const ANSWER_TIMEOUT_MS = 5_000
const LOOK_MS = 10

export class ThreadFaults implements Faults {
  readonly #supervisor: SupervisorActor
  readonly #location: string
  readonly #isAllowed: boolean
  readonly #isOpen: () => boolean
  readonly #standing: StandingFaults
  /** Changes of nodes' files that are under way; each is told to its own caller. */
  readonly #changing = new Map<NodeId, Promise<void>>()

  constructor(options: { supervisor: SupervisorActor; location: string; isAllowed: boolean; isOpen: () => boolean }) {
    this.#supervisor = options.supervisor
    this.#location = options.location
    this.#isAllowed = options.isAllowed
    this.#isOpen = options.isOpen
    this.#standing = new StandingFaults(options.supervisor)
  }

  async crash(node: NodeId, options: { permanent?: boolean } = {}): Promise<void> {
    const facts = this.#factsOf(node)
    checkNames(options, ['permanent'])
    const { permanent = false } = options
    if (typeof permanent !== 'boolean') throw invalid('permanent', permanent, 'true or false')
    if (permanent) this.#supervisor.giveUp(node)
    const { thread } = facts
    await thread?.terminate('a crash was injected')
    await thread?.ended
  }

  async hang(node: NodeId, ms: number): Promise<void> {
    await this.#onThread(node, ms, (control) => control.hang(ms, ANSWER_TIMEOUT_MS))
  }

  async pause(node: NodeId, ms: number): Promise<void> {
    await this.#onThread(node, ms, (control) => control.pause(ms, ANSWER_TIMEOUT_MS))
  }

  async wipe(node: NodeId): Promise<void> {
    await this.changeFiles(node, 'a wipe was injected', deleteStore)
  }

  async corrupt(node: NodeId): Promise<void> {
    await this.changeFiles(node, 'a corruption was injected', damageStore)
  }

  /**
   * Not of the public door: torture damages files by it. Ends the thread and changes its files: before the next thread opens them if one is spawned meanwhile, else now. Not
   * left to the next thread alone: a node that is down for good, or a cluster that closes, gets none.
   */
  async changeFiles(node: NodeId, reason: string, change: (folder: string) => Promise<void>): Promise<void> {
    const facts = this.#factsOf(node)
    const { store } = nodeFolders(this.#location, node)
    let changed: Promise<void> | undefined
    const changeOnce = (): Promise<void> => {
      // One change of a node's files after the other.
      const before = this.#changing.get(node) ?? Promise.resolve()
      changed ??= before.then(() => change(store))
      this.#changing.set(
        node,
        changed.catch(() => undefined),
      )
      return changed
    }
    const { thread } = facts
    facts.beforeSpawn = changeOnce
    await thread?.terminate(reason)
    await thread?.ended
    await changeOnce()
    if (facts.beforeSpawn === changeOnce) facts.beforeSpawn = undefined
  }

  async cut(idsA: Ids, idsB: Ids): Promise<void> {
    await this.#allowed().cut(idsA, idsB)
  }

  async cutOneWay(from: Ids, to: Ids): Promise<void> {
    await this.#allowed().cutOneWay(from, to)
  }

  async delay(from: Ids, to: Ids, options: { ms: number; jitterMs?: number }): Promise<void> {
    await this.#allowed().delay(from, to, options)
  }

  async drop(from: Ids, to: Ids, options: { share: number }): Promise<void> {
    await this.#allowed().drop(from, to, options)
  }

  async duplicate(from: Ids, to: Ids, options: { share: number }): Promise<void> {
    await this.#allowed().duplicate(from, to, options)
  }

  async reorder(from: Ids, to: Ids, options: { share: number; ms: number }): Promise<void> {
    await this.#allowed().reorder(from, to, options)
  }

  async slow(node: NodeId, options: { ms: number }): Promise<void> {
    await this.#allowed().slow(node, options)
  }

  async skewClock(node: NodeId, ms: number): Promise<void> {
    await this.#allowed().skewClock(node, ms)
  }

  async fillDisk(node: NodeId): Promise<void> {
    Atomics.store(new Int32Array(this.#factsOf(node).diskFilled), 0, 1)
  }

  async failpoint(node: NodeId, point: Failpoint, options: { nth?: number } = {}): Promise<void> {
    await this.#allowed().failpoint(node, point, options)
  }

  async heal(idsA?: Ids, idsB?: Ids): Promise<void> {
    if (idsA === undefined && idsB === undefined) return this.#healAll()
    await this.#allowed().healLinks(idsA ?? [], idsB ?? [])
  }

  async #healAll(): Promise<void> {
    this.#check()
    for (const { id } of this.#supervisor.nodes()) Atomics.store(new Int32Array(this.#factsOf(id).diskFilled), 0, 0)
    const over = this.#supervisor.faultsOver
    if (over === undefined) return
    const cell = new Int32Array(over)
    Atomics.store(cell, 0, 1)
    Atomics.notify(cell, 0)
    // After those that hang can hear of it.
    await this.#standing.clear()
  }

  /** A node that is being restarted is waited for: the fault is in effect when the promise resolves. */
  async #onThread(node: NodeId, ms: number, fault: (control: NodeControl) => Promise<void>): Promise<void> {
    const facts = this.#factsOf(node)
    checkWhole('ms', ms, 1, MS_MAX)
    this.#clearOver()
    const endMs = nowMs() + ANSWER_TIMEOUT_MS
    for (;;) {
      const phase = this.#supervisor.nodes().find(({ id }) => id === node)?.phase
      const { thread } = facts
      let cause: unknown
      if (phase === 'up' && thread?.node === node) {
        try {
          return await fault(thread.control)
        } catch (error) {
          if (!(error instanceof ControlError)) throw error
          cause = error
        }
      }
      this.#check()
      if (phase === 'down' || nowMs() >= endMs)
        throw new CoterieError('NODE_NOT_RUNNING', undefined, { node }, { cause })
      await delay(LOOK_MS)
    }
  }

  #factsOf(node: NodeId): NonNullable<ReturnType<SupervisorActor['factsOf']>> {
    this.#check()
    const facts = this.#supervisor.factsOf(node)
    if (facts === undefined) throw new CoterieError('UNKNOWN_NODE', `there is no node ${node}`, { node })
    return facts
  }

  #allowed(): StandingFaults {
    this.#check()
    return this.#standing
  }

  #check(): void {
    if (!this.#isAllowed) throw new CoterieError('FAULTS_DISABLED')
    if (!this.#isOpen()) throw new CoterieError('CLOSED')
  }

  /** A fault begins: an earlier `heal` is over. */
  #clearOver(): void {
    const over = this.#supervisor.faultsOver
    if (over !== undefined) Atomics.store(new Int32Array(over), 0, 0)
  }
}
