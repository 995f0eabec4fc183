/** Seeds of the simulator: a corpus that never changes, and some that nobody has tried. */

import { availableParallelism } from 'node:os'
import tap, { test } from 'tap'
import { createTaskThreads } from '../../actors/pool.js'
import type { RunReport } from '../../src/sim/index.js'
import type { SimTask } from '../../src/sim/sim.task.js'

/** Each has shown something once: see `test/README.md`. Before there were logged batches: with them they would be other runs. */
const TELLING = [
  13, 33, 71, 81, 111, 127, 200, 219, 342, 440, 441, 534, 602, 850, 1136, 1189, 1323, 1861, 1891, 2101, 2106, 2200,
  2237, 2250, 2386, 2469, 2985, 3115, 3557, 4649, 5333, 5422, 6030, 6512, 6716, 9003, 9448, 9671, 1_795_811_555_037,
  1_795_825_681_503, 1_795_830_369_332,
]
/** With them. */
const LOGGED = [1_795_855_320_398]
const FIXED = 50
const FRESH = 60

/** For both tests: a thread is quick only after some seeds. */
const threads = createTaskThreads<SimTask, RunReport[]>({
  taskUrl: new URL('../../src/sim/sim.task.js', import.meta.url),
  name: 'runSeeds',
  maxThreads: availableParallelism(),
})
tap.teardown(() => threads.close())

async function runSeeds(seeds: readonly number[], options: SimTask['options'] = {}): Promise<RunReport[]> {
  const tasks = Array.from({ length: Math.ceil(seeds.length / 5) }, (_, task) => seeds.slice(task * 5, task * 5 + 5))
  return (await Promise.all(tasks.map((some) => threads.run({ seeds: some, options })))).flat()
}

function brokenOf(reports: readonly RunReport[]): string[] {
  return reports.flatMap(({ seed, violations }) =>
    violations.map(({ checker, detail }) => `coterie sim --seed ${seed} --trace: ${checker}: ${detail}`),
  )
}

test('the fixed seeds: nothing is broken, and every run was hard', async (t) => {
  const fixed = await runSeeds([...LOGGED, ...Array.from({ length: FIXED }, (_, number) => 1_000 + number)])
  const reports = [...(await runSeeds(TELLING, { logs: false })), ...fixed]
  t.same(brokenOf(reports), [])
  for (const { seed, operations, faults, ends } of reports) {
    const count = Object.values(faults).reduce((sum, times) => sum + times, 0)
    const kinds = Object.keys(faults).length
    t.ok(
      operations >= 500 && count >= 30 && kinds >= 12,
      `seed ${seed}: ${operations} calls, ${count} faults of ${kinds} kinds`,
    )
    t.ok((ends['written'] ?? 0) > 30 && (ends['value'] ?? 0) > 30, `seed ${seed} gets on`)
  }
})

test('seeds that nobody has tried: nothing is broken', async (t) => {
  const first = Date.now()
  t.comment(`seeds ${first} to ${first + FRESH - 1}`)
  t.same(brokenOf(await runSeeds(Array.from({ length: FRESH }, (_, number) => first + number))), [])
})
