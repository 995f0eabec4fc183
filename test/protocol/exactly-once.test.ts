/** What holds in every run whatever is lost, late, crashed or hung: 44 seeds, 200 requests each. */

import { test } from 'tap'
import { checkLinearizability, describeViolation } from '../support/linearizability.js'
import { FaultyRun } from './faulty-run.js'

function keysOf(run: FaultyRun): string[] {
  return [...new Set(run.puts.map(({ key }) => key))].sort()
}

for (const [name, options] of [
  ['client', {}],
  ['server', { coordination: 'server' }],
] as const) {
  test(`${name}: every request ends exactly once, every key is linearizable and readable after, epochs only grow`, async (t) => {
    const ends = new Map<string, number>()
    let faults = 0
    for (let seed = 1; seed <= 22; seed++) {
      const run = new FaultyRun(seed, { ...options, conflict: 'lww' }).run(200)
      const { world } = run
      faults += run.drops + run.crashes
      for (const id of run.requests) {
        const count = world.outcomes.get(id)?.length ?? 0
        if (count !== 1) t.fail(`seed ${seed}: request ${id} ended ${count} times`)
        const end = world.end(id)
        if (!end.startsWith('=')) ends.set(end, (ends.get(end) ?? 0) + 1)
      }
      if (world.gateway.running !== 0) t.fail(`seed ${seed}: ${world.gateway.running} run`)
      for (const key of keysOf(run)) if (run.read(key) === 'TIMEOUT') t.fail(`seed ${seed}: ${key} is not healed`)
      for (const violation of checkLinearizability(run.history).violations)
        t.fail(`seed ${seed}: ${describeViolation(violation)}`)
      for (const [node, epochs] of run.epochs) {
        const grows = epochs.every((epoch, index) => index === 0 || epoch > (epochs[index - 1] ?? 0))
        if (!grows) t.fail(`seed ${seed}: ${node} went ${epochs.join(' ')}`)
        if (world.node(node).table.epoch !== world.table.epoch) t.fail(`seed ${seed}: ${node} has an old table`)
      }
    }
    t.ok(faults > 100, `${faults} faults`)
    t.ok((ends.get('written') ?? 0) > 1_000)
    t.ok((ends.get('OUTCOME_UNKNOWN') ?? 0) > 0, 'the faults are felt')
    t.comment(JSON.stringify(Object.fromEntries([...ends].sort())))
  })
}

test('siblings: every update ends exactly once, and no acknowledged value is lost', async (t) => {
  for (let seed = 1; seed <= 8; seed++) {
    const run = new FaultyRun(seed, { conflict: 'siblings' }).run(200)
    const { world } = run
    for (const id of run.requests) t.equal(world.outcomes.get(id)?.length, 1)
    for (const key of keysOf(run)) {
      const values = world
        .ended(world.get(key, { timeoutMs: 5_000 }))
        .slice(1)
        .split('|')
      const written = run.puts.filter((put) => put.key === key && world.end(put.id) === 'written')
      for (const { text } of written) if (!values.includes(text)) t.fail(`seed ${seed}: ${key} has lost ${text}`)
    }
  }
})
