/**
 * `coterie bench`: a short load of puts, gets and scans, by a fixed number of callers, against a temporary cluster or a running one.
 *
 * What its figures say: a caller asks, waits for the answer, and asks again. So a cluster that stalls is asked less often, and the
 * percentiles show fewer of its bad moments than a load at a fixed rate would (coordinated omission); the longest and the
 * failures are there to tell. Against a running cluster each call goes through its socket, which costs more than the call; what the
 * calls took in the cluster stands beside it.
 */

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { accessCluster, type ClusterAccess, runningCluster } from '../access.js'
import type { BenchCommand } from '../commands.js'
import { StopSignals } from '../stop-signals.js'
import { count } from '../terminal/format.js'
import { stylerFor } from '../terminal/style.js'
import { sampleOf } from '../top/sample.js'
import { figureHeader, figureLine } from './figures.js'
import { drive, type Figures, type Operation } from './load.js'

const INTERRUPTED = 130
const SCAN_ROWS = 50
const BATCH = 500
/** Of the time of each kind, before it is measured. */
const WARM_UP_SHARE = 0.2

export async function benchCommand(command: BenchCommand): Promise<number> {
  const stop = new StopSignals()
  const temporary = command.location === undefined ? await mkdtemp(join(tmpdir(), 'coterie-bench-')) : undefined
  try {
    const cluster =
      temporary === undefined
        ? await runningCluster(command.location ?? '')
        : await accessCluster({ ...command.cluster, location: temporary }, { mayCreate: true })
    try {
      await measure(cluster, command, stop.signal)
    } finally {
      await cluster.close()
    }
    return stop.isRequested ? INTERRUPTED : 0
  } finally {
    stop.close()
    if (temporary !== undefined) await rm(temporary, { recursive: true, force: true })
  }
}

async function measure(cluster: ClusterAccess, command: BenchCommand, signal: AbortSignal): Promise<void> {
  const { keys, valueBytes, seconds, concurrency, json } = command
  // Keys of nobody else's, so that a running cluster's own stay as they are.
  const prefix = `coterie-bench:${randomBytes(6).toString('hex')}:`
  const value = randomBytes(valueBytes)
  const key = (number: number) => `${prefix}${String(number).padStart(9, '0')}`
  const any = () => key(Math.floor(Math.random() * keys))
  const kinds: Readonly<Record<'put' | 'get' | 'scan', Operation>> = {
    put: () => cluster.put(any(), value),
    get: () => cluster.get(any()),
    scan: async () => {
      for await (const _pair of cluster.scan({ gte: any(), lt: `${prefix}~`, limit: SCAN_ROWS }));
    },
  }
  if (!json) say(await headline(cluster, command))
  await inBatches(keys, (number) => ({ type: 'put', key: key(number), value }), cluster)
  try {
    if (!json) say(stylerFor(process.stdout)('dim', figureHeader))
    for (const [kind, operation] of Object.entries(kinds)) {
      if (signal.aborted) return
      await drive(operation, { concurrency, ms: seconds * WARM_UP_SHARE * 1_000, signal })
      const before = await cluster.metrics()
      const figures: Figures = await drive(operation, { concurrency, ms: seconds * 1_000, signal })
      const inside = sampleOf(before, await cluster.metrics()).requests[kind as keyof typeof kinds]
      const name = kind === 'scan' ? `scan ${SCAN_ROWS}` : kind
      say(
        json ? JSON.stringify({ kind, concurrency, ...figures, inCluster: inside }) : figureLine(name, figures, inside),
      )
    }
  } finally {
    if (cluster.isRemote) await inBatches(keys, (number) => ({ type: 'del', key: key(number) }), cluster)
  }
}

async function inBatches(
  keys: number,
  operationOf: (number: number) => Parameters<ClusterAccess['batch']>[0][number],
  cluster: ClusterAccess,
): Promise<void> {
  for (let from = 0; from < keys; from += BATCH) {
    const length = Math.min(BATCH, keys - from)
    await cluster.batch(Array.from({ length }, (_, index) => operationOf(from + index)))
  }
}

async function headline(cluster: ClusterAccess, { keys, valueBytes, concurrency }: BenchCommand): Promise<string> {
  const { nodes, replication } = await cluster.status()
  const { n, r, w } = replication
  const machine = `${cpus()[0]?.model.trim() ?? 'unknown CPU'}, ${availableParallelism()} threads, Node.js ${process.version}`
  const where = cluster.isRemote ? 'a running cluster, over its socket' : 'a temporary cluster in this process'
  return [
    `${where}: ${nodes.length} nodes, n=${n} r=${r} w=${w}; ${count(keys)} keys, values of ${count(valueBytes)} bytes, ${concurrency} callers`,
    machine,
  ].join('\n')
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
