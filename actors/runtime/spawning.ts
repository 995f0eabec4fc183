/**
 * From the order that a node is to live to a thread that opens its store: takes a spare, verifies the files, assigns.
 * Knows which node a thread has been taken for before the thread does. A part of `SupervisorActor`, called by nobody else.
 */

import type { Incarnation, NodeId } from '../../src/protocol/ids.js'
import type { SupervisorEffect } from '../../src/protocol/supervision/supervisor-events.js'
import { assignmentOf } from './assignment.js'
import { nowMs } from './clock.js'
import type { ClusterRecord } from './cluster-record.js'
import type { FaultRules } from './fault-rules.js'
import type { NodeFacts } from './node-facts.js'
import type { NodeThread, ThreadEnd } from './node-thread.js'
import { OpeningTurns } from './opening-turns.js'
import { SpareThreads } from './spare-threads.js'
import type { SupervisorOptions } from './supervisor-contract.js'
import { verifyFiles } from './verify-files.js'

type SpawnOrder = SupervisorEffect & { type: 'spawn' }

interface SpawningOptions {
  readonly options: SupervisorOptions
  readonly facts: ReadonlyMap<NodeId, NodeFacts>
  readonly record: ClusterRecord
  readonly newThread: () => NodeThread
  readonly isStopping: () => boolean
  /** For threads that are assigned now. */
  readonly faults: () => {
    readonly faultsOver: SharedArrayBuffer | undefined
    readonly faultRules: FaultRules | undefined
  }
  /** A life ended before it had a thread. */
  readonly onLifeEnded: (node: NodeId, incarnation: Incarnation, end: ThreadEnd) => void
}

export class Spawning {
  readonly spares: SpareThreads
  readonly #own: SpawningOptions
  readonly #turns = new OpeningTurns()
  /** Threads that were taken and are not assigned yet (their node's files are being verified). */
  readonly #pending = new Map<NodeThread, { readonly node: NodeId; readonly incarnation: Incarnation }>()

  constructor(own: SpawningOptions) {
    this.#own = own
    this.spares = new SpareThreads(own.newThread)
  }

  /** Of the life that a thread has been taken for, assigned or not. */
  incarnationOf(thread: NodeThread): Incarnation {
    return this.#pending.get(thread)?.incarnation ?? thread.incarnation
  }

  /** Whose thread has ended. */
  forget(thread: NodeThread): { readonly node: NodeId | undefined; readonly incarnation: Incarnation } {
    this.spares.forget(thread)
    const pending = this.#pending.get(thread)
    this.#pending.delete(thread)
    return { node: thread.node ?? pending?.node, incarnation: pending?.incarnation ?? thread.incarnation }
  }

  /** Never rejects: what fails is the end of that life. */
  async spawn(order: SpawnOrder): Promise<void> {
    try {
      await this.#spawn(order)
    } catch (error) {
      this.#onFailed(order, error)
    }
  }

  async #spawn({ node, incarnation, salvage }: SpawnOrder): Promise<void> {
    const { options, record, isStopping, faults } = this.#own
    const { config, protocol, pool } = options
    const facts = this.#own.facts.get(node)
    if (facts === undefined || isStopping()) return
    facts.spawnedAtMs = nowMs()
    facts.actor = null
    const { beforeSpawn } = facts
    const thread = this.spares.take()
    facts.thread = thread
    this.#pending.set(thread, { node, incarnation })
    await beforeSpawn?.()
    if (facts.beforeSpawn === beforeSpawn) facts.beforeSpawn = undefined
    const files = record.isCreation ? 'absent' : await verifyFiles(node, facts, config, pool)
    if (facts.opensAlone) await this.#turns.take(thread)
    facts.opensAlone = false
    if (isStopping() || facts.thread !== thread) return
    const order = [...this.#own.facts.keys()].indexOf(node)
    const identity = { node, incarnation, salvage, order, nodes: this.#own.facts.size }
    const store = { files, isCreation: record.isCreation, entry: record.entryOf(node) }
    const { gauges, view, diskFilled, writeMarks } = facts
    const marks = options.marks && { shared: options.marks.shared, own: writeMarks }
    const own = { clock: options.clock.shared, gauges: gauges.shared, view: view.shared, diskFilled, marks }
    this.#pending.delete(thread)
    thread.assign(assignmentOf({ config, protocol, ...identity, store, ...own, ...faults() }))
  }

  /** Its files could not be verified (too many are open, the pool's thread died), or no thread could be made: this life is over. */
  #onFailed({ node, incarnation }: SpawnOrder, reason: unknown): void {
    const facts = this.#own.facts.get(node)
    if (facts === undefined || this.#own.isStopping()) return
    const error = reason instanceof Error ? reason : new Error(String(reason))
    const { thread } = facts
    if (thread === undefined) {
      const end = { code: null, reason: `${error.name}: ${error.message}`, error }
      this.#own.onLifeEnded(node, incarnation, end)
    } else if (this.incarnationOf(thread) === incarnation) void thread.terminate('it could not be started', error)
  }
}
