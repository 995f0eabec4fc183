/** Two runs of one seed give byte-equal effects, of every core, faults included. */

import { test } from 'tap'
import { FaultyRun } from './faulty-run.js'

function traceOf(seed: number, options: ConstructorParameters<typeof FaultyRun>[1]): string {
  const run = new FaultyRun(seed, options)
  run.world.isTracing = true
  run.run(150)
  return run.world.trace.join('\n')
}

test('determinism: two runs of one seed give byte-equal effects, another seed gives others', async (t) => {
  for (const options of [{}, { coordination: 'server' }, { conflict: 'siblings' }] as const) {
    const first = traceOf(7, options)
    t.ok(first.length > 100_000, `${first.length} bytes of effects`)
    t.ok(first === traceOf(7, options), 'equal')
    t.not(first, traceOf(8, options))
  }
})
