/** The same records on one, two, four and eight nodes. Each size is open alone: idle nodes of another would take part. */

import type { Figure } from '../figures.js'
import { measureStage } from '../run/measure.js'
import { classicLevelPlan, coteriePlan, NO_NEAR_CACHE } from '../run/plans.js'
import type { Quorum } from '../subjects/coterie.js'
import { makeData } from '../subjects/subject.js'
import { callWorkload, SHORT_ROUNDS } from '../workloads.js'
import type { Group } from './group.js'

const name = 'nodes'
const NODE_COUNTS = [1, 2, 4, 8]
const CALLS = ['get-64', 'get-many', 'put-64', 'batch'] as const

export const NODES_GROUP: Group = {
  name,
  title: 'Numbers of nodes',
  about: 'Three copies, or as many as there are nodes; r=1, and a majority for reads and writes. No near caches.',
  run: async (context) => {
    const data = makeData(context.records / 2, 100)
    const figures: Figure[] = []
    for (const nodes of NODE_COUNTS) {
      const n = Math.min(3, nodes)
      const majority = Math.floor(n / 2) + 1
      const quorums: Quorum[] = [
        { name: 'Coterie r=1', r: 1, w: majority, isTwin: majority > 1 },
        ...(majority > 1 ? [{ name: 'Coterie, majority', r: majority, w: majority }] : []),
      ]
      const coterie = coteriePlan({ ...NO_NEAR_CACHE, nodes, replication: { n, r: majority, w: majority } }, quorums)
      const workloads = CALLS.map((call) => ({
        ...callWorkload(call),
        ...SHORT_ROUNDS,
        name: `${call}, ${nodes} nodes`,
      }))
      figures.push(
        ...(await measureStage(context, {
          group: name,
          data,
          plans: [classicLevelPlan({ recordCacheBytes: 0 }), coterie],
          workloads,
        })),
      )
    }
    return figures
  },
}
