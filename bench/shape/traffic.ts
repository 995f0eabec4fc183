/**
 * Callers that never stop, each with one request at a time: half gets of any key, half puts of its own keys. Every answer is judged by
 * the ledger, every latency is counted.
 */

import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import type { KeyValueStore } from '../../src/index.js'
import { makeChance } from '../harness.js'
import type { Ledger } from './ledger.js'

/** What a stretch of time looked like to the callers. Latencies in milliseconds. */
export interface Stretch {
  readonly requests: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

const FAILURES_KEPT = 5

export class Traffic {
  failed = 0
  /** Reads that showed what had been overwritten, or what nobody wrote. */
  unsound = 0
  /** The first few. */
  readonly failures: unknown[] = []
  readonly #store: KeyValueStore
  readonly #ledger: Ledger
  readonly #callers: number
  readonly #stretches = new Set<RecordableHistogram>()
  readonly #running: Promise<unknown>
  #stopping = false

  /** Begins at once. */
  constructor(store: KeyValueStore, ledger: Ledger, callers: number) {
    this.#store = store
    this.#ledger = ledger
    this.#callers = callers
    this.#running = Promise.all(Array.from({ length: callers }, (_, caller) => this.#call(caller)))
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#running
  }

  /** Counts every request that ends from now until it is called. */
  measure(): () => Stretch {
    const latencies = createHistogram()
    this.#stretches.add(latencies)
    return () => {
      this.#stretches.delete(latencies)
      const ms = (ns: number) => (latencies.count === 0 ? 0 : ns / 1e6)
      const [p50Ms, p99Ms] = [ms(latencies.percentile(50)), ms(latencies.percentile(99))]
      return { requests: latencies.count, p50Ms, p99Ms, maxMs: ms(latencies.max) }
    }
  }

  async #call(caller: number): Promise<void> {
    const chance = makeChance(caller + 1)
    const { count } = this.#ledger
    const own = Math.floor((count - caller - 1) / this.#callers) + 1
    while (!this.#stopping) {
      const beganMs = performance.now()
      try {
        if (chance() < 0.5) await this.#get(Math.floor(chance() * count))
        else await this.#put(caller + Math.floor(chance() * own) * this.#callers)
      } catch (error) {
        this.failed += 1
        if (this.failures.length < FAILURES_KEPT) this.failures.push(error)
      }
      const latencyNs = Math.max(1, Math.round((performance.now() - beganMs) * 1e6))
      for (const latencies of this.#stretches) latencies.record(latencyNs)
    }
  }

  async #get(index: number): Promise<void> {
    const from = this.#ledger.acknowledged(index)
    const seen = await this.#store.get(this.#ledger.key(index))
    if (this.#ledger.judge(index, seen, from) !== 'right') this.unsound += 1
  }

  async #put(index: number): Promise<void> {
    const version = this.#ledger.send(index)
    await this.#store.put(this.#ledger.key(index), this.#ledger.value(index, version))
    this.#ledger.acknowledge(index, version)
  }
}
