/** All groups, in the order in which they are measured and shown. */

import { CACHES_GROUP } from './groups/caches.js'
import { CALLERS_GROUP } from './groups/callers.js'
import { CALLS_GROUP } from './groups/calls.js'
import { CRASH_GROUP } from './groups/crash.js'
import { DURABILITY_GROUP } from './groups/durability.js'
import type { Group } from './groups/group.js'
import { IDLE_GROUP } from './groups/idle.js'
import { LATENCY_GROUP } from './groups/latency.js'
import { NODES_GROUP } from './groups/nodes.js'
import { QUORUMS_GROUP } from './groups/quorums.js'
import { SCALING_GROUP } from './groups/scaling.js'
import { SIZE_GROUP } from './groups/size.js'
import { VALUES_GROUP } from './groups/values.js'
import { YCSB_GROUP } from './groups/ycsb.js'

export const GROUPS: readonly Group[] = [
  CALLS_GROUP,
  YCSB_GROUP,
  DURABILITY_GROUP,
  SCALING_GROUP,
  LATENCY_GROUP,
  CRASH_GROUP,
  IDLE_GROUP,
  VALUES_GROUP,
  NODES_GROUP,
  QUORUMS_GROUP,
  CALLERS_GROUP,
  CACHES_GROUP,
  SIZE_GROUP,
]
