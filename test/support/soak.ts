/**
 * Callers at work while a node is crashed or hung every second, then the proof that nothing was lost: every node back, every
 * copy in its place, every key read from all its owners, every key's history linearizable. Measures stalls; judges nothing.
 *
 * Called by the keep-answering tests (a few seconds) and by `npm run soak` (a minute).
 */

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setInterval as ticks } from 'node:timers/promises'
import { type Cluster, openCluster } from '../../src/index.js'
import { Prng } from '../../src/protocol/prng.js'
import { checkLinearizability, type Violation } from '../../src/sim/checkers/linearizability.js'
import { startCallerThread } from './caller-thread.js'
import { copiesOf, eventOf } from './cluster.js'
import { History, now, operationsByKey } from './history.js'
import {
  type InjectedFault,
  type LatencySummary,
  longestStalls,
  type StallSummary,
  summarizeLatency,
  summarizeStalls,
} from './stalls.js'
import { newCounter, type RequestFailure, readBack, startWorkload, type Workload } from './workload.js'

const CALLERS = 16
const VALUE_BYTES = 100
const COPIES = 3

/** How to soak. */
export interface SoakOptions {
  readonly location: string
  readonly seconds: number
  readonly coordination: 'client' | 'server'
  /** Threads that the sixteen callers are divided over; 0: all in the opener's. */
  readonly callerThreads: number
  /** Of each thread that calls; default 0, so that every read asks nodes. */
  readonly nearCacheBytes?: number
  readonly seed: number
  readonly requestsPerSecondMax?: number
  readonly faultEveryMs?: number
  readonly onFault?: (fault: InjectedFault) => void
}

/** What happened. */
export interface SoakReport {
  readonly requests: number
  readonly failures: readonly RequestFailure[]
  readonly faults: readonly InjectedFault[]
  readonly stalls: readonly StallSummary[]
  readonly latency: LatencySummary
  /** Longest turn of this thread's own event loop: what of a stall is the caller's own. */
  readonly loopDelayMsMax: number
  readonly keys: number
  readonly violations: readonly Violation[]
  /** From the last fault until the cluster said it had settled. */
  readonly settledMs: number
  /** Copies in the stores and live keys read back: the first is three times the second at full replication. */
  readonly copies: number
  readonly liveKeys: number
  /** Nodes that are not up, or own partitions that are still being filled. */
  readonly nodesNotBack: readonly string[]
  readonly restarts: number
  /** Reads that asked no node. */
  readonly nearCacheHits: number
}

/** Opens a cluster, soaks it, verifies it and closes it. */
export async function soak(options: SoakOptions): Promise<SoakReport> {
  const { location, coordination, nearCacheBytes = 0 } = options
  const replication = { n: COPIES, r: 2, w: 2 }
  const cluster = await openCluster({
    location,
    nodes: 5,
    replication,
    coordination,
    nearCacheBytes,
    faults: true,
  })
  try {
    return await soakOpened(cluster, options)
  } finally {
    await cluster.close()
  }
}

async function soakOpened(cluster: Cluster, options: SoakOptions): Promise<SoakReport> {
  const loopDelay = monitorEventLoopDelay({ resolution: 5 })
  const workloads = await startCallers(cluster, options)
  loopDelay.enable()
  const faults = await injectFaults(cluster, options)
  loopDelay.disable()
  const settledFrom = now()
  const reports = await Promise.all(workloads.map((workload) => workload.stop()))
  await cluster.settled({ timeoutMs: 30_000 })
  const settledMs = (now() - settledFrom) / 1e6
  const copies = copiesOf(cluster)
  const { nearCacheHits } = cluster.metrics()
  const histories = reports.map((report) => report.history)
  const readBack = await readAllBack(cluster, histories)
  const { nodes } = cluster.status()
  return {
    requests: reports.reduce((sum, report) => sum + report.requests, 0),
    failures: reports.flatMap((report) => report.failures),
    faults,
    stalls: summarizeStalls(longestStalls(allRows(histories), faults)),
    latency: summarizeLatency(allRows(histories)),
    loopDelayMsMax: loopDelay.max / 1e6,
    ...checkAll([...histories, readBack]),
    settledMs,
    copies,
    liveKeys: [...readBack.rows()].filter((row) => row.value !== -1).length,
    nodesNotBack: nodes.filter((node) => node.status !== 'up' || node.pending > 0).map((node) => node.id),
    restarts: nodes.reduce((sum, node) => sum + node.restarts, 0),
    nearCacheHits,
  }
}

async function startCallers(cluster: Cluster, options: SoakOptions): Promise<Workload[]> {
  const threads = Math.max(1, options.callerThreads)
  const workload = {
    callers: CALLERS / threads,
    counter: newCounter(),
    valueBytes: VALUE_BYTES,
    requestsPerSecondMax: (options.requestsPerSecondMax ?? 0) / threads,
  }
  if (options.callerThreads === 0) return [startWorkload(cluster, { ...workload, seed: options.seed })]
  const seeds = Array.from({ length: threads }, (_, index) => options.seed + index)
  const ticket = cluster.ticket()
  return Promise.all(seeds.map((seed) => startCallerThread({ ticket, workload: { ...workload, seed } })))
}

/** By turns a crash and a hang, each on a node that is up and was not hit by the two before. */
async function injectFaults(cluster: Cluster, options: SoakOptions): Promise<InjectedFault[]> {
  const prng = new Prng(options.seed)
  const faults: InjectedFault[] = []
  const faultEveryMs = options.faultEveryMs ?? 1_000
  const count = Math.max(2, Math.floor((options.seconds * 1_000) / faultEveryMs))
  for await (const _ of ticks(faultEveryMs)) {
    if (faults.length === count) break
    const kind = faults.length % 2 === 0 ? 'crash' : 'hang'
    const fault = { kind, node: await chooseNode(cluster, prng, faults), injectedAt: now() }
    faults.push(fault)
    options.onFault?.(fault)
    if (kind === 'crash') await cluster.faults.crash(fault.node)
    else await cluster.faults.hang(fault.node, prng.pick([500, 600_000]) ?? 500)
  }
  return faults
}

async function chooseNode(cluster: Cluster, prng: Prng, faults: readonly InjectedFault[]): Promise<string> {
  const spared = faults.slice(-2).map((fault) => fault.node)
  for (;;) {
    const up = cluster.status().nodes.filter((node) => node.status === 'up' && !spared.includes(node.id))
    const node = prng.pick(up)
    if (node !== undefined) return node.id
    await eventOf(cluster, 'node:up')
  }
}

/** Reads every key that was ever used from all of its owners, as operations of the same history. */
async function readAllBack(cluster: Cluster, histories: readonly History[]): Promise<History> {
  const keys = new Set<number>()
  for (const row of allRows(histories)) keys.add(row.key)
  const history = new History()
  const getOptions = { r: COPIES, timeoutMs: 10_000 }
  await readBack(cluster, [...keys], { history, valueBytes: VALUE_BYTES, getOptions })
  return history
}

function* allRows(histories: readonly History[]) {
  for (const history of histories) yield* history.rows()
}

function checkAll(histories: readonly History[]): { keys: number; violations: Violation[] } {
  const violations: Violation[] = []
  let keys = 0
  for (const operations of operationsByKey(histories)) {
    keys += 1
    violations.push(...checkLinearizability(operations).violations)
  }
  return { keys, violations }
}

/** Lines for a person. */
export function describeSoak(report: SoakReport): string[] {
  const { latency, requests, failures, faults, keys, violations, settledMs, restarts, loopDelayMsMax } = report
  const ms = (value: number) => `${value.toFixed(1)} ms`
  return [
    `${requests} requests, ${report.nearCacheHits} of them asked no node, ${failures.length} failed; ${faults.length} faults, ${restarts} restarts`,
    `latency p50 ${ms(latency.p50)}, p99 ${ms(latency.p99)}, p99.9 ${ms(latency.p999)}, max ${ms(latency.max)}`,
    ...report.stalls.map(
      ({ faultKind, faults: count, longestMsMedian, longestMsMax }) =>
        `longest stall after ${faultKind} (${count} times): median ${ms(longestMsMedian)}, max ${ms(longestMsMax)}`,
    ),
    `longest turn of the opener's own event loop: ${ms(loopDelayMsMax)}`,
    `${keys} keys, ${violations.length} not linearizable; settled after ${ms(settledMs)}`,
    `${report.copies} copies of ${report.liveKeys} live keys; nodes not back: ${report.nodesNotBack.join(', ') || 'none'}`,
  ]
}
