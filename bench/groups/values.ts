/** What the size of values does: 100 bytes, 1 KiB, 16 KiB. */

import type { Figure } from '../figures.js'
import { measureStage } from '../run/measure.js'
import { ALL_PEERS, coteriePlan, NO_NEAR_CACHE } from '../run/plans.js'
import { makeData } from '../subjects/subject.js'
import { callWorkload, SHORT_ROUNDS } from '../workloads.js'
import type { Group } from './group.js'

const name = 'values'
const SIZES = [
  { label: '100 B', bytes: 100, share: 0.5 },
  { label: '1 KiB', bytes: 1_024, share: 0.1 },
  { label: '16 KiB', bytes: 16_384, share: 0.01 },
]
const CALLS = ['get-64', 'get-many', 'put-64'] as const

export const VALUES_GROUP: Group = {
  name,
  title: 'Sizes of values',
  about: 'Zipfian; 100,000 records of 100 bytes, 20,000 of 1 KiB, 2,000 of 16 KiB. Coterie without near caches.',
  run: async (context) => {
    const figures: Figure[] = []
    for (const { label, bytes, share } of SIZES) {
      const data = makeData(Math.ceil(context.records * share), bytes)
      const workloads = CALLS.map((call) => ({ ...callWorkload(call), ...SHORT_ROUNDS, name: `${call}, ${label}` }))
      const plans = [...ALL_PEERS, coteriePlan(NO_NEAR_CACHE)]
      figures.push(...(await measureStage(context, { group: name, data, plans, workloads })))
    }
    return figures
  },
}
