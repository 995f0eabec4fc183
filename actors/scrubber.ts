/**
 * Verifies the tables of open stores in the background, node by node, slice by slice, at a bounded rate: damage at rest is found
 * while the other copies are there, and not when the last of them is needed.
 *
 * A node with damage is ended; its next life verifies everything, sets the store aside and is refilled. Where the other owners
 * are too few to refill it from (w = 1), it is only told: a store that reads most of its records is better than none.
 * Nothing is scrubbed while anything else is on its way, so that at most one node at a time is away for it.
 *
 * Called by `OpenCluster`.
 */

import { setTimeout as delay } from 'node:timers/promises'
import type { NodeId } from '../src/protocol/ids.js'
import type { ClusterConfig } from '../src/shared/options.js'
import { nodeFolders } from '../src/storage/layout.js'
import type { Problem } from '../src/storage/verify-store.js'
import type { Pool } from './pool.js'
import type { SupervisorActor } from './supervisor.actor.js'

/** Read at a stretch, more or less: a table of LevelDB's. */
const SLICE_BYTES = 2_097_152
/** How often it is looked whether the cluster is at rest. */
const LOOK_MS = 100

/** One node's tables, all of them or as far as it came. */
export interface NodeScrub {
  readonly node: NodeId
  readonly tables: number
  readonly bytes: number
  readonly problems: readonly Problem[]
  /** It could not be ended: the node was restarted meanwhile (opening verifies), or the system lacks something. */
  readonly error?: Error
}

export class Scrubber {
  readonly #supervisor: SupervisorActor
  readonly #pool: Pool
  readonly #config: ClusterConfig
  readonly #canRefill: boolean
  readonly #isAtRest: () => boolean
  readonly #onScrubbed: (scrub: NodeScrub) => void
  readonly #stopping = new AbortController()
  #running: Promise<void> | undefined

  constructor(options: {
    supervisor: SupervisorActor
    pool: Pool
    config: ClusterConfig
    /** Enough other owners hold what a node holds. */
    canRefill: boolean
    isAtRest: () => boolean
    onScrubbed: (scrub: NodeScrub) => void
  }) {
    this.#supervisor = options.supervisor
    this.#pool = options.pool
    this.#config = options.config
    this.#canRefill = options.canRefill
    this.#isAtRest = options.isAtRest
    this.#onScrubbed = options.onScrubbed
  }

  /** The first one begins after the interval: opening has just verified. Nothing with an interval of 0. */
  start(): void {
    if (this.#config.scrubIntervalMs > 0) this.#running ??= this.#run()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    for (;;) {
      await this.#pause(this.#config.scrubIntervalMs)
      for (const { id } of this.#supervisor.nodes()) {
        while (!this.#isStopped && !this.#isAtRest()) await this.#pause(LOOK_MS)
        if (this.#isStopped) return
        await this.#scrub(id)
      }
    }
  }

  async #scrub(node: NodeId): Promise<void> {
    const life = this.#lifeOf(node)
    if (life === undefined) return
    const { store } = nodeFolders(this.#config.location, node)
    const sum = { node, tables: 0, bytes: 0 }
    let problems: readonly Problem[] = []
    let error: Error | undefined
    try {
      for (let after: number | undefined = 0; after !== undefined && problems.length === 0; ) {
        const report = await this.#pool.scrubTables(store, { after, bytesMax: SLICE_BYTES })
        if (this.#isStopped) return
        // Another life has another store, maybe, and has verified it.
        if (this.#lifeOf(node) !== life) throw new Error(`${node} was restarted meanwhile`)
        sum.tables += report.tables
        sum.bytes += report.bytesRead
        problems = report.problems
        after = report.next
        await this.#pause((report.bytesRead / this.#config.scrubBytesPerSecond) * 1_000)
      }
    } catch (reason) {
      error = reason as Error
    }
    if (this.#isStopped) return
    const [first] = problems
    if (first !== undefined && this.#canRefill)
      this.#supervisor.suspect(node, `a scrub found ${first.file} damaged: ${first.detail}`)
    this.#onScrubbed({ ...sum, problems, ...(error === undefined ? {} : { error }) })
  }

  get #isStopped(): boolean {
    return this.#stopping.signal.aborted
  }

  /** Its number, while it serves. */
  #lifeOf(node: NodeId): number | undefined {
    const view = this.#supervisor.nodes().find(({ id }) => id === node)
    return view?.phase === 'up' ? view.incarnation : undefined
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#stopping
    // An abort ends the pause; whoever paused looks whether it was one.
    await delay(ms, undefined, { signal, ref: false }).catch(() => undefined)
  }
}
