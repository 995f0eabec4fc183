/** Nodes that die all the time: a storm that leaks nothing (row 25), and a rolling restart under load that fails nothing (row 26). */

import { setInterval as ticks } from 'node:timers/promises'
import { type Cluster, openCluster } from '../../../src/index.js'
import { copiesOf, eventOf, loadRecords, nodeIds, nodeOf, wrongRecords } from '../cluster.js'
import { newCounter, startWorkload } from '../workload.js'
import { brokenOf, memoryMb, type PartOptions, type PartReport } from './part.js'

const STORM_EVERY_MS = 200
const STORM_RECORDS = 2_000
/** Of what is held after a third of the storm. The resident size is only told: the allocator keeps what threads have freed. */
const HELD_TIMES_MAX = 1.1
const ROLLING_CRASHES = 100
const ROLLING_EVERY_MS = 1_000

/** Every 200 ms the next node in turn: with six each has lived for more than a second, so that nobody is given up. */
export async function soakStorm({ location, seconds }: PartOptions): Promise<PartReport> {
  const cluster = await openCluster({ location, nodes: 6, faults: true, restartsMax: 1_000 })
  const figures: string[] = []
  const broken: string[] = []
  try {
    const records = await loadRecords(cluster, STORM_RECORDS)
    const crashes = Math.floor((seconds * 1_000) / STORM_EVERY_MS)
    const held: number[] = []
    for (let third = 1; third <= 3; third++) {
      await crashInTurn(cluster, Math.floor(crashes / 3), STORM_EVERY_MS)
      await cluster.settled({ timeoutMs: 60_000 })
      const memory = memoryMb()
      held.push(memory.held)
      const restarts = restartsOf(cluster)
      figures.push(
        `after ${restarts} restarts: ${memory.rss.toFixed(0)} MB resident, ${memory.held.toFixed(1)} MB held`,
      )
    }
    const times = (held.at(-1) ?? 0) / (held[0] ?? 1)
    if (times > HELD_TIMES_MAX) broken.push(`what is held grew ${times.toFixed(2)} times`)
    const wrong = await wrongRecords(cluster, records, { r: 3, timeoutMs: 10_000 })
    if (wrong.length > 0) broken.push(`${wrong.length} records are lost or wrong`)
    if (copiesOf(cluster) !== 3 * STORM_RECORDS) broken.push(`${copiesOf(cluster)} copies of ${STORM_RECORDS} records`)
  } finally {
    await cluster.close()
  }
  return { figures, broken }
}

/** A node a second, a hundred times, whatever is asked for as the length. */
export async function soakRolling({ location, seed }: PartOptions): Promise<PartReport> {
  const cluster = await openCluster({ location, nodes: 5, faults: true, restartsMax: 1_000 })
  try {
    const load = { callers: 16, seed, counter: newCounter(), requestsPerSecondMax: 2_000 }
    const workload = startWorkload(cluster, load)
    await crashInTurn(cluster, ROLLING_CRASHES, ROLLING_EVERY_MS)
    const report = await workload.stop()
    await cluster.settled({ timeoutMs: 60_000 })
    const figures = [`${restartsOf(cluster)} restarts, ${report.requests} requests, ${report.failures.length} failed`]
    return { figures, broken: brokenOf(report) }
  } finally {
    await cluster.close()
  }
}

async function crashInTurn(cluster: Cluster, count: number, everyMs: number): Promise<void> {
  const ids = nodeIds(cluster)
  let crashes = 0
  for await (const _ of ticks(everyMs)) {
    if (crashes === count) return
    const id = ids[crashes % ids.length] ?? ''
    // One that is not back yet is waited for: it is to die under way, not before it lives.
    if (nodeOf(cluster, id).status !== 'up') await eventOf(cluster, 'node:up', ({ node }) => node === id)
    await cluster.faults.crash(id)
    crashes += 1
  }
}

function restartsOf(cluster: Cluster): number {
  return cluster.status().nodes.reduce((sum, node) => sum + node.restarts, 0)
}
