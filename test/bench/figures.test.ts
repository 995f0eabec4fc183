/** Ratios, their spread, goals and regressions: whoever judges must be able to say no. */

import { test } from 'tap'
import { type Figure, isRegression, ratioOf, spreadOf, toleranceOf } from '../../bench/figures.js'
import { type Goal, judgeGoals } from '../../bench/goals.js'
import { compareRatios, ratiosOf } from '../../bench/report/ratios.js'
import { mergeResult, type Run } from '../../bench/report/results.js'

const figure = (subject: string, rounds: readonly number[], workload = 'get'): Figure => ({
  ...{ group: 'calls', workload, subject, unit: 'ops/s', rounds },
})

test('ratio: of each round with the one beside it, not of the medians', (t) => {
  // The machine was half as fast in the second round and the third, for both.
  const ratio = ratioOf(figure('a', [200, 100, 105]), figure('b', [100, 50, 50]))
  t.equal(ratio?.median, 2)
  t.equal(ratioOf(figure('a', []), figure('b', [1])), undefined)
  t.end()
})

test('spread: by the median deviation, so that one odd round does not widen it', (t) => {
  t.equal(spreadOf([5, 5, 5]), 0)
  const calm = spreadOf([99, 100, 101, 100, 99.5])
  t.ok(calm > 0 && calm < 0.01)
  t.equal(spreadOf([99, 100, 101, 100, 10]), spreadOf([99, 100, 101, 100, 1]))
  t.equal(spreadOf([]), 0)
  t.end()
})

test('regression: what is lower by more than the tolerance, which grows with the spread', (t) => {
  const stored = { median: 2, spread: 0.01 }
  const steady = { spread: 0.01 }
  t.notOk(isRegression(stored, { ...steady, median: 1.8 }), 'a tenth is what two runs differ by')
  t.ok(isRegression(stored, { ...steady, median: 1.6 }))
  t.notOk(isRegression(stored, { spread: 0.1, median: 1.6 }), 'the rounds differed by as much')
  t.notOk(isRegression(stored, { ...steady, median: 9 }))
  t.ok(isRegression(stored, { spread: 5, median: 0.9 }), 'no noise excuses less than half')
  t.ok(toleranceOf(stored, { median: 1, spread: 0.12 }) > toleranceOf(stored, { median: 1, spread: 0.06 }))
  t.end()
})

test("ratios: each of Coterie's to the first peer of its workload, and what is worse is told by name", (t) => {
  const figures = [figure('classic-level', [10, 10]), figure('lmdb', [30, 30]), figure('Coterie r=1', [20, 20])]
  const alone = figure('Coterie r=1', [1], 'shared, 1 node')
  const stored = ratiosOf([...figures, alone])
  t.match(stored, [{ subject: 'Coterie r=1', beside: 'classic-level', median: 2, spread: 0 }])
  t.equal(stored.length, 1)
  const slower = ratiosOf([figure('classic-level', [10, 10]), figure('Coterie r=1', [15, 15])])
  t.match(compareRatios(stored, slower), [{ isWorse: true, stored: { median: 2 }, measured: { median: 1.5 } }])
  t.match(compareRatios(stored, stored), [{ isWorse: false }])
  t.same(compareRatios([], slower), [], 'nothing was kept')
  t.end()
})

test('results: what is measured anew takes the place of what was kept, and each figure keeps its run', (t) => {
  const run = (commit: string, workloads: readonly string[]): Run => ({
    ...{ at: '2026-11-28', commit, machine: 'a machine', load: 0, records: 1, missing: {}, workloads },
    rounds: { rounds: 1, roundMs: 1 },
  })
  const kept = {
    runs: [run('old', ['get', 'put', 'scan'])],
    figures: [figure('a', [1]), figure('b', [2]), figure('a', [3], 'put'), figure('a', [4], 'scan')],
  }
  const now = { runs: [run('new', ['put', 'batch'])], figures: [figure('a', [5], 'put'), figure('a', [6], 'batch')] }
  const merged = mergeResult(kept, now)
  t.same(
    merged.figures.map(({ workload, rounds }) => [workload, ...rounds]),
    [
      ['get', 1],
      ['get', 2],
      ['put', 5],
      ['scan', 4],
      ['batch', 6],
    ],
  )
  t.match(merged.runs, [
    { commit: 'old', workloads: ['get', 'scan'] },
    { commit: 'new', workloads: ['put', 'batch'] },
  ])
  const again = mergeResult(merged, {
    runs: [run('newest', ['get', 'scan'])],
    figures: [figure('a', [7]), figure('a', [8], 'scan')],
  })
  t.same(
    again.runs.map(({ commit }) => commit),
    ['new', 'newest'],
    'a run of which nothing is left is forgotten',
  )
  t.equal(mergeResult(undefined, now), now)
  t.end()
})

test('goals: a ratio to the fastest of the peers named; missed and unmeasured ones are said to be', (t) => {
  const goal = (least: number, beside: readonly string[]): Goal => ({
    ...{ title: 'gets', group: 'calls', workload: 'get', subject: 'Coterie r=1', aim: { least, beside } },
  })
  const figures = [
    figure('Redis', [10, 10, 10]),
    figure('Redis, auto-pipelined', [20, 20, 20]),
    figure('Coterie r=1', [30, 30, 30]),
    figure('Coterie r=1, 3 nodes', [40, 40, 40]),
    figure('Coterie r=1, no near cache', [10, 10, 10]),
  ]
  const both = ['Redis', 'Redis, auto-pipelined']
  t.match(judgeGoals([goal(1.5, both)], figures), [
    {
      verdict: 'met',
      measured: 1.5,
      beside: 'Redis, auto-pipelined',
      rates: [30, 20],
      onThreeNodes: 2,
      noNearCache: 0.5,
    },
  ])
  t.match(judgeGoals([goal(2, both)], figures), [{ verdict: 'MISSED', measured: 1.5 }])
  t.match(judgeGoals([goal(2, ['Redis'])], figures), [{ verdict: 'met', measured: 3 }])
  t.match(judgeGoals([goal(2, ['lmdb'])], figures), [{ verdict: 'not measured', measured: undefined }])
  t.match(judgeGoals([goal(2, both)], []), [{ verdict: 'not measured' }])
  t.end()
})

test('goals: of a bound the worst round counts', (t) => {
  const stall: Figure = { group: 'crash', workload: 'stall', subject: 'Coterie', unit: 'ms', rounds: [5, 30, 6] }
  const goal = (most: number): Goal => ({
    ...{ title: 'stall', group: 'crash', workload: 'stall', subject: 'Coterie', aim: { most, unit: 'ms' } },
  })
  t.match(judgeGoals([goal(20), goal(30)], [stall]), [{ verdict: 'MISSED', measured: 30 }, { verdict: 'met' }])
  t.end()
})
