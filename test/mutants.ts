/** See `mutants/run-mutants.ts`. Exit code 0 only if every mutant was caught by the checker, or the test, that it names. */

import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { createTaskThreads } from '../actors/pool.js'
import type { MutantReport, MutantTask } from './mutants/mutant.task.js'
import { mutantsNamed, testedNamed } from './mutants/run-mutants.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const at = process.argv.indexOf('--seeds')
const seedsMax = at < 0 ? 1_500 : Number(process.argv[at + 1])
const names = process.argv.slice(2).filter((name, place, all) => !name.startsWith('--') && all[place - 1] !== '--seeds')
const unknown = names.filter((name) => mutantsNamed([name]).length + testedNamed([name]).length === 0)
if (unknown.length > 0) throw new Error(`there is no mutant ${unknown.join(', ')}`)

const threads = createTaskThreads<MutantTask, MutantReport>({
  taskUrl: new URL('./mutants/mutant.task.js', import.meta.url),
  name: 'tryOne',
  maxThreads: availableParallelism(),
})
let missed = 0
try {
  const begun = [...mutantsNamed(names), ...testedNamed(names)].map(({ name }) => ({
    name,
    report: threads.run({ name, seedsMax, root }),
  }))
  // One that threw rejects here, when its turn comes.
  for (const { report } of begun) report.catch(() => undefined)
  for (const { name, report } of begun) {
    const { isCaught, how, seconds } = await report
    if (!isCaught) missed += 1
    process.stdout.write(`${name.padEnd(40)} ${seconds.toFixed(1).padStart(6)} s  ${how}\n`)
  }
  process.stdout.write(missed === 0 ? 'all caught\n' : `${missed} not caught\n`)
  process.exitCode = missed === 0 ? 0 : 1
} finally {
  await threads.close()
}
