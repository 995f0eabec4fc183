/** As `mutants.test.ts`: wrong versions of epochs, fills and changes of owners, joins included. */

import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { mutantsNamed, tryMutant } from '../mutants/run-mutants.js'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const QUICK = [
  'stale-epoch-served',
  'amnesiac-counts',
  'fill-from-one-source',
  'fill-before-the-joint-row-is-known',
  'told-before-it-is-on-disk',
  'what-moved-away-is-kept',
  'joins-without-a-share',
  'flips-before-it-is-filled',
]
const SEEDS = 12

for (const mutant of mutantsNamed(QUICK)) {
  test(`caught by ${mutant.checker}: ${mutant.name}`, async (t) => {
    const { seed, detail, others } = await tryMutant(mutant, SEEDS, ROOT)
    t.ok(seed !== undefined, `seed ${seed}: ${detail?.split('\n')[0]}; also ${[...others.keys()].join(', ')}`)
  })
}
