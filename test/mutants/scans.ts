/** Wrong versions of scans. See `mutants.ts`. */

import type { Mutant } from './mutant.js'

const SCAN = 'src/protocol/coordinator/scan.ts'

export const SCANS: readonly Mutant[] = [
  {
    name: 'scan-believes-one-owner',
    rule: 'linearizable',
    checker: 'linearizability',
    file: SCAN,
    find: 'records.length >= needed && records.every(',
    replace: 'records.length >= 1 && records.slice(0, 1).every(',
  },
  {
    name: 'scan-beyond-a-page-end',
    rule: 'user-order',
    checker: 'scans',
    file: SCAN,
    find: 'if (next !== undefined && before(next, key)) return',
    replace: '',
  },
  {
    name: 'scan-shows-deleted',
    rule: 'deletes',
    checker: 'scans',
    file: SCAN,
    find: "record === undefined || record === 'asked' || !isLive(record)",
    replace: "record === undefined || record === 'asked'",
  },
]
