/** See `mutants/run-mutants.ts`. Exit code 0 only if every mutant was caught by the checker, or the test, that it names. */

import { fileURLToPath } from 'node:url'
import { mutantsNamed, testedNamed, tryMutant, tryTested } from './mutants/run-mutants.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const at = process.argv.indexOf('--seeds')
const seedsMax = at < 0 ? 500 : Number(process.argv[at + 1])
const names = process.argv.slice(2).filter((name, place, all) => !name.startsWith('--') && all[place - 1] !== '--seeds')

let missed = 0
for (const mutant of mutantsNamed(names)) {
  const startedAt = performance.now()
  const { seed, detail, others } = await tryMutant(mutant, seedsMax, root)
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
  if (seed === undefined) missed += 1
  const how =
    seed === undefined
      ? `NOT CAUGHT by ${mutant.checker} in ${seedsMax} seeds`
      : `seed ${seed}, ${mutant.checker}: ${(detail ?? '').split('\n')[0]}`
  const also = others.size === 0 ? '' : `; also ${[...others.keys()].join(', ')}`
  process.stdout.write(`${mutant.name.padEnd(40)} ${seconds.padStart(6)} s  ${how}${also}\n`)
}
for (const mutant of testedNamed(names)) {
  const startedAt = performance.now()
  const isCaught = await tryTested(mutant, root)
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
  if (!isCaught) missed += 1
  const [file, title] = mutant.test
  const how = `${isCaught ? '' : 'NOT CAUGHT by '}${file} "${title}"`
  process.stdout.write(`${mutant.name.padEnd(40)} ${seconds.padStart(6)} s  ${how}\n`)
}
process.stdout.write(missed === 0 ? 'all caught\n' : `${missed} not caught\n`)
process.exitCode = missed === 0 ? 0 : 1
