/** One seed is one run, to the byte; and a plan made smaller is the same run with less in it. */

import { test } from 'tap'
import { type Plan, planOf, runPlan, Trace } from '../../src/sim/index.js'

function traceOf(plan: Plan): string {
  const trace = new Trace()
  runPlan(plan, [trace])
  return trace.lines.join('\n')
}

test('two runs of a seed give the same trace', async (t) => {
  for (const seed of [1, 2, 3]) {
    const first = traceOf(planOf(seed))
    t.ok(first.length > 100_000)
    t.ok(first === traceOf(planOf(seed)), `seed ${seed}`)
  }
})

test('two seeds do not', async (t) => {
  t.not(traceOf(planOf(1)), traceOf(planOf(2)))
})

test('without its later faults a run is the same up to the first that is missing', async (t) => {
  const plan = planOf(4)
  const [fault] = plan.faults.slice(20)
  const less = { ...plan, faults: plan.faults.filter(({ atMs }) => atMs < (fault?.atMs ?? 0)) }
  const whole = traceOf(plan).split('\n')
  const same = traceOf(less)
    .split('\n')
    .findIndex((line, place) => line !== whole[place])
  t.ok(same > 1_000, `${same} lines are the same`)
  // Some cannot strike when their time comes, and leave no line.
  const [, number] = /FAULT {2}fault (\d+):/.exec(whole[same] ?? '') ?? []
  t.ok(number !== undefined && !less.faults.some((kept) => kept.number === Number(number)), `fault ${number}`)
})

test('fewer calls and other nodes leave the faults as they are', async (t) => {
  const { faults } = planOf(5)
  t.same(planOf(5, { operations: 100 }).faults, faults)
  t.same(planOf(5, { nodes: 9 }).faults, faults)
})
