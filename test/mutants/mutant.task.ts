/** One mutant, in a pool's thread: `tryOne` is what `npm run mutants` has run for each. */

import { mutantsNamed, testedNamed, tryMutant, tryTested } from './run-mutants.js'

export interface MutantTask {
  readonly name: string
  readonly seedsMax: number
  readonly root: string
}

export interface MutantReport {
  readonly isCaught: boolean
  /** By what, or by what not. */
  readonly how: string
  readonly seconds: number
}

export async function tryOne({ name, seedsMax, root }: MutantTask): Promise<MutantReport> {
  const startedAt = performance.now()
  const found = await Promise.all([
    ...mutantsNamed([name]).map(async (mutant) => {
      const { seed, detail, others } = await tryMutant(mutant, seedsMax, root)
      const also = others.size === 0 ? '' : `; also ${[...others.keys()].join(', ')}`
      const how =
        seed === undefined
          ? `NOT CAUGHT by ${mutant.checker} in ${seedsMax} seeds`
          : `seed ${seed}, ${mutant.checker}: ${(detail ?? '').split('\n')[0]}`
      return { isCaught: seed !== undefined, how: `${how}${also}` }
    }),
    ...testedNamed([name]).map(async (mutant) => {
      const isCaught = await tryTested(mutant, root)
      const [file, title] = mutant.test
      return { isCaught, how: `${isCaught ? '' : 'NOT CAUGHT by '}${file} "${title}"` }
    }),
  ])
  const [one] = found
  if (one === undefined) throw new Error(`there is no mutant ${name}`)
  return { ...one, seconds: (performance.now() - startedAt) / 1_000 }
}
