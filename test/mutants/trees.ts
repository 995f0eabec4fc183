/** Wrong versions of Merkle trees. See `mutants.ts`. */

import type { Mutant } from './mutant.js'

const FOREST = 'src/protocol/repair/merkle-forest.ts'

export const TREES: readonly Mutant[] = [
  {
    name: 'tree-keeps-what-is-replaced',
    rule: 'down-for-good',
    checker: 'trees',
    file: FOREST,
    find: 'change(hash, isHole ? 0 : before, after)',
    replace: 'change(hash, 0, after)',
  },
  {
    name: 'tree-lacks-what-came-during-its-page',
    rule: 'down-for-good',
    checker: 'trees',
    file: FOREST,
    find: 'if (isFound && (pass.after === undefined || key > pass.after)) this.#count(pass, key, version)',
    replace: 'void isFound; void version',
  },
]
