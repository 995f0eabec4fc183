/** `conflict: 'siblings'`: concurrent values are all kept, and a put with their context supersedes exactly those. */

import { test } from 'tap'
import type { KeyValueStore } from '../../src/index.js'
import { openForTest, outcomeOf, textOf, wrongRecords } from '../support/cluster.js'
import { connectInThread } from '../support/other-thread.js'

const SIBLINGS = { conflict: 'siblings' } as const

test('siblings: concurrent puts without a context are all kept', async (t) => {
  const cluster = await openForTest(t, SIBLINGS)
  const values = Array.from({ length: 20 }, (_, number) => `value ${number}`)
  await Promise.all(values.map((value) => cluster.put('key', value)))
  t.same(await valuesOf(cluster, 'key'), values.sort())
})

test('siblings: values put through two threads are all kept', async (t) => {
  const cluster = await openForTest(t, SIBLINGS)
  const connected = await connectInThread(t, cluster.ticket())
  await Promise.all([cluster.put('key', 'here'), connected.put('key', 'there')])
  t.same(await valuesOf(connected, 'key'), ['here', 'there'])
  await connected.close()
})

test('siblings: a put with a context supersedes what was read and nothing else', async (t) => {
  const cluster = await openForTest(t, SIBLINGS)
  await Promise.all([cluster.put('key', 'a'), cluster.put('key', 'b')])
  const { context } = await cluster.read('key')
  await cluster.put('key', 'unseen')
  await cluster.put('key', 'merged', { context })
  t.same(await valuesOf(cluster, 'key'), ['merged', 'unseen'])
  await cluster.put('key', 'again', { context })
  t.same(
    await valuesOf(cluster, 'key'),
    ['again', 'merged', 'unseen'],
    'an old context supersedes only what it has seen',
  )
  await cluster.put('key', 'last', { context: (await cluster.read('key')).context })
  t.same(await valuesOf(cluster, 'key'), ['last'])
  t.equal(textOf(await cluster.get('key')), 'last')
})

test('siblings: a delete with a context removes what was read and keeps what was not', async (t) => {
  const cluster = await openForTest(t, SIBLINGS)
  await cluster.put('key', 'a')
  const { context } = await cluster.read('key')
  await cluster.put('key', 'b')
  await cluster.delete('key', { context })
  t.same(await valuesOf(cluster, 'key'), ['b'])
  await cluster.delete('key', { context: (await cluster.read('key')).context })
  t.same(await valuesOf(cluster, 'key'), [])
  t.equal(await cluster.get('key'), undefined)
})

test('siblings: survive the crash of their owners and a wiped store', async (t) => {
  const cluster = await openForTest(t, SIBLINGS)
  await Promise.all(['a', 'b', 'c'].map((value) => cluster.put('key', value)))
  const [first = '', second = ''] = cluster.locate('key').owners
  await cluster.faults.crash(first)
  t.same(await valuesOf(cluster, 'key'), ['a', 'b', 'c'])
  await cluster.faults.wipe(second)
  await cluster.settled()
  const { context } = await cluster.read('key', { r: 3 })
  t.same(await valuesOf(cluster, 'key'), ['a', 'b', 'c'])
  await cluster.put('key', 'merged', { context })
  t.same(await valuesOf(cluster, 'key'), ['merged'])
  t.same(await wrongRecords(cluster, new Map([['key', 'merged']]), { r: 3 }), [])
})

test('siblings: past the limit a put without a context is refused, one with a context is not', async (t) => {
  const cluster = await openForTest(t, SIBLINGS)
  let outcome = 'ok'
  let kept = 0
  for (; outcome === 'ok' && kept < 1_000; kept++) outcome = await outcomeOf(cluster.put('key', `value ${kept}`))
  t.equal(outcome, 'SIBLINGS_LIMIT', `after ${kept} puts`)
  const { context, values } = await cluster.read('key')
  t.equal(values.length, kept - 1)
  await cluster.put('key', 'merged', { context })
  t.same(await valuesOf(cluster, 'key'), ['merged'])
})

test('siblings: a context that no read has given is refused', async (t) => {
  const cluster = await openForTest(t, SIBLINGS)
  await cluster.put('key', 'value')
  const { context } = await cluster.read('key')
  // Not a counter that was changed: that is another context, and as good as any (see `protocol/versions/context.ts`).
  for (const wrong of ['rubbish', `${context}~`, context.slice(1)]) {
    t.equal(await outcomeOf(cluster.put('key', 'new', { context: wrong })), 'INVALID_CONTEXT', JSON.stringify(wrong))
  }
  t.same(await valuesOf(cluster, 'key'), ['value'])
})

async function valuesOf(store: Pick<KeyValueStore, 'read'>, key: string): Promise<(string | undefined)[]> {
  const { values } = await store.read(key)
  return values.map(textOf).sort()
}

test('siblings: as many puts in one turn as may be in flight are all kept, and no node is taken for hung', async (t) => {
  const cluster = await openForTest(t, { ...SIBLINGS, nodes: 3, writeTimeoutMs: 60_000 })
  const hung: string[] = []
  cluster.on('node:hung', ({ node }) => hung.push(node))
  const puts = Array.from({ length: 12_000 }, (_, number) => cluster.put(`key ${number}`, `value ${number}`))
  const failed = (await Promise.allSettled(puts)).filter(({ status }) => status === 'rejected')
  t.same(failed, [])
  t.same(hung, [])
})
