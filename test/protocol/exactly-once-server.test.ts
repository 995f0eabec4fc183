/** As exactly-once.test.ts, with nodes that coordinate: `coordination: 'server'`, and sibling updates. */

import { test } from 'tap'
import { FaultyRun } from './faulty-run.js'

test('server: every request ends exactly once, every key is linearizable and readable after, epochs only grow', async (t) => {
  const ends = new Map<string, number>()
  let faults = 0
  for (let seed = 1; seed <= 16; seed++) {
    const run = new FaultyRun(seed, { coordination: 'server' }).run(200)
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

test('siblings: every update ends exactly once, and no acknowledged value is lost', async (t) => {
  let acknowledged = 0
  for (let seed = 1; seed <= 6; seed++) {
    const run = new FaultyRun(seed, { conflict: 'siblings' }).run(200)
    for (const problem of run.problems()) t.fail(`seed ${seed}: ${problem}`)
    for (const key of run.keys()) {
      const values = run.read(key).slice(1).split('|')
      const written = run.puts.filter((put) => put.key === key && run.world.end(put.id) === 'written')
      acknowledged += written.length
      for (const { text } of written) if (!values.includes(text)) t.fail(`seed ${seed}: ${key} has lost ${text}`)
    }
  }
  t.ok(acknowledged > 200, `${acknowledged} updates`)
})
