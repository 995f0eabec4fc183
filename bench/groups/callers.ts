/** One thread of callers and several, which Piscina runs and `connect` connects. */

import { openCluster } from '../../src/index.js'
import { startCallers } from '../callers/caller-threads.js'
import type { Figure } from '../figures.js'
import { type Measurement, measureInterleaved } from '../harness.js'
import type { Context } from '../run/context.js'
import { isWanted } from '../run/measure.js'
import { R1, R2 } from '../run/plans.js'
import { coterieSubject, loadCoterie, PATIENCE, type Quorum } from '../subjects/coterie.js'
import { makeData } from '../subjects/subject.js'
import { type CallName, callWorkload } from '../workloads.js'
import type { Group } from './group.js'

const name = 'callers'
const THREADS = [1, 2, 4]
const CALLS: readonly { readonly call: CallName; readonly quorum: Quorum }[] = [
  { call: 'get-64', quorum: R1 },
  { call: 'get-64', quorum: R2 },
  { call: 'get-many', quorum: R1 },
  { call: 'put-64', quorum: R2 },
]

export const CALLERS_GROUP: Group = {
  name,
  title: 'Threads that call',
  about:
    'Four nodes, three copies. The opener itself calls, or one, two or four threads of a Piscina pool by `cluster.ticket()` and `connect`; each with 64 gets or puts, or 8 calls of `getMany`, in flight. Each thread has a near cache of its own.',
  run: async (context) => {
    const data = makeData(context.records / 2, 100)
    const location = await context.folder()
    const cluster = await openCluster({ ...PATIENCE, location, nodes: 4, replication: { n: 3, r: 2, w: 2 } })
    const figures: Figure[] = []
    try {
      await loadCoterie(cluster, data)
      await cluster.settled()
      const pools = THREADS.map((threads) => ({
        threads,
        callers: startCallers(cluster.ticket(), data.records, threads),
      }))
      for (const { call, quorum } of CALLS.filter(({ call }) => isWanted(context, call))) {
        const opener = callWorkload(call).measurement(coterieSubject(cluster, data, quorum), data)
        const threaded = pools.map(
          ({ threads, callers }) => [labelOf(quorum, threads), callers.measurement(call, quorum)] as const,
        )
        const measurements = new Map([[`${quorum.name}, the opener`, opener] as const, ...threaded])
        figures.push(...(await measure(context, call, measurements)))
      }
      await Promise.all(pools.map(({ callers }) => callers.close()))
    } finally {
      await cluster.close()
    }
    return figures
  },
}

async function measure(
  context: Context,
  workload: string,
  measurements: ReadonlyMap<string, Measurement>,
): Promise<Figure[]> {
  const rates = await measureInterleaved(measurements, context.rounds)
  return [...rates].map(([subject, { rounds }]) => ({ group: name, workload, subject, unit: 'ops/s', rounds }))
}

function labelOf({ name: quorum }: Quorum, threads: number): string {
  return `${quorum}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`
}
