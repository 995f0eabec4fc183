/** Throughput against the number of nodes, each size open alone, and the universal scalability law through it. */

import { type ClusterOptions, openCluster } from '../../src/index.js'
import { startCallers } from '../callers/caller-threads.js'
import type { Figure } from '../figures.js'
import { type Measurement, measureInterleaved, runCalls, summarize } from '../harness.js'
import type { Context } from '../run/context.js'
import { isWanted } from '../run/measure.js'
import { NO_NEAR_CACHE } from '../run/plans.js'
import { coterieSubject, loadCoterie, PATIENCE } from '../subjects/coterie.js'
import { type Data, makeData } from '../subjects/subject.js'
import { callWorkload } from '../workloads.js'
import { makeChooser } from '../ycsb/distributions.js'
import { fitScalingLaw } from './universal-scalability.js'

const SLOW_MS = 5
const IN_FLIGHT_PER_NODE = 16
const THREADS = 2
const QUORUM = { name: 'Coterie r=1', r: 1, w: 1 }

/** A series: the same measured at growing sizes. */
interface Series {
  readonly name: string
  readonly sizes: readonly number[]
  options(nodes: number): Omit<ClusterOptions, 'location'>
  /** What is measured of an open cluster, by the name of its subject. */
  measurements(input: OpenCluster): ReadonlyMap<string, Measurement>
  prepare?(cluster: OpenCluster['cluster']): Promise<void>
}

interface OpenCluster {
  readonly cluster: Awaited<ReturnType<typeof openCluster>>
  readonly nodes: number
  readonly data: Data
  readonly byThreads: Measurement
}

const byCalls: Series['measurements'] = ({ cluster, data, byThreads }) => {
  const subject = coterieSubject(cluster, data, QUORUM)
  return new Map([
    ['get-64', callWorkload('get-64').measurement(subject, data)],
    ['getMany(100) ×8', callWorkload('get-many').measurement(subject, data)],
    [`get-64 in ${THREADS} threads`, byThreads],
  ])
}

const SERIES: readonly Series[] = [
  {
    name: 'shared',
    sizes: [1, 2, 4, 8],
    options: () => ({ replication: { n: 1, r: 1, w: 1 } }),
    measurements: byCalls,
  },
  {
    name: 'replicas',
    sizes: [1, 2, 4, 8],
    options: () => ({ replication: { n: 'all', r: 1, w: 1 } }),
    measurements: byCalls,
  },
  {
    name: 'slow stores',
    sizes: [1, 2, 4, 8, 16],
    options: () => ({ replication: { n: 1, r: 1, w: 1 }, faults: true }),
    prepare: async (cluster) => {
      for (const { id } of cluster.status().nodes) await cluster.faults.slow(id, { ms: SLOW_MS })
    },
    measurements: ({ cluster, nodes, data }) => {
      const subject = coterieSubject(cluster, data, QUORUM)
      const chooser = makeChooser('uniform', data.records, 1)
      const get = () => subject.get(data.keyOf(chooser.next(data.records)))
      return new Map([
        [`get, ${IN_FLIGHT_PER_NODE} a node`, (until: number) => runCalls(until, nodes * IN_FLIGHT_PER_NODE, get)],
      ])
    },
  },
]

/** Figures of every series and size, and of each law its σ, κ and what one more node at the end is worth. */
export async function measureClusterSizes(context: Context, group: string): Promise<Figure[]> {
  const data = makeData(context.records / 4, 100)
  const figures: Figure[] = []
  for (const series of SERIES.filter(({ name }) => isWanted(context, name))) {
    const own: SizedFigure[] = []
    for (const nodes of series.sizes) own.push(...(await measureSize(context, { group, series, nodes, data })))
    figures.push(...own.map(({ figure }) => figure), ...lawFigures(group, series.name, own))
  }
  return figures
}

interface SizedFigure {
  readonly nodes: number
  readonly figure: Figure
}

async function measureSize(
  context: Context,
  input: { readonly group: string; readonly series: Series; readonly nodes: number; readonly data: Data },
): Promise<SizedFigure[]> {
  const { group, series, nodes, data } = input
  const cluster = await openCluster({
    ...PATIENCE,
    ...NO_NEAR_CACHE,
    location: await context.folder(),
    nodes,
    ...series.options(nodes),
  })
  const callers = startCallers(cluster.ticket(), data.records, THREADS)
  try {
    await loadCoterie(cluster, data)
    await cluster.settled()
    await series.prepare?.(cluster)
    const byThreads = callers.measurement('get-64', QUORUM)
    const rates = await measureInterleaved(series.measurements({ cluster, nodes, data, byThreads }), context.rounds)
    return [...rates].map(([subject, { rounds }]) => {
      const workload = `${series.name}, ${nodes} ${nodes === 1 ? 'node' : 'nodes'}`
      return { nodes, figure: { group, workload, subject: `Coterie, ${subject}`, unit: 'ops/s', rounds } }
    })
  } finally {
    await callers.close()
    await cluster.close()
  }
}

function lawFigures(group: string, series: string, sized: readonly SizedFigure[]): Figure[] {
  const subjects = [...new Set(sized.map(({ figure }) => figure.subject))]
  return subjects.flatMap((subject) => {
    const points = sized
      .filter(({ figure }) => figure.subject === subject)
      .map(({ nodes, figure }) => ({ size: nodes, throughput: summarize(figure.rounds).median }))
    const law = fitScalingLaw(points)
    const figure = (what: string, value: number): Figure => ({
      ...{ group, workload: `${series}, law: ${what}`, subject, unit: 'x', rounds: [value] },
    })
    return [figure('σ', law.sigma), figure('κ', law.kappa), figure('R²', law.determination)]
  })
}
