/**
 * Faults on real threads: `cluster.faults`. Each resolves once it is in effect. Without `faults: true` every one rejects.
 */

import type { SupervisorActor } from '../actors/supervisor.actor.js'
import type { NodeId } from './protocol/ids.js'
import type { Faults } from './shared/api.js'
import { CoterieError } from './shared/errors.js'
import { checkWhole } from './shared/options.js'
import { damageStore, deleteStore } from './storage/damage.js'
import { nodeFolders } from './storage/layout.js'

const MS_MAX = 600_000
/** How long a thread may take to say that it is about to hang. */
const ANSWER_TIMEOUT_MS = 5_000

export class ThreadFaults implements Faults {
  readonly #supervisor: SupervisorActor
  readonly #location: string
  readonly #isAllowed: boolean
  readonly #isOpen: () => boolean

  constructor(options: { supervisor: SupervisorActor; location: string; isAllowed: boolean; isOpen: () => boolean }) {
    this.#supervisor = options.supervisor
    this.#location = options.location
    this.#isAllowed = options.isAllowed
    this.#isOpen = options.isOpen
  }

  async crash(node: NodeId, options: { permanent?: boolean } = {}): Promise<void> {
    const facts = this.#factsOf(node)
    if (options.permanent === true) this.#supervisor.giveUp(node)
    const { thread } = facts
    await thread?.terminate('a crash was injected')
    await thread?.ended
  }

  async hang(node: NodeId, ms: number): Promise<void> {
    const { thread } = this.#factsOf(node)
    checkWhole('ms', ms, 1, MS_MAX)
    this.#clearOver()
    if (thread?.node !== undefined) await thread.control.hang(ms, ANSWER_TIMEOUT_MS)
  }

  async pause(node: NodeId, ms: number): Promise<void> {
    const { thread } = this.#factsOf(node)
    checkWhole('ms', ms, 1, MS_MAX)
    this.#clearOver()
    if (thread?.node !== undefined) await thread.control.pause(ms, ANSWER_TIMEOUT_MS)
  }

  async wipe(node: NodeId): Promise<void> {
    await this.#changeFiles(node, deleteStore)
  }

  async corrupt(node: NodeId): Promise<void> {
    await this.#changeFiles(node, damageStore)
  }

  heal(): Promise<void> {
    return this.#heal()
  }

  async #heal(): Promise<void> {
    this.#check()
    const over = this.#supervisor.faultsOver
    if (over === undefined) return
    const cell = new Int32Array(over)
    Atomics.store(cell, 0, 1)
    Atomics.notify(cell, 0)
  }

  /**
   * Ends the thread and changes its files: before the next thread opens them if one is spawned meanwhile, else now. Not
   * left to the next thread alone: a node that is down for good, or a cluster that closes, gets none.
   */
  async #changeFiles(node: NodeId, change: (folder: string) => Promise<void>): Promise<void> {
    const facts = this.#factsOf(node)
    const { store } = nodeFolders(this.#location, node)
    let changed: Promise<void> | undefined
    const changeOnce = (): Promise<void> => {
      changed ??= change(store)
      return changed
    }
    const { thread } = facts
    facts.beforeSpawn = changeOnce
    await thread?.terminate('its files are about to be damaged')
    await thread?.ended
    await changeOnce()
    if (facts.beforeSpawn === changeOnce) facts.beforeSpawn = undefined
  }

  #factsOf(node: NodeId): NonNullable<ReturnType<SupervisorActor['factsOf']>> {
    this.#check()
    const facts = this.#supervisor.factsOf(node)
    if (facts === undefined) throw new CoterieError('UNKNOWN_NODE', `there is no node ${node}`, { node })
    return facts
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
