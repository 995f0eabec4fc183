/** Wrong versions of how deletes are forgotten. See `mutants.ts`. */

import type { Mutant } from './mutant.js'

const REAPER = 'src/protocol/repair/reaper.ts'

export const DELETES: readonly Mutant[] = [
  {
    name: 'forgets-what-an-owner-lacks',
    rule: 'deletes',
    checker: 'reaps',
    file: REAPER,
    find: 'if (!isTarget || held[place] === true) places.push(place)',
    replace: 'places.push(place)',
  },
  {
    name: 'forgets-although-there-are-hints',
    rule: 'deletes',
    checker: 'reaps',
    file: REAPER,
    find: ' || hinted.has(partition)) return',
    replace: ') return',
  },
]
