/** Wrong versions of joins, leaves and standbys. See `mutants.ts`. */

import type { Mutant } from './mutant.js'

const PUT = 'src/protocol/coordinator/put.ts'
const NODE = 'src/protocol/dynamo-node.ts'
const SHAPE = 'src/protocol/supervision/shape-changes.ts'
const TRANSFERS = 'src/protocol/node-transfers.ts'
const SOURCE = 'src/protocol/handoff/transfer-source.ts'
const COPIES = 'src/protocol/supervision/full-copies.ts'
const CUT = 'src/protocol/supervision/cut-core.ts'

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
    name: 'every-root-is-equal',
    rule: 'down-for-good',
    checker: 'fills',
    file: SOURCE,
    find: 'trees.low(partition, 0, 0) === roots?.lows[place] &&\n        trees.high(partition, 0, 0) === roots.highs[place]',
    replace: 'roots?.lows[place] !== undefined',
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
    find: 'return rowsAfterClaim(table, rows, standbys)',
    replace: 'return rowsAfterClaim(table, rows.length === 0 ? rows : current, standbys)',
  },
  {
    name: 'a-standby-counts',
    rule: 'strict-owners',
    checker: 'quorums',
    file: PUT,
    find: 'new Leg(standby, false, false)',
    replace: 'new Leg(standby, true, true)',
  },
  {
    name: 'copies-added-without-their-quorum',
    rule: 'both-quorums',
    checker: 'quorums',
    file: PUT,
    find: 'return staying?.length ?? pending.length',
    replace: 'return (staying ?? pending).length === 0 ? 1 : 1',
  },
  {
    name: 'no-copy-for-who-joins',
    rule: 'claim',
    checker: 'placement',
    file: COPIES,
    find: 'if (newcomers.length === 0) return row',
    replace: 'if (newcomers.length >= 0) return row',
  },
  {
    name: 'one-freeze-for-all',
    rule: 'cut',
    checker: 'cuts',
    file: CUT,
    find: 'if (isFrozen) this.#frozen.add(node)',
    replace: 'if (isFrozen) for (const all of this.#asked) if (this.#frozen.add(all)) this.#awaited.delete(all)',
  },
]
