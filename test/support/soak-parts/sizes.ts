/** What is too much, or very large: 200,000 puts towards a node that stands still (row 30), and the largest keys and values (row 31). */

import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import { type Cluster, openCluster } from '../../../src/index.js'
import { outcomeOf } from '../cluster.js'
import { newCounter, startWorkload } from '../workload.js'
import { brokenOf, memoryMb, type PartOptions, type PartReport } from './part.js'

const OFFERED = 200_000
const KIBIBYTE = 1_024
const MEBIBYTE = 1_048_576
const GROWN_MB_MAX = 50
const STALL_MS_MAX = 100
const HUGE_BYTES = 8 * MEBIBYTE
const HUGE_KEY_BYTES = 65_535

/** The node stands still after as much has been offered once before, so that caches and write buffers are filled. */
export async function soakFlood({ location }: PartOptions): Promise<PartReport> {
  const bytesInFlightMax = 8 * MEBIBYTE
  const bounds = { bytesInFlightMax, hungAfterMs: 60_000, writeTimeoutMs: 60_000 }
  const cluster = await openCluster({ location, nodes: 5, faults: true, ...bounds })
  try {
    await offer(cluster)
    await offer(cluster)
    await cluster.faults.pause('node1', 600_000)
    const before = memoryMb()
    const counts = await offer(cluster)
    const after = memoryMb()
    await cluster.faults.heal()
    const grown = after.rss - before.rss
    const text = [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(', ')
    const figures = [
      `${OFFERED} puts of 1 KiB with a node that stands still: ${text}`,
      `${before.rss.toFixed(0)} MB resident before, ${after.rss.toFixed(0)} after; held ${before.held.toFixed(1)} and ${after.held.toFixed(1)} MB`,
    ]
    const broken = grown < GROWN_MB_MAX ? [] : [`memory grew by ${grown.toFixed(0)} MB`]
    const others = [...counts.keys()].filter((outcome) => outcome !== 'ok' && outcome !== 'OVERLOADED')
    return { figures, broken: [...broken, ...others.map((outcome) => `some ended with ${outcome}`)] }
  } finally {
    await cluster.close()
  }
}

/** Puts that wait for nothing but a turn of the loop now and then. */
async function offer(cluster: Cluster): Promise<ReadonlyMap<string, number>> {
  const value = Buffer.alloc(KIBIBYTE, 'x')
  const counts = new Map<string, number>()
  const ends: Promise<void>[] = []
  for (let number = 0; number < OFFERED; number++) {
    const outcome = outcomeOf(cluster.put(`key ${number % 500}`, value))
    ends.push(outcome.then((code) => void counts.set(code, (counts.get(code) ?? 0) + 1)))
    if (number % 1_000 === 999) await turn()
  }
  await Promise.all(ends)
  return counts
}

/**
 * Puts and gets of 8 MiB under keys of 64 KiB, while others put and get as ever; before that as long without them, for how long the
 * loop stands still on this machine anyway.
 */
export async function soakHuge({ location, seconds, seed }: PartOptions): Promise<PartReport> {
  const cluster = await openCluster({ location, nodes: 5, faults: true })
  try {
    const workload = startWorkload(cluster, { callers: 4, seed, counter: newCounter(), requestsPerSecondMax: 400 })
    const phaseMs = Math.min(seconds, 40) * 500
    const loop = monitorEventLoopDelay({ resolution: 5 })
    loop.enable()
    await delay(phaseMs)
    const idleMs = loop.max / 1e6
    loop.reset()
    const { count, wrong } = await putAndGet(cluster, phaseMs)
    loop.disable()
    const longestMs = loop.max / 1e6
    const report = await workload.stop()
    const broken = brokenOf(report)
    if (wrong > 0) broken.push(`${wrong} values came back other than they were`)
    if (longestMs >= STALL_MS_MAX + idleMs) broken.push(`the event loop stood still for ${longestMs.toFixed(0)} ms`)
    const figures = [
      `${count} puts and gets of 8 MiB under keys of 65,535 bytes`,
      `longest turn of the caller's event loop ${longestMs.toFixed(0)} ms; without them ${idleMs.toFixed(0)} ms`,
      `${report.requests} small requests beside them, ${report.failures.length} failed`,
    ]
    return { figures, broken }
  } finally {
    await cluster.close()
  }
}

async function putAndGet(cluster: Cluster, forMs: number): Promise<{ count: number; wrong: number }> {
  const value = Buffer.alloc(HUGE_BYTES, 'h')
  const untilMs = performance.now() + forMs
  let count = 0
  let wrong = 0
  for (; performance.now() < untilMs; count++) {
    const key = `${count % 8}`.padEnd(HUGE_KEY_BYTES, 'k')
    await cluster.put(key, value, { timeoutMs: 30_000 })
    const read = await cluster.get(key, { timeoutMs: 30_000 })
    if (read === undefined || !value.equals(read)) wrong += 1
  }
  return { count, wrong }
}
