/** One node's disk, then its links, are slower: what that costs the others' callers, against the healthy round before. Row 17. */

import { setTimeout as delay } from 'node:timers/promises'
import { type Cluster, openCluster } from '../../../src/index.js'
import { nodeIds } from '../cluster.js'
import { now } from '../history.js'
import { summarizeLatency } from '../stalls.js'
import { newCounter, startWorkload } from '../workload.js'
import { brokenOf, type PartOptions, type PartReport } from './part.js'

const LOAD = { callers: 16, requestsPerSecondMax: 2_000 }
/** p99 of gets, puts and deletes together, against the healthy round. */
const TIMES_MAX = 2
const NODE = 'node1'

const FAULTS: readonly (readonly [string, (cluster: Cluster) => Promise<void>])[] = [
  ['disk +50 ms', (cluster) => cluster.faults.slow(NODE, { ms: 50 })],
  ['disk +500 ms', (cluster) => cluster.faults.slow(NODE, { ms: 500 })],
  ['links +50 ms', (cluster) => slowLinks(cluster, 50)],
  ['links +500 ms', (cluster) => slowLinks(cluster, 500)],
]

/** What was begun from one time to the other, in ns of the shared clock. */
interface Round {
  readonly name: string
  readonly healthyFrom: number
  readonly slowFrom: number
  readonly to: number
}

export async function soakSlow({ location, seconds, seed }: PartOptions): Promise<PartReport> {
  const cluster = await openCluster({ location, nodes: 5, faults: true })
  try {
    const roundMs = (seconds * 1_000) / (FAULTS.length * 2)
    const workload = startWorkload(cluster, { ...LOAD, seed, counter: newCounter() })
    await delay(roundMs)
    const rounds: Round[] = []
    for (const [name, begin] of FAULTS) {
      const healthyFrom = now()
      await delay(roundMs)
      await begin(cluster)
      const slowFrom = now()
      await delay(roundMs)
      rounds.push({ name, healthyFrom, slowFrom, to: now() })
      await cluster.faults.heal()
      await cluster.settled({ timeoutMs: 60_000 })
    }
    const restarts = cluster.status().nodes.reduce((sum, node) => sum + node.restarts, 0)
    const report = await workload.stop()
    const rows = [...report.history.rows()]
    const p99Of = (from: number, to: number): number =>
      summarizeLatency(rows.filter(({ invokedAt }) => invokedAt >= from && invokedAt < to)).p99
    const broken = [...brokenOf(report), ...(restarts === 0 ? [] : [`${restarts} nodes were ended for it`])]
    const figures = rounds.map(({ name, healthyFrom, slowFrom, to }) => {
      const [healthy, slow] = [p99Of(healthyFrom, slowFrom), p99Of(slowFrom, to)]
      const times = slow / healthy
      if (times >= TIMES_MAX) broken.push(`${name}: ${times.toFixed(2)} times the p99`)
      return `${name}: p99 ${slow.toFixed(1)} ms, before that ${healthy.toFixed(1)} ms: ${times.toFixed(2)} times`
    })
    return { figures, broken }
  } finally {
    await cluster.close()
  }
}

async function slowLinks(cluster: Cluster, ms: number): Promise<void> {
  const others = [cluster.id, ...nodeIds(cluster).filter((id) => id !== NODE)]
  await cluster.faults.delay(NODE, others, { ms: ms / 2, jitterMs: ms / 2 })
  await cluster.faults.delay(others, NODE, { ms: ms / 2, jitterMs: ms / 2 })
}
