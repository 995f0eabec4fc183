/** What copies and quorums cost: n, r and w on five nodes, and who coordinates. */

import type { Figure } from '../figures.js'
import { measureStage } from '../run/measure.js'
import { classicLevelPlan, coteriePlan, NO_NEAR_CACHE } from '../run/plans.js'
import { makeData } from '../subjects/subject.js'
import { callWorkload, SHORT_ROUNDS } from '../workloads.js'
import type { Group } from './group.js'

const name = 'quorums'
const CALLS = ['get-64', 'put-64'] as const
const COPIES = [
  { n: 1, quorums: [1] },
  { n: 3, quorums: [1, 2, 3] },
  { n: 5, quorums: [1, 3, 5] },
]

export const QUORUMS_GROUP: Group = {
  name,
  title: 'Copies and quorums',
  about:
    "Five nodes; n copies, of which r or w must answer. The last of each has `coordination: 'server'`: a node asks the others. No near caches.",
  run: async (context) => {
    const data = makeData(context.records / 2, 100)
    const figures: Figure[] = []
    for (const { n, quorums } of COPIES) {
      const majority = Math.floor(n / 2) + 1
      const replication = { n, r: majority, w: majority }
      const server = { name: `Coterie ${majority} of ${n}, server`, r: majority, w: majority }
      const plans = [
        classicLevelPlan({ recordCacheBytes: 0 }),
        coteriePlan(
          { ...NO_NEAR_CACHE, replication },
          quorums.map((size) => ({ name: `Coterie ${size} of ${n}`, r: size, w: size })),
        ),
        coteriePlan({ ...NO_NEAR_CACHE, replication, coordination: 'server' }, [server]),
      ]
      const workloads = CALLS.map((call) => ({ ...callWorkload(call), ...SHORT_ROUNDS, name: `${call}, n=${n}` }))
      figures.push(...(await measureStage(context, { group: name, data, plans, workloads })))
    }
    return figures
  },
}
