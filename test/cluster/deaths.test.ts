/** However a node's thread dies, and however often: no request fails, nothing is lost, every node and copy comes back. */

import { BroadcastChannel } from 'node:worker_threads'
import { test } from 'tap'
import type { Cluster } from '../../src/index.js'
import { checkLinearizability } from '../../src/sim/checkers/linearizability.js'
import { copiesOf, eventOf, loadRecords, nodeIds, nodeOf, openForTest, wrongRecords } from '../support/cluster.js'
import { operationsByKey } from '../support/history.js'
import type { Death } from '../support/mortal-node.worker.js'
import { memoryMb } from '../support/soak-parts/part.js'
import { newCounter, startWorkload } from '../support/workload.js'

const WORKERS = { workers: { node: new URL('../support/mortal-node.worker.js', import.meta.url) } }
const LOAD = { callers: 8, seed: 1, requestsPerSecondMax: 2_000 }

const DEATHS: Readonly<Record<Death, RegExp>> = {
  exit: /exit code 7/,
  throw: /thrown on purpose/,
  reject: /rejected on purpose/,
  heap: /ERR_WORKER_OUT_OF_MEMORY|memory/i,
}

test('deaths: exit, throw, rejection and a full heap end one thread alone, and are told by what they were', async (t) => {
  // Not taken for hung while it collects garbage: the heap limit is to end it.
  const cluster = await openForTest(t, { ...WORKERS, nodeHeapMb: 48, hungAfterMs: 60_000 })
  const workload = startWorkload(cluster, { ...LOAD, counter: newCounter() })
  for (const [death, told] of Object.entries(DEATHS) as [Death, RegExp][]) {
    const exited = eventOf(cluster, 'node:exit', ({ node }) => node === 'node2')
    kill(cluster, 'node2', death)
    const [{ reason, error }] = await exited
    t.match(`${reason} ${String(error)}`, told, death)
    await cluster.settled({ timeoutMs: 30_000 })
  }
  const { history, failures } = await workload.stop()
  t.same(failures, [])
  t.same(checkLinearizability([...operationsByKey([history])].flat()).violations, [])
  t.equal(nodeOf(cluster, 'node2').restarts, 4)
  t.ok(
    nodeIds(cluster).every((node) => node === 'node2' || nodeOf(cluster, node).restarts === 0),
    'the others did not notice',
  )
})

test('deaths: a rolling restart under load fails no request', async (t) => {
  const cluster = await openForTest(t, { restartsMax: 100 })
  const workload = startWorkload(cluster, { ...LOAD, counter: newCounter() })
  for (const node of nodeIds(cluster)) {
    await cluster.faults.crash(node)
    await cluster.settled({ timeoutMs: 30_000 })
  }
  const { history, failures } = await workload.stop()
  t.same(failures, [])
  t.same(checkLinearizability([...operationsByKey([history])].flat()).violations, [])
})

test('deaths: a storm that kills all nodes at once, again and again, loses nothing and leaves nothing behind', async (t) => {
  const cluster = await openForTest(t, { restartsMax: 1_000 })
  const records = await loadRecords(cluster, 500)
  const epoch = cluster.status().epoch
  let before = leftovers()
  for (let round = 0; round < 5; round++) {
    // Once everything has been restarted once: what is made at the first restart stays.
    if (round === 1) before = leftovers()
    const threads = nodeIds(cluster).map((node) => nodeOf(cluster, node).incarnation)
    await Promise.all(nodeIds(cluster).map((node) => cluster.faults.crash(node)))
    await Promise.all(
      nodeIds(cluster).map((node, index) =>
        nodeOf(cluster, node).incarnation > (threads[index] ?? 0) && nodeOf(cluster, node).status === 'up'
          ? undefined
          : eventOf(cluster, 'node:up', (facts) => facts.node === node),
      ),
    )
  }
  await cluster.settled({ timeoutMs: 60_000 })
  t.same(await wrongRecords(cluster, records, { r: 3, timeoutMs: 10_000 }), [])
  t.equal(copiesOf(cluster), 1_500)
  t.equal(cluster.status().epoch, epoch, 'nobody was given up, no partition moved')
  const after = leftovers()
  // A spare thread may be there or not; twenty restarts that each left something would leave twenty.
  t.ok(
    after.resources < before.resources + 10,
    `${after.resources} ports, timers and threads, ${before.resources} before`,
  )
  t.ok(after.heldMb < before.heldMb * 1.1, `${after.heldMb.toFixed(1)} MB held, ${before.heldMb.toFixed(1)} MB before`)
})

/** What this thread holds. */
function leftovers(): { readonly resources: number; readonly heldMb: number } {
  return { resources: process.getActiveResourcesInfo().length, heldMb: memoryMb().held }
}

function kill(cluster: Cluster, node: string, death: Death): void {
  const { threadId } = nodeOf(cluster, node)
  const channel = new BroadcastChannel('coterie-test-deaths')
  channel.postMessage({ threadId, death })
  channel.close()
}
