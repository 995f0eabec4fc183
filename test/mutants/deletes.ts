/** Wrong versions of how deletes are forgotten. See `mutants.ts`; those that one change alone does not show in a run are in `tested.ts`. */

import type { Mutant } from './mutant.js'

const REAPER = 'src/protocol/repair/reaper.ts'

export const DELETES: readonly Mutant[] = [
  {
    name: 'forgets-at-once-and-asks-nobody',
    rule: 'deletes',
    checker: 'reaps',
    file: REAPER,
    find: '    const rowEpochs = partitions.map((partition) => rowOf(view.table, partition).epoch)\n',
    replace:
      "    const rowEpochs = partitions.map((partition) => rowOf(view.table, partition).epoch)\n    for (const to of pass.everybody) this.#output.push({ type: 'send', to, message: { type: 'reap/drop', keys, tombstones, partitions, rowEpochs } })\n",
    also: {
      file: REAPER,
      find: 'const before = noted < graceEnd ? noted : graceEnd',
      replace: "const before = noted < graceEnd ? '~' : '~'",
    },
  },
]
