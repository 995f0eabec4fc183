/** Every kind of call beside every peer: what most goals are stated about. */

import { measureStage } from '../run/measure.js'
import { ALL_PEERS, coteriePlan, NO_NEAR_CACHE, onThreeNodes, QUORUMS, withoutNearCache } from '../run/plans.js'
import { makeData } from '../subjects/subject.js'
import { CALL_NAMES, callWorkload } from '../workloads.js'
import type { Group } from './group.js'

const name = 'calls'

export const CALLS_GROUP: Group = {
  name,
  title: 'Every kind of call',
  about:
    'Zipfian, values of 100 bytes; five nodes unless said otherwise, three copies. _no near cache_: `nearCacheBytes: 0`, every read asks nodes.',
  run: (context) => {
    const data = makeData(context.records, 100)
    const onThree = coteriePlan({ nodes: 3 }, QUORUMS.map(onThreeNodes))
    const asking = coteriePlan(NO_NEAR_CACHE, QUORUMS.map(withoutNearCache))
    const plans = [...ALL_PEERS, coteriePlan(), asking, onThree]
    return measureStage(context, { group: name, data, plans, workloads: CALL_NAMES.map((call) => callWorkload(call)) })
  },
}
