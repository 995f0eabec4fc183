/** Writes that are on the disk before they are acknowledged, beside peers that promise the same. */

import { measureStage } from '../run/measure.js'
import { CLASSIC_LEVEL_SYNC, coteriePlan, LMDB_FLUSHED, onThreeNodes, REDIS_FSYNC } from '../run/plans.js'
import { makeData } from '../subjects/subject.js'
import { callWorkload } from '../workloads.js'
import type { Group } from './group.js'

const name = 'durability'
const CALLS = ['put-serial', 'put-64', 'batch'] as const

export const DURABILITY_GROUP: Group = {
  name,
  title: 'Durable writes',
  about:
    "`durability: 'disk'` on five nodes and on three, two of three copies synced before a write is acknowledged; classic-level with `sync`, lmdb whose `flushed` is awaited, Redis with `appendfsync always`: one copy each. `'process'` is what all other groups have.",
  run: (context) => {
    const data = makeData(context.records / 2, 100)
    const disk = { name: 'Coterie w=2 disk', r: 2, w: 2 }
    const plans = [
      CLASSIC_LEVEL_SYNC,
      LMDB_FLUSHED,
      REDIS_FSYNC,
      coteriePlan({ durability: 'disk' }, [disk]),
      coteriePlan({ durability: 'disk', nodes: 3 }, [onThreeNodes(disk)]),
      coteriePlan({}, [{ name: 'Coterie w=2 process', r: 2, w: 2 }]),
    ]
    const workloads = CALLS.map((call) => callWorkload(call))
    return measureStage(context, { group: name, data, plans, workloads })
  },
}
