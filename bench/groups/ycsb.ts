/** The workloads of YCSB: A, B, C, E and F, by each of its distributions. */

import { measureStage } from '../run/measure.js'
import { ALL_PEERS, coteriePlan, NO_NEAR_CACHE, onThreeNodes, R1, withoutNearCache } from '../run/plans.js'
import { makeData } from '../subjects/subject.js'
import { ycsbWorkloads } from '../workloads.js'
import { DISTRIBUTIONS } from '../ycsb/distributions.js'
import type { Group } from './group.js'

const name = 'ycsb'

export const YCSB_GROUP: Group = {
  name,
  title: 'YCSB',
  about:
    'A: half updates; B: 5 % updates; C: reads; E: scans of 1 to 100, a scan counts as one; F: half read-modify-writes. 64 in flight, values of 100 bytes, zipfian (scrambled, θ 0.99), uniform and latest.',
  run: (context) => {
    const data = makeData(context.records, 100)
    const onThree = coteriePlan({ nodes: 3 }, [onThreeNodes(R1)])
    const asking = coteriePlan(NO_NEAR_CACHE, [withoutNearCache(R1)])
    const workloads = ycsbWorkloads(DISTRIBUTIONS)
    return measureStage(context, {
      group: name,
      data,
      plans: [...ALL_PEERS, coteriePlan(), asking, onThree],
      workloads,
    })
  },
}
