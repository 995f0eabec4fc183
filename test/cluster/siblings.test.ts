/** `conflict: 'siblings'`: concurrent values are all kept, and a put with their context supersedes exactly those. */

import root, { test } from 'tap'
import type { KeyValueStore } from '../../src/index.js'
import { openForTest, outcomeOf, textOf, wrongRecords } from '../support/cluster.js'
import { connectInThread } from '../support/other-thread.js'

const SIBLINGS = { conflict: 'siblings' } as const

/** For the tests that only call; each has a key of its own. */
const shared = await openForTest(root, SIBLINGS)

test('siblings: concurrent puts without a context are all kept', async (t) => {
  const values = Array.from({ length: 20 }, (_, number) => `value ${number}`)
  await Promise.all(values.map((value) => shared.put('many', value)))
  t.same(await valuesOf(shared, 'many'), values.sort())
})

test('siblings: values put through two threads are all kept', async (t) => {
  const connected = await connectInThread(t, shared.ticket())
  await Promise.all([shared.put('threads', 'here'), connected.put('threads', 'there')])
  t.same(await valuesOf(connected, 'threads'), ['here', 'there'])
  await connected.close()
})

test('siblings: a put with a context supersedes what was read and nothing else', async (t) => {
  await Promise.all([shared.put('context', 'a'), shared.put('context', 'b')])
  const { context } = await shared.read('context')
  await shared.put('context', 'unseen')
  await shared.put('context', 'merged', { context })
  t.same(await valuesOf(shared, 'context'), ['merged', 'unseen'])
  await shared.put('context', 'again', { context })
  t.same(
    await valuesOf(shared, 'context'),
    ['again', 'merged', 'unseen'],
    'an old context supersedes only what it has seen',
  )
  await shared.put('context', 'last', { context: (await shared.read('context')).context })
  t.same(await valuesOf(shared, 'context'), ['last'])
  t.equal(textOf(await shared.get('context')), 'last')
})

test('siblings: a delete with a context removes what was read and keeps what was not', async (t) => {
  await shared.put('delete', 'a')
  const { context } = await shared.read('delete')
  await shared.put('delete', 'b')
  await shared.delete('delete', { context })
  t.same(await valuesOf(shared, 'delete'), ['b'])
  await shared.delete('delete', { context: (await shared.read('delete')).context })
  t.same(await valuesOf(shared, 'delete'), [])
  t.equal(await shared.get('delete'), undefined)
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
  let outcome = 'ok'
  let kept = 0
  for (; outcome === 'ok' && kept < 1_000; kept++) outcome = await outcomeOf(shared.put('limit', `value ${kept}`))
  t.equal(outcome, 'SIBLINGS_LIMIT', `after ${kept} puts`)
  const { context, values } = await shared.read('limit')
  t.equal(values.length, kept - 1)
  await shared.put('limit', 'merged', { context })
  t.same(await valuesOf(shared, 'limit'), ['merged'])
})

test('siblings: a context that no read has given is refused', async (t) => {
  await shared.put('rubbish', 'value')
  const { context } = await shared.read('rubbish')
  // Not a counter that was changed: that is another context, and as good as any (see `protocol/versions/context.ts`).
  for (const wrong of ['rubbish', `${context}~`, context.slice(1)]) {
    t.equal(await outcomeOf(shared.put('rubbish', 'new', { context: wrong })), 'INVALID_CONTEXT', JSON.stringify(wrong))
  }
  t.same(await valuesOf(shared, 'rubbish'), ['value'])
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
