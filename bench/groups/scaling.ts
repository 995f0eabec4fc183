/**
 * Do reads scale? The same program on two cores and pinned to one; nodes that share the records and nodes that each have all of them; and
 * nodes whose stores are slow, so that cores are not the limit. Also by itself: `npm run bench:read-scaling`.
 */

import { availableParallelism } from 'node:os'
import type { Figure } from '../figures.js'
import { measureInterleaved } from '../harness.js'
import type { Context } from '../run/context.js'
import { isWanted } from '../run/measure.js'
import { R1 } from '../run/plans.js'
import { measureClusterSizes } from '../scaling/cluster-sizes.js'
import { type Program, startProgram } from '../scaling/pinned-programs.js'
import { PeerMissing } from '../subjects/subject.js'
import type { Group } from './group.js'

export const SCALING = 'scaling'
const NODES = 4
const CORES = 2
const THREADS = 2
const CALLS = ['get-64', 'get-many'] as const
const CALLERS = ['opener', 'threads'] as const

export const SCALING_GROUP: Group = {
  name: SCALING,
  title: 'Read scaling',
  about: `r=1. _two-cores-to-one_: four nodes, three copies; two processes of the same program, one on two cores and one on one (\`taskset\`), in turn; _efficiency_: of that, what two perfect cores would give. Called by the opener, or by ${THREADS} threads through \`connect\`. _shared_: n=1, a node more takes its share of the records. _replicas_: n: 'all', a node more is a copy more. _slow stores_: each read takes 5 ms longer (\`faults.slow\`), 16 gets in flight for each node. Near caches are there in the first alone.`,
  run: async (context) => [...(await measurePinned(context)), ...(await measureClusterSizes(context, SCALING))],
}

async function measurePinned(context: Context): Promise<Figure[]> {
  if (!isWanted(context, 'two-cores-to-one')) return []
  if (availableParallelism() < CORES) {
    context.missing.set('read scaling over cores', 'this machine has one core')
    return []
  }
  const options = { nodes: NODES, n: 3, records: context.records / 2, quorum: R1, calls: CALLS, threads: THREADS }
  const programs: Program[] = []
  try {
    for (const cores of ['0,1', '0'])
      programs.push(await startProgram(cores, { ...options, location: await context.folder() }))
    const [onTwo, onOne] = programs
    return onTwo === undefined || onOne === undefined ? [] : await compare(context, onTwo, onOne)
  } catch (error) {
    if (!(error instanceof PeerMissing)) throw error
    context.missing.set('read scaling over cores', error.message)
    return []
  } finally {
    for (const program of programs) await program.close()
  }
}

async function compare(context: Context, onTwo: Program, onOne: Program): Promise<Figure[]> {
  const figures: Figure[] = []
  const figure = (workload: string, subject: string, unit: Figure['unit'], rounds: readonly number[]) =>
    figures.push({ group: SCALING, workload, subject, unit, rounds })
  for (const call of CALLS)
    for (const callers of CALLERS) {
      const both = new Map([
        ['one core', onOne.measurement({ call, callers })],
        ['two cores', onTwo.measurement({ call, callers })],
      ])
      const rates = await measureInterleaved(both, context.rounds)
      const label = callers === 'opener' ? 'the opener' : `${THREADS} threads`
      for (const [cores, { rounds }] of rates) figure(`${call}, ${cores}`, `${R1.name}, ${label}`, 'ops/s', rounds)
      const [one, two] = ['one core', 'two cores'].map((cores) => rates.get(cores)?.rounds ?? [])
      const ratios = (two ?? []).map((rate, round) => rate / (one?.[round] ?? Number.NaN))
      figure('two-cores-to-one', `${R1.name}, ${call}, ${label}`, 'x', ratios)
      const efficiencies = ratios.map((ratio) => (ratio * 100) / CORES)
      figure('efficiency', `${R1.name}, ${call}, ${label}`, '%', efficiencies)
    }
  return figures
}
