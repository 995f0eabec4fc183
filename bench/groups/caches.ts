/** Data that fits the caches and data that does not: the same records beside caches of eight times their size and of an eighth. */

import type { Figure } from '../figures.js'
import { measureStage } from '../run/measure.js'
import { classicLevelPlan, coteriePlan, LMDB, NO_NEAR_CACHE } from '../run/plans.js'
import { makeData } from '../subjects/subject.js'
import { callWorkload, SHORT_ROUNDS } from '../workloads.js'
import type { Group } from './group.js'

const name = 'caches'
const VALUE_BYTES = 1_024
const SIZES = [
  { label: 'fits', factor: 8 },
  { label: 'does not fit', factor: 1 / 8 },
]
const CALLS = [
  ['get-64', 'uniform'],
  ['get-64', 'zipfian'],
  ['get-many', 'uniform'],
] as const

export const CACHES_GROUP: Group = {
  name,
  title: 'Data that fits the caches, and data that does not',
  about:
    'A quarter as many records, of 1 KiB. Caches of records and of blocks have eight times the bytes of all records, or an eighth, each: Coterie over all nodes together, which keep three copies, and without near caches. lmdb has its file in the memory of the machine either way.',
  run: async (context) => {
    const data = makeData(context.records / 4, VALUE_BYTES)
    const figures: Figure[] = []
    for (const { label, factor } of SIZES) {
      const bytes = Math.floor(data.records * VALUE_BYTES * factor)
      const caches = { recordCacheBytes: bytes, blockCacheBytes: bytes }
      const coterie = coteriePlan({ ...NO_NEAR_CACHE, recordCacheBytes: bytes, cacheBytes: bytes })
      const workloads = CALLS.map(([call, distribution]) => {
        const workload = callWorkload(call, distribution)
        return { ...workload, ...SHORT_ROUNDS, name: `${call}, ${distribution}, ${label}` }
      })
      figures.push(
        ...(await measureStage(context, {
          group: name,
          data,
          plans: [classicLevelPlan(caches), LMDB, coterie],
          workloads,
        })),
      )
    }
    return figures
  },
}
