/** The program that is run on more cores and on fewer: a cluster, and calls for as long as it is told. See `pinned-programs.ts`. */

import { openCluster } from '../../src/index.js'
import { startCallers } from '../callers/caller-threads.js'
import type { Measurement } from '../harness.js'
import { coterieSubject, loadCoterie, PATIENCE, type Quorum } from '../subjects/coterie.js'
import { readAll } from '../subjects/read-all.js'
import { makeData } from '../subjects/subject.js'
import { type CallName, callWorkload } from '../workloads.js'

/** How it is started: one argument of JSON. */
export interface ProgramOptions {
  readonly location: string
  readonly nodes: number
  readonly n: number
  readonly records: number
  readonly quorum: Quorum
  /** Each of the calls is made by the opener and by so many threads. */
  readonly calls: readonly CallName[]
  readonly threads: number
}

/** What it is told; it answers with the operations that were done. */
export interface ProgramOrder {
  readonly call: CallName
  readonly callers: 'opener' | 'threads'
  readonly durationMs: number
}

const options = JSON.parse(process.argv[2] ?? '{}') as ProgramOptions
const { location, nodes, n, records, quorum, calls, threads } = options
// An orphan must not live on.
process.once('disconnect', () => process.exit(0))

const cluster = await openCluster({ ...PATIENCE, location, nodes, replication: { n, r: 1, w: Math.floor(n / 2) + 1 } })
const data = makeData(records, 100)
await loadCoterie(cluster, data)
await cluster.settled()
const subject = coterieSubject(cluster, data, quorum)
await readAll(subject, data)
const pool = startCallers(cluster.ticket(), records, threads)
const measurements = new Map<string, Measurement>(
  calls.flatMap((call) => [
    [`${call}|opener`, callWorkload(call).measurement(subject, data)] as const,
    [`${call}|threads`, pool.measurement(call, quorum)] as const,
  ]),
)

process.on('message', async (order: ProgramOrder | 'close') => {
  if (order === 'close') {
    await pool.close()
    await cluster.close()
    process.send?.(0, () => process.exit(0))
    return
  }
  const measure = measurements.get(`${order.call}|${order.callers}`)
  process.send?.((await measure?.(performance.now() + order.durationMs)) ?? 0)
})
process.send?.(0)
