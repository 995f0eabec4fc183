/** Wrong versions of joins, leaves and standbys. See `mutants.ts`. */

import type { Mutant } from './mutant.js'

const PUT = 'src/protocol/coordinator/put.ts'
const NODE = 'src/protocol/dynamo-node.ts'
const SHAPE = 'src/protocol/supervision/shape-changes.ts'
const TRANSFERS = 'src/protocol/node-transfers.ts'
const SOURCE = 'src/protocol/handoff/transfer-source.ts'

export const SHAPES: readonly Mutant[] = [
  {
    name: 'what-moved-away-is-kept',
    rule: 'deletes',
    checker: 'leftovers',
    file: TRANSFERS,
    find: 'this.purge.onLost(lost)',
    replace: '',
  },
  {
    name: 'a-copy-is-believed',
    rule: 'down-for-good',
    checker: 'fills',
    file: SOURCE,
    find: 'digestOf(recordsOf(page)) === copy.digest',
    replace: "copy.digest !== ''",
  },
  {
    name: 'retires-with-its-hints',
    rule: 'hints-stay',
    checker: 'hints',
    file: NODE,
    find: 'return this.#hints.isEmpty && running',
    replace: 'return running',
  },
  {
    name: 'joins-without-a-share',
    rule: 'claim',
    checker: 'placement',
    file: SHAPE,
    find: 'this.#host.change(rowsAfterClaim(table, rows, standbys)',
    replace: 'this.#host.change(rowsAfterClaim(table, current, standbys)',
  },
  {
    name: 'a-standby-counts',
    rule: 'strict-owners',
    checker: 'quorums',
    file: PUT,
    find: 'new Leg(standby, false, false)',
    replace: 'new Leg(standby, true, true)',
  },
]
