/**
 * A cut with clients on both sides: this thread's gateway with some of the nodes on the one, a `connect`ed thread with the
 * rest on the other. Strict writes on both, heal, and everything that was acknowledged must be there.
 *
 * Two trials of each kind in `npm test`; more: `CUT_TRIALS=20 npx tap run --timeout=900` and this file.
 */

import { test } from 'tap'
import type { Cluster, KeyValueStore } from '../../src/index.js'
import { Prng } from '../../src/protocol/prng.js'
import { checkLinearizability } from '../../src/sim/checkers/linearizability.js'
import { startCallerThread } from '../support/caller-thread.js'
import { copiesOf, nodeIds, openForTest, outcomeOf, textOf, until } from '../support/cluster.js'
import { countOf } from '../support/faults.js'
import { History, operationsByKey } from '../support/history.js'
import { connectInThread } from '../support/other-thread.js'
import { keyOf, newCounter, numberOf, startWorkload, type WorkloadReport } from '../support/workload.js'

const TRIALS = Number(process.env['CUT_TRIALS'] ?? 2)
const SETTLED = { timeoutMs: 30_000 }
const DEADLINE = { timeoutMs: 150 }
const VALUE_BYTES = 100

/** By chance two or three of the five nodes are on this thread's side. */
function sidesOf(cluster: Cluster, seed: number): { here: string[]; there: string[] } {
  const nodes = new Prng(seed).shuffled(nodeIds(cluster))
  const count = 2 + (seed % 2)
  return { here: nodes.slice(0, count), there: nodes.slice(count) }
}

for (let seed = 1; seed <= TRIALS; seed++) {
  test(`cut with clients on both sides, trial ${seed}: every key's history is linearizable`, async (t) => {
    const cluster = await openForTest(t, { seed })
    const workload = {
      ...{ callers: 6, counter: newCounter(), valueBytes: VALUE_BYTES, requestsPerSecondMax: 3_000 },
      ...{ getOptions: DEADLINE, putOptions: DEADLINE },
    }
    const far = await startCallerThread({ ticket: cluster.ticket(), workload: { ...workload, seed: seed * 2 } })
    const near = startWorkload(cluster, { ...workload, seed: seed * 2 + 1 })
    const { here, there } = sidesOf(cluster, seed)
    await until(() => Atomics.load(workload.counter, 0) > 500)
    await cluster.faults.cut([cluster.id, ...here], [far.id, ...there])
    const before = Atomics.load(workload.counter, 0)
    await until(() => Atomics.load(workload.counter, 0) > before + 250 && countOf(cluster, 'dropped') > 50)
    await cluster.faults.heal()
    const healed = Atomics.load(workload.counter, 0)
    await until(() => Atomics.load(workload.counter, 0) > healed + 500)
    const reports = await Promise.all([near.stop(), far.stop()])
    await cluster.settled(SETTLED)

    for (const [side, report] of [
      ['here', reports[0]],
      ['there', reports[1]],
    ] as const) {
      t.comment(`${side}: ${report.requests} requests, ${report.failures.length} failed`)
      t.same(unexpected(report), [], 'a request without a quorum fails with its code')
      t.ok(report.failures.length > 0, 'the cut was felt')
      t.ok(report.failures.length < report.requests / 2, 'and those with a quorum went on')
    }
    const histories = reports.map(({ history }) => history)
    const readBack = await readAllBack(cluster, histories)
    const violations = [...operationsByKey([...histories, readBack])].flatMap(
      (operations) => checkLinearizability(operations).violations,
    )
    t.same(violations, [])
    const live = [...readBack.rows()].filter(({ value }) => value !== -1).length
    t.equal(copiesOf(cluster), 3 * live, 'every copy is in its place')
  })

  test(`cut with clients on both sides, trial ${seed}, siblings: every acknowledged write is kept`, async (t) => {
    const cluster = await openForTest(t, { seed, conflict: 'siblings' })
    const other = await connectInThread(t, cluster.ticket())
    const { here, there } = sidesOf(cluster, seed)
    const keys = Array.from({ length: 30 }, (_, number) => `key ${number}`)
    const told: { readonly write: string; readonly outcome: string }[] = []
    const putAll = async (store: Pick<KeyValueStore, 'id' | 'put'>, when: string): Promise<void> => {
      const value = `${when} by ${store.id}`
      const put = async (key: string): Promise<void> => {
        const outcome = await outcomeOf(store.put(key, value, DEADLINE))
        told.push({ write: `${key}: ${value}`, outcome })
      }
      await Promise.all(keys.map(put))
    }
    const withOutcome = (wanted: string) => told.flatMap(({ write, outcome }) => (outcome === wanted ? [write] : []))
    await cluster.faults.cut([cluster.id, ...here], [other.id, ...there])
    for (let round = 0; round < 4; round++) {
      await Promise.all([putAll(cluster, `round ${round}`), putAll(other, `round ${round}`)])
    }
    const [acknowledged, unknown, refused] = ['ok', 'OUTCOME_UNKNOWN', 'TIMEOUT'].map(withOutcome)
    t.comment(`acknowledged ${acknowledged?.length}, unknown ${unknown?.length}, refused ${refused?.length}`)
    for (const store of [cluster, other])
      t.ok(
        acknowledged?.some((write) => write.endsWith(`by ${store.id}`)),
        `some by ${store.id}`,
      )
    t.ok((unknown?.length ?? 0) > 0, 'the cut was felt')
    await cluster.faults.heal()
    await Promise.all([putAll(cluster, 'afterwards'), putAll(other, 'afterwards')])
    await cluster.settled(SETTLED)
    const kept = new Set<string>()
    for (const key of keys) {
      const { values } = await cluster.read(key, { r: 3, timeoutMs: 10_000 })
      for (const value of values) kept.add(`${key}: ${textOf(value)}`)
    }
    const lost = withOutcome('ok').filter((write) => !kept.has(write))
    t.same(lost, [], 'none is lost')
    const revived = withOutcome('TIMEOUT').filter((write) => kept.has(write))
    t.same(revived, [], 'what was refused is nowhere')
    const known = told.filter(({ outcome }) => ['ok', 'OUTCOME_UNKNOWN', 'TIMEOUT'].includes(outcome))
    t.equal(known.length, told.length, 'a request without a quorum fails with its code')
    await other.close()
  })
}

/** Failures with another code than a missing quorum gives. */
function unexpected({ failures }: WorkloadReport): string[] {
  const codes = failures.map(({ kind, code }) => `${kind}: ${code}`)
  const allowed = ['get: TIMEOUT', 'put: OUTCOME_UNKNOWN', 'put: TIMEOUT', 'delete: OUTCOME_UNKNOWN', 'delete: TIMEOUT']
  return [...new Set(codes)].filter((code) => !allowed.includes(code))
}

/** Every key that was used, read from all its owners, as operations of the same history. */
async function readAllBack(cluster: Cluster, histories: readonly History[]): Promise<History> {
  const keys = [...new Set(histories.flatMap((history) => [...history.rows()].map(({ key }) => key)))]
  const history = new History()
  const rows = keys.map((key) => history.begin(key, 'get', -1))
  const values = await cluster.getMany(keys.map(keyOf), { r: 3, timeoutMs: 10_000 })
  for (const [index, row] of rows.entries()) history.end(row, 'answered', numberOf(values[index], VALUE_BYTES))
  return history
}
