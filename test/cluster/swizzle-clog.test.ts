/** Swizzle-clog: links fail one by one and come back one by one, in another order, while callers are at work. */

import { test } from 'tap'
import type { Cluster } from '../../src/index.js'
import { Prng } from '../../src/protocol/prng.js'
import { checkLinearizability, describeViolation } from '../../src/sim/checkers/linearizability.js'
import { copiesOf, nodeIds, openForTest, outcomeOf } from '../support/cluster.js'
import { countOf } from '../support/faults.js'
import { operationsByKey } from '../support/history.js'
import { newCounter, startWorkload } from '../support/workload.js'

const SEED = 24
/** Questions that are answered, well or not, between two changes: no time is waited for. */
const QUESTIONS = 150

async function ask(cluster: Cluster): Promise<void> {
  for (let number = 0; number < QUESTIONS; number++)
    await outcomeOf(cluster.get(`question ${number}`, { r: 1, timeoutMs: 50 }))
}

test('swizzle-clog: three nodes are clogged one by one and unclogged in another order; every history stays linearizable', async (t) => {
  const cluster = await openForTest(t)
  const prng = new Prng(SEED)
  const clogged = prng.shuffled(nodeIds(cluster)).slice(0, 3)
  const othersOf = (node: string) => [cluster.id, ...nodeIds(cluster).filter((other) => other !== node)]
  const deadline = { timeoutMs: 400 }
  const options = { callers: 8, seed: SEED, counter: newCounter(), keysInUse: 16, operationsPerKey: 60 }
  const workload = startWorkload(cluster, { ...options, getOptions: deadline, putOptions: deadline })
  for (const node of clogged) {
    await cluster.faults.cut(node, othersOf(node))
    await ask(cluster)
  }
  t.ok(countOf(cluster, 'dropped') > 0)
  for (const node of prng.shuffled(clogged)) {
    await cluster.faults.heal(node, othersOf(node))
    await ask(cluster)
  }
  const { history, requests, failures } = await workload.stop()
  t.same(
    failures.filter(({ code }) => code === 'UNEXPECTED'),
    [],
  )
  t.ok(requests > failures.length, `${requests} requests, ${failures.length} failed`)
  await cluster.settled({ timeoutMs: 30_000 })
  const verdicts = [...operationsByKey([history])].map((operations) => checkLinearizability(operations))
  t.same(
    verdicts.flatMap(({ violations }) => violations.map(describeViolation)),
    [],
  )
  t.equal(copiesOf(cluster) % 3, 0, 'all copies are in their place')
})
