/** The small form of `npm run torture`: see test/support/torture. Seeds are fixed; a failure names its own. */

import { test } from 'tap'
import { folderForTest } from './support/cluster.js'
import { describeOutcome } from './support/torture/outcome.js'
import { PARTS, type PartName, plannedEffort } from './support/torture/parts.js'

/** Not `clock`: libfaketime is not everywhere. */
const RULES: Readonly<Record<Exclude<PartName, 'clock'>, string>> = {
  kill: 'killed at random moments, a process loses no acknowledged write',
  damage: 'a damaged node is never believed, and heals',
  power: 'under durability disk a power cut loses no acknowledged write',
  descriptors: 'with too few descriptors an opening is refused with the reason, and nothing is lost',
  refill: 'killed while nodes are wiped and filled, a process loses no acknowledged write',
  disk: 'killed while a small disk is full and has room again, a process loses no acknowledged write',
}

for (const [part, rule] of Object.entries(RULES) as [keyof typeof RULES, string][]) {
  test(`torture, ${part}: ${rule}`, async (t) => {
    const folder = await folderForTest(t)
    const outcome = await PARTS[part]({ folder, seed: 7, ...plannedEffort(part, true) })
    t.comment(describeOutcome(outcome))
    t.same(outcome.broken, [])
  })
}
