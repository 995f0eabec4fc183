/** Batches that are there as a whole or not at all, whoever dies in the middle of one. */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { test } from 'tap'
import type { Cluster, Ticket } from '../../src/index.js'
import { groupsOf, type WriterTask } from '../support/batch-writer.js'
import {
  collect,
  countOutcomes,
  folderForTest,
  nodeOf,
  openForTest,
  outcomeOf,
  textOf,
  until,
} from '../support/cluster.js'

const ROUNDS = 6
/** Acknowledged batches before a writer dies: a different number each time. */
const deathOf = (round: number): number => 40 + round * 37

test('logged batches: after a SIGKILL each is there as a whole or not at all', async (t) => {
  const location = await folderForTest(t)
  let from = 1
  for (let round = 0; round < ROUNDS; round++) {
    const task: WriterTask = { from, logged: true }
    const child = fork(new URL('../support/batches.child.js', import.meta.url), [location, JSON.stringify(task)])
    let count = 0
    child.on('message', () => {
      count += 1
      if (count === deathOf(round)) child.kill('SIGKILL')
    })
    await once(child, 'exit')
    const cluster = await openForTest(t, { location })
    const { broken, highest } = await groupsOf(cluster)
    t.same(broken, [], `round ${round}: up to number ${highest}`)
    t.ok(highest >= from)
    from = highest + 1
    await cluster.close()
  }
})

test('logged batches: a thread dies in the middle of some, and this one ends them', async (t) => {
  const cluster = await openForTest(t)
  let from = 1
  for (let round = 0; round < ROUNDS; round++) {
    const workerData: WriterTask & { readonly ticket: Ticket } = { from, logged: true, ticket: cluster.ticket() }
    const worker = new Worker(new URL('../support/batches.worker.js', import.meta.url), { workerData })
    let count = 0
    worker.on('message', () => {
      count += 1
      if (count === deathOf(round)) void worker.terminate()
    })
    await once(worker, 'exit')
    await until(() => cluster.status().gateways === 1)
    await cluster.settled({ timeoutMs: 20_000 })
    const { broken, highest } = await groupsOf(cluster)
    t.same(broken, [], `round ${round}: up to number ${highest}`)
    from = highest + 1
  }
})

test('logged batches: what cannot be written now is written once its owners are back, and its caller hears that nobody knows', async (t) => {
  const cluster = await openForTest(t, { writeTimeoutMs: 300, hungAfterMs: 10_000 })
  const away = cluster.locate('there').owners.slice(0, 2)
  const pairs = pairsApart(cluster, away, 20)
  const paused = away.map((node) => cluster.faults.pause(node, 1_500))
  const outcomes = await countOutcomes(
    pairs.map((keys) =>
      cluster.batch(
        keys.map((key) => ({ type: 'put' as const, key, value: 'new' })),
        { logged: true },
      ),
    ),
  )
  t.same(outcomes, { OUTCOME_UNKNOWN: 20 })
  await Promise.all(paused)
  await cluster.settled({ timeoutMs: 20_000 })
  const ends = await Promise.all(
    pairs.map(async (keys) => (await cluster.getMany(keys, { r: 3 })).map(textOf).join(' and ')),
  )
  // Where those that were away own the log as well, there was none, and nothing is written.
  const written = ends.filter((end) => end === 'new and new').length
  const none = ends.filter((end) => end === ' and ').length
  t.equal(written + none, 20)
  t.ok(written > 0, `${written} are written`)
  for (const node of away) t.equal(nodeOf(cluster, node).status, 'up')
})

test("logged batches: the log is nobody's to see or to write", async (t) => {
  const cluster = await openForTest(t)
  const operations = Array.from({ length: 50 }, (_, index) => ({
    type: 'put' as const,
    key: `key ${index}`,
    value: 'x',
  }))
  const batches = Array.from({ length: 20 }, () => cluster.batch(operations, { logged: true }))
  const during = await collect(cluster.scan())
  t.ok(during.every(([key]) => textOf(key)?.startsWith('key ')))
  await Promise.all(batches)
  t.equal((await collect(cluster.scan())).length, 50)
  const own = Buffer.from('\xff\xff\xff\xffcoterie/batch/x', 'latin1')
  t.equal(await outcomeOf(cluster.put(own, 'x')), 'INVALID_KEY')
  t.equal(await outcomeOf(cluster.put(own.subarray(0, 12), 'x')), 'ok', 'only those')
})

test('logged batches: one key, duplicates, nothing at all, long values, and not under siblings', async (t) => {
  const cluster = await openForTest(t)
  await cluster.batch([{ type: 'put', key: 'one', value: '1' }], { logged: true })
  await cluster.batch([], { logged: true })
  await cluster.batch(
    [
      { type: 'put', key: 'a', value: 'old' },
      { type: 'put', key: 'b', value: 'x'.repeat(3_000_000) },
      { type: 'del', key: 'one' },
      { type: 'put', key: 'a', value: 'new' },
    ],
    { logged: true },
  )
  const [a, b, one] = await cluster.getMany(['a', 'b', 'one'])
  t.same([textOf(a), b?.byteLength, one], ['new', 3_000_000, undefined])
  // @ts-expect-error: what JavaScript may give
  t.equal(await outcomeOf(cluster.batch([], { logged: 'yes' })), 'INVALID_OPTION')
  const siblings = await openForTest(t, { conflict: 'siblings' })
  t.equal(await outcomeOf(siblings.batch([], { logged: true })), 'INVALID_OPTION')
})

/** Of each pair the first key can be written while these two are away, and the second cannot. */
function pairsApart(cluster: Cluster, away: readonly string[], count: number): string[][] {
  const keys = Array.from({ length: 2_000 }, (_, number) => `key ${number}`)
  const awayOf = (key: string) => cluster.locate(key).owners.filter((owner) => away.includes(owner)).length
  const [here, there] = [keys.filter((key) => awayOf(key) < 2), keys.filter((key) => awayOf(key) === 2)]
  return Array.from({ length: count }, (_, pair) => [here[pair] as string, there[pair] as string])
}
