/** Near caches of several threads on real nodes: fewer reads ask a node, and none shows what is not so any more. */

import { test } from 'tap'
import { eventOf, openForTest, outcomeOf, textOf } from '../support/cluster.js'
import { connectInThread } from '../support/other-thread.js'

const READS_MAX = 5_000_000
const SMALL = { nodes: 3, partitions: 16, nearCacheBytes: 1_048_576 } as const

test('near cache: read once, and then no node is asked until somebody writes', async (t) => {
  const cluster = await openForTest(t, SMALL)
  const other = await connectInThread(t, cluster.ticket())
  const hits = () => cluster.metrics().nearCacheHits
  await cluster.put('a', 'one', { w: 3 })
  t.equal(textOf(await cluster.get('a')), 'one')
  t.equal(hits(), 0)
  t.equal(textOf(await cluster.get('a')), 'one')
  t.equal(textOf(await cluster.get('a', { r: 1 })), 'one')
  t.equal(hits(), 2)
  t.equal(textOf(await cluster.get('a', { r: 3 })), 'one', 'more replicas than have been asked')
  t.equal(hits(), 2)

  await other.put('a', 'two', { w: 3 })
  t.equal(textOf(await cluster.get('a')), 'two', 'what another thread has written is seen at once')
  t.equal(hits(), 2)
  t.same((await cluster.getMany(['a', 'b', 'a'])).map(textOf), ['two', undefined, 'two'])
  t.equal(hits(), 4)
  t.equal(await cluster.get('b'), undefined, 'that there is no such key is kept too')
  t.equal(hits(), 5)

  await cluster.delete('a', { w: 3 })
  t.equal(await cluster.get('a'), undefined)
  t.equal(hits(), 5)
  t.equal(cluster.metrics().requests.get.ended, 10, 'every read counts as one')

  t.equal(await outcomeOf(cluster.get('b', { r: 4 })), 'INVALID_OPTION', 'what is asked of it is checked all the same')
  t.equal(await outcomeOf(cluster.get('b', { timeoutMs: 0 })), 'INVALID_OPTION')
  await cluster.close()
  t.equal(await outcomeOf(cluster.get('b')), 'CLOSED')
})

test('near cache: a node that dies or comes back ends what was kept before', async (t) => {
  const cluster = await openForTest(t, SMALL)
  const hits = () => cluster.metrics().nearCacheHits
  await cluster.put('a', 'one', { w: 3 })
  await cluster.get('a')
  await cluster.get('a')
  t.equal(hits(), 1)
  const up = eventOf(cluster, 'node:up')
  await cluster.faults.crash('node2')
  await up
  t.equal(textOf(await cluster.get('a')), 'one')
  t.equal(hits(), 1)
  t.equal(textOf(await cluster.get('a')), 'one')
  t.equal(hits(), 2)
})

test('near cache: two owners down for good are told, whatever was kept', async (t) => {
  const cluster = await openForTest(t, { ...SMALL, partitions: 16 })
  await cluster.put('a', 'one', { w: 3 })
  await cluster.get('a')
  await cluster.get('a')
  t.equal(cluster.metrics().nearCacheHits, 1)
  for (const node of ['node1', 'node2']) await cluster.faults.crash(node, { permanent: true })
  t.equal(await outcomeOf(cluster.get('a')), 'QUORUM_UNAVAILABLE')
})

test('near cache: with faults there is none unless it was asked for', async (t) => {
  const cluster = await openForTest(t, { nodes: 3, partitions: 16 })
  await cluster.put('a', 'one')
  for (let read = 0; read < 3; read++) t.equal(textOf(await cluster.get('a')), 'one')
  t.equal(cluster.metrics().nearCacheHits, 0)
})

test('near cache: the event loop turns while nothing but kept values are read', async (t) => {
  const cluster = await openForTest(t, SMALL)
  await cluster.put('a', 'one', { w: 3 })
  await cluster.get('a')
  for (const read of [() => cluster.get('a'), () => cluster.getMany(Array.from({ length: 64 }, () => 'a'))]) {
    let turns = 0
    const timer = setInterval(() => {
      turns += 1
    }, 0)
    const endMs = performance.now() + 20_000
    while (turns < 3 && performance.now() < endMs) await read()
    clearInterval(timer)
    t.equal(turns, 3)
  }
})

test('near cache: a read after a write that another thread has acknowledged shows it, or a later one', async (t) => {
  const cluster = await openForTest(t, SMALL)
  const other = await connectInThread(t, cluster.ticket())
  const keys = Array.from({ length: 8 }, (_, key) => `key ${key}`)
  let acknowledged = -1
  let stale = 0
  let reads = 0
  let isOver = false
  const reader = async (): Promise<void> => {
    // A cache that stops the event loop would keep this going for ever.
    while (!isOver && reads < READS_MAX) {
      const since = acknowledged
      const key = keys[reads % keys.length] as string
      const newest = since - ((((since - reads) % keys.length) + keys.length) % keys.length)
      const found = await cluster.get(key)
      if (newest >= 0 && Number(textOf(found)) < newest) stale += 1
      reads += 1
    }
  }
  const readers = [reader(), reader()]
  for (let write = 0; write < 600; write++) {
    await other.put(keys[write % keys.length] as string, `${write}`)
    acknowledged = write
  }
  isOver = true
  await Promise.all(readers)
  t.equal(stale, 0)
  t.ok(cluster.metrics().nearCacheHits > 100, `${cluster.metrics().nearCacheHits} of ${reads} reads asked no node`)
})

test('near cache: full copies whose majority follows the members', async (t) => {
  const cluster = await openForTest(t, { ...SMALL, replication: { n: 'all' } })
  await cluster.put('a', 'one', { w: 3 })
  for (let read = 0; read < 3; read++) {
    t.equal(await cluster.get('b'), undefined)
    t.equal(textOf(await cluster.get('a')), 'one')
  }
  t.equal(cluster.metrics().nearCacheHits, 4)
  await cluster.delete('a', { w: 3 })
  for (let read = 0; read < 3; read++) t.equal(await cluster.get('a'), undefined)
})

test('near cache: a call after the close rejects, whatever was kept', async (t) => {
  const cluster = await openForTest(t, SMALL)
  await cluster.put('a', 'one', { w: 3 })
  await cluster.get('a')
  await cluster.getMany([...Array.from({ length: 600 }, () => 'a'), 'b'])
  await cluster.close()
  const calls = [cluster.getMany(['a']), cluster.getMany([]), cluster.get(''), cluster.read('', { r: 0 })]
  for (const call of calls) t.equal(await outcomeOf(call), 'CLOSED')
})
