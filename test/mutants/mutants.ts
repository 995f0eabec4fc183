/**
 * Wrong versions of the protocol that the simulator's checkers must catch. They show that the checkers can fail: each mutant names the
 * rule of the design that it breaks and the checker that must see it, and every checker is named by one at least.
 */

import { BATCH_LOG } from './batches.js'
import { DELETES } from './deletes.js'
import { LOAD } from './load.js'
import { MEMBERS } from './members.js'
import type { Mutant } from './mutant.js'
import { OWNERS } from './owners.js'
import { REPLICAS } from './replicas.js'
import { REQUESTS } from './requests.js'
import { SCANS } from './scans.js'
import { SHAPES } from './shape.js'
import { TREES } from './trees.js'

export const MUTANTS: readonly Mutant[] = [
  ...REQUESTS,
  ...SCANS,
  ...REPLICAS,
  ...OWNERS,
  ...SHAPES,
  ...TREES,
  ...DELETES,
  ...MEMBERS,
  ...LOAD,
  ...BATCH_LOG,
]
