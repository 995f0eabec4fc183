/** What more records cost: the caches stay as they are, 64 MB for each node, and classic-level has as many bytes. */

import type { Figure } from '../figures.js'
import { measureStage } from '../run/measure.js'
import { classicLevelPlan, coteriePlan, NO_NEAR_CACHE } from '../run/plans.js'
import { makeData } from '../subjects/subject.js'
import { callWorkload, SHORT_ROUNDS } from '../workloads.js'
import { DISTRIBUTIONS } from '../ycsb/distributions.js'
import type { Group } from './group.js'

const name = 'size'
const NODES = 3
/** Half for records, half for blocks. */
const CACHE_BYTES_PER_NODE = 64_000_000
const SIZES = [100_000, 1_000_000]
const SIZE_LARGE = 10_000_000
const SIZES_QUICK = [2_000, 10_000]
const CALLS = ['get-64', 'get-many', 'put-64'] as const

export const SIZE_GROUP: Group = {
  name,
  title: 'Cost against size',
  about: `Three nodes, each with every record, of 100 bytes; 64 MB of caches a node, half for records and half for blocks, no near caches. classic-level has as many for blocks, with its LRU as many for records. Ten million with \`--large\`.`,
  run: async (context) => {
    const figures: Figure[] = []
    const half = (NODES * CACHE_BYTES_PER_NODE) / 2
    for (const records of sizesOf(context)) {
      const data = makeData(records, 100)
      const workloads = CALLS.flatMap((call) =>
        DISTRIBUTIONS.filter((distribution) => distribution !== 'latest').map((distribution) => ({
          ...callWorkload(call, distribution),
          ...SHORT_ROUNDS,
          name: `${call}, ${distribution}, ${records.toLocaleString('en')}`,
        })),
      )
      const plans = [
        classicLevelPlan({ recordCacheBytes: half, blockCacheBytes: half }),
        coteriePlan({ ...NO_NEAR_CACHE, nodes: NODES, recordCacheBytes: half, cacheBytes: half }),
      ]
      figures.push(...(await measureStage(context, { group: name, data, plans, workloads })))
    }
    return figures
  },
}

function sizesOf({ quick, large }: { readonly quick: boolean; readonly large: boolean }): readonly number[] {
  if (quick) return SIZES_QUICK
  return large ? [...SIZES, SIZE_LARGE] : SIZES
}
