/**
 * The checkers can fail: some wrong versions of the protocol, each caught within a few seeds; more in
 * `mutants-of-owners.test.ts`. `npm run mutants` tries all of them, with 1,500 seeds each.
 */

import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { checkersFor } from '../../src/sim/checkers/all.js'
import { CHECKER_NAMES, planOf } from '../../src/sim/index.js'
import { MUTANTS } from '../mutants/mutants.js'
import { changesOf, loadMutant, mutantsNamed, testedNamed, tryMutant, tryTested } from '../mutants/run-mutants.js'
import { TESTED } from '../mutants/tested.js'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const QUICK = [
  'ack-before-store',
  'read-quorum-minus-one',
  'write-quorum-minus-one',
  'no-write-back',
  'tombstone-dropped-early',
  'hint-dropped-before-it-arrived',
  'the-older-version-wins',
  'ended-keeps-the-rest-back',
  'scan-beyond-a-page-end',
  'delete-takes-everything',
  'a-stamp-for-each-partition',
]
const SEEDS = 12

test('every mutant changes one place of the source as it is', async (t) => {
  for (const mutant of [...MUTANTS, ...TESTED]) {
    for (const { file, find } of changesOf(mutant)) {
      const source = await readFile(`${ROOT}${file}`, 'utf8')
      t.equal(source.split(find).length - 1, 1, `${mutant.name} in ${file}`)
    }
  }
})

test('no two mutants have one name', async (t) => {
  const all = [...MUTANTS, ...TESTED]
  t.equal(new Set(all.map(({ name }) => name)).size, all.length)
})

test('every checker is named by a mutant that it must catch', async (t) => {
  const named = new Set(MUTANTS.map(({ checker }) => checker))
  t.same(
    CHECKER_NAMES.filter((name) => !named.has(name)),
    [],
  )
})

test('every checker that has a name watches some run, and none is nameless', async (t) => {
  const names = (['lww', 'siblings'] as const).flatMap((conflict) =>
    checkersFor(
      { ...planOf(1), conflict },
      () => undefined,
      () => 0,
    ).checkers.map(({ name }) => name),
  )
  t.same([...new Set(names)].sort(), CHECKER_NAMES)
})

for (const mutant of mutantsNamed(QUICK)) {
  test(`caught by ${mutant.checker}: ${mutant.name}`, async (t) => {
    const { seed, detail, others } = await tryMutant(mutant, SEEDS, ROOT)
    t.ok(seed !== undefined, `seed ${seed}: ${detail?.split('\n')[0]}; also ${[...others.keys()].join(', ')}`)
  })
}

for (const mutant of testedNamed(['slot-of-the-whole-key', 'acknowledged-before-the-witness'])) {
  test(`caught by ${mutant.test[0]}: ${mutant.name}`, async (t) => {
    t.ok(await tryTested(mutant, ROOT))
  })
}

test('a run that fails is made smaller and still fails', async (t) => {
  const [mutant] = mutantsNamed(['ack-before-store'])
  if (mutant === undefined) throw new Error('there is no such mutant')
  await loadMutant(mutant, ROOT, async ({ planOf, runPlan, shrink }) => {
    const plan = planOf(1)
    const [violation] = runPlan(plan).violations
    const { plan: small } = shrink(plan, violation?.checker ?? '')
    t.ok(small.faults.length < 10, `${small.faults.length} of ${plan.faults.length} faults`)
    t.ok(small.operations < 100, `${small.operations} of ${plan.operations} calls`)
    t.ok(runPlan(small).violations.some(({ checker }) => checker === violation?.checker))
  })
})
