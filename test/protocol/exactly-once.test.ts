/** What holds in every run whatever is lost, late, crashed or hung: 20 seeds, 200 requests each. */

import { test } from 'tap'
import { FaultyRun } from './faulty-run.js'

test('client: every request ends exactly once, every key is linearizable and readable after, epochs only grow', async (t) => {
  const ends = new Map<string, number>()
  let faults = 0
  for (let seed = 1; seed <= 20; seed++) {
    const run = new FaultyRun(seed).run(200)
    for (const problem of run.problems()) t.fail(`seed ${seed}: ${problem}`)
    faults += run.drops + run.crashes
    for (const id of run.requests) {
      const end = run.world.end(id)
      if (!end.startsWith('=')) ends.set(end, (ends.get(end) ?? 0) + 1)
    }
  }
  t.comment(JSON.stringify(Object.fromEntries([...ends].sort())))
  t.ok(faults > 50, `${faults} faults`)
  t.ok((ends.get('written') ?? 0) > 1_000)
  t.ok((ends.get('OUTCOME_UNKNOWN') ?? 0) > 0, 'the faults are felt')
})
