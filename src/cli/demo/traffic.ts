/**
 * Sixteen callers, each with one request at a time: half reads of any record, half writes of its own records. Every answer is
 * judged by the ledger, every latency is counted.
 */

import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import type { Cluster } from '../../shared/api.js'
import type { Cities } from './cities.js'
import type { Ledger, Verdict } from './ledger.js'

/** What one span of time looked like to the callers. */
export interface Span {
  readonly requests: number
  readonly failed: number
  readonly medianMs: number
  readonly p99Ms: number
  /** The longest that any caller waited for an answer. */
  readonly stallMs: number
}

/** Writes prefer few records, so that records gather versions and deletes. */
const HOT_RECORDS_PER_CALLER = 500
const HOT_SHARE = 0.5
const FAILURES_KEPT = 5

export class Traffic {
  readonly verdicts: Record<Verdict, number> = { right: 0, stale: 0, wrong: 0 }
  /** The first few, for the report. */
  readonly failures: unknown[] = []
  readonly #cluster: Cluster
  readonly #cities: Cities
  readonly #ledger: Ledger
  readonly #callers: number
  readonly #spans = new Set<OpenSpan>()
  #running: Promise<unknown> | undefined
  #stopping = false

  constructor(cluster: Cluster, cities: Cities, ledger: Ledger, callers: number) {
    this.#cluster = cluster
    this.#cities = cities
    this.#ledger = ledger
    this.#callers = callers
  }

  start(): void {
    const callers = Array.from({ length: this.#callers }, (_, caller) => this.#call(caller))
    this.#running = Promise.all(callers)
  }

  async stop(): Promise<void> {
    this.#stopping = true
    await this.#running
  }

  /** Counts from now until it is called. Spans may overlap: seconds, and the time around a fault. */
  measure(): () => Span {
    const span: OpenSpan = { histogram: createHistogram(), failed: 0 }
    this.#spans.add(span)
    return () => {
      this.#spans.delete(span)
      return toSpan(span)
    }
  }

  async #call(caller: number): Promise<void> {
    while (!this.#stopping) {
      const started = performance.now()
      let failed = false
      try {
        if (Math.random() < 0.5) await this.#read(Math.floor(Math.random() * this.#cities.count))
        else await this.#write(this.#ownRecord(caller))
      } catch (error) {
        failed = true
        if (this.failures.length < FAILURES_KEPT) this.failures.push(error)
      }
      const latencyNs = Math.max(1, Math.round((performance.now() - started) * 1e6))
      for (const span of this.#spans) {
        span.histogram.record(latencyNs)
        if (failed) span.failed += 1
      }
    }
  }

  async #read(index: number): Promise<void> {
    const from = this.#ledger.acknowledged(index)
    const value = await this.#cluster.get(this.#cities.key(index))
    this.verdicts[this.#ledger.judge(index, asText(value), from)] += 1
  }

  async #write(index: number): Promise<void> {
    const { version, value } = this.#ledger.send(index)
    if (value === undefined) await this.#cluster.delete(this.#cities.key(index))
    else await this.#cluster.put(this.#cities.key(index), value)
    this.#ledger.acknowledge(index, version)
  }

  /** A caller owns every sixteenth record: then it alone knows what comes after what. */
  #ownRecord(caller: number): number {
    const owned = Math.floor((this.#cities.count - caller - 1) / this.#callers) + 1
    const among = Math.random() < HOT_SHARE ? Math.min(HOT_RECORDS_PER_CALLER, owned) : owned
    return caller + Math.floor(Math.random() * among) * this.#callers
  }
}

interface OpenSpan {
  readonly histogram: RecordableHistogram
  failed: number
}

function toSpan({ histogram, failed }: OpenSpan): Span {
  const empty = histogram.count === 0
  const ms = (ns: number) => (empty ? 0 : ns / 1e6)
  return {
    requests: histogram.count,
    failed,
    medianMs: ms(histogram.percentile(50)),
    p99Ms: ms(histogram.percentile(99)),
    stallMs: ms(histogram.max),
  }
}

export function asText(value: Uint8Array | undefined): string | undefined {
  return value === undefined
    ? undefined
    : Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8')
}
