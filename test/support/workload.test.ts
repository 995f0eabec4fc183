/** The workload and the checker together, on a model that keeps the rules and on models that break one each. */

import { setImmediate as turn } from 'node:timers/promises'
import { test } from 'tap'
import { checkLinearizability, type Verdict } from '../../src/sim/checkers/linearizability.js'
import { History, operationsByKey } from './history.js'
import { type ModelFaults, ModelStore } from './model-store.js'
import { longestStalls, summarizeLatency, summarizeStalls } from './stalls.js'
import { newCounter, numberOf, startWorkload, textOf, type WorkloadReport } from './workload.js'

test('workload: a store that keeps the rules is found linearizable, and nothing failed', async (t) => {
  const { report, verdict } = await runModel({ seed: 1 })
  t.same(report.failures, [])
  t.same(verdict.violations, [])
  t.ok(verdict.keys >= 16 && verdict.operations === report.requests, `${verdict.operations} on ${verdict.keys} keys`)
})

test('workload: keys change with the generations, so that a history stays small enough to be searched', async (t) => {
  const { report } = await runModel({ seed: 1 })
  const sizes = [...operationsByKey([report.history])].map((operations) => operations.length)
  t.ok(sizes.length > 8, `${sizes.length} keys`)
  t.ok(Math.max(...sizes) < 1_000, `at most ${Math.max(...sizes)} operations on a key`)
})

for (const [name, faults] of Object.entries({
  'stale reads': { seed: 2, staleReads: 0.01 },
  'lost puts': { seed: 3, lostPuts: 0.01 },
  'undone deletes': { seed: 4, undoneDeletes: 0.3 },
})) {
  test(`workload: a store with ${name} is caught`, async (t) => {
    const { verdict } = await runModel(faults)
    t.ok(verdict.violations.length > 0, `${verdict.violations.length} keys`)
  })
}

test('workload: writes of unknown outcome are accepted whether they took effect or not', async (t) => {
  const { report, verdict } = await runModel({ seed: 5, failures: { code: 'OUTCOME_UNKNOWN', share: 0.02 } })
  t.ok(report.failures.length > 10)
  t.match(report.failures[0], { code: 'OUTCOME_UNKNOWN', message: /OUTCOME_UNKNOWN/, key: /^soak:/ })
  t.same(verdict.violations, [])
})

test('workload: definite failures are counted and must not have taken effect', async (t) => {
  const { report, verdict } = await runModel({ seed: 6, failures: { code: 'TIMEOUT', share: 0.02 } })
  t.ok(report.failures.length > 10)
  t.same(verdict.violations, [])
})

test('workload: a request that is never answered is an error, not a hung test', async (t) => {
  class Silent extends ModelStore {
    override get(): Promise<undefined> {
      return new Promise(() => undefined)
    }
  }
  const mix = { get: 1, put: 0, delete: 0 }
  const workload = startWorkload(new Silent({ seed: 1 }), { callers: 3, seed: 1, counter: newCounter(), mix })
  await t.rejects(workload.stop({ withinMs: 50 }), { message: '3 requests were not answered within 50 ms' })
})

test('workload: a value says its number, and bytes that no put has written are none', (t) => {
  t.equal(numberOf(Buffer.from(textOf(12, 100)), 100), 12)
  t.equal(textOf(12, 100).length, 100)
  t.equal(numberOf(undefined, 100), -1)
  t.same(numberOf(Buffer.from(textOf(12, 99)), 100), Number.NaN)
  t.same(numberOf(Buffer.from('rubbish'), 100), Number.NaN)
  t.end()
})

test('stalls: a request is put down to the fault in whose time it spent the most', (t) => {
  const row = (invokedAt: number, returnedAt: number) =>
    ({
      key: 1,
      kind: 'get',
      outcome: 'answered',
      value: -1,
      invokedAt: invokedAt * 1e6,
      returnedAt: returnedAt * 1e6,
    }) as const
  const fault = (kind: string, at: number) => ({ kind, node: 'node1', injectedAt: at * 1e6 })
  const rows = [row(0, 3), row(5, 45), row(11, 12), row(50, 51), row(99, 220), row(210, 290), row(160, 260)]
  const stalls = longestStalls(rows, [fault('crash', 10), fault('hang', 100), fault('crash', 250)])
  const found = stalls.map(({ latencyMs, fault: cause }) => [cause?.kind, latencyMs])
  t.same(found, [
    [undefined, 3],
    ['crash', 40],
    ['hang', 121],
    ['crash', 80],
  ])
  const crash = summarizeStalls(stalls).find(({ faultKind }) => faultKind === 'crash')
  t.same(crash, { faultKind: 'crash', faults: 2, longestMsMedian: 80, longestMsMax: 80 })
  t.same(summarizeLatency(rows), { p50: 40, p99: 121, p999: 121, max: 121 })
  t.end()
})

test('history: rows survive the way to another thread and the border between two chunks', (t) => {
  const history = new History()
  for (let key = 0; key < 70_000; key++) history.end(history.begin(key, 'put', key), 'answered')
  const copy = new History(structuredClone(history.toData()))
  t.equal(copy.length, 70_000)
  t.match(copy.row(65_536), { key: 65_536, kind: 'put', outcome: 'answered', value: 65_536 })
  t.throws(() => copy.row(200_000), RangeError)
  t.end()
})

async function runModel(faults: ModelFaults): Promise<{ report: WorkloadReport; verdict: Verdict }> {
  const counter = newCounter()
  const options = { callers: 16, seed: faults.seed, counter, keysInUse: 8, operationsPerKey: 200 }
  const workload = startWorkload(new ModelStore(faults), options)
  while (Atomics.load(counter, 0) < 10_000) await turn()
  const report = await workload.stop()
  return { report, verdict: checkLinearizability([...operationsByKey([report.history])].flat()) }
}
