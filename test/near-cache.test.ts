/** A thread's own cache of values: shows what the replicas would answer, or nothing. */

import { test } from 'tap'
import { MISSED, NearCache } from '../src/near-cache.js'
import { NodeMarks, WriteMarks } from '../src/storage/write-marks.js'

function made(bytes = 1_048_576) {
  const marks = new WriteMarks()
  return { marks, node: new NodeMarks(marks.shared, NodeMarks.newCounts()), near: new NearCache(bytes, marks) }
}

test('near cache: keeps values and the lack of one, for reads of as many replicas or fewer', async (t) => {
  const { near } = made()
  near.keep('a', 2, near.markOf('a', 1), Buffer.from('value'))
  near.keep('b', 1, near.markOf('b', 1), undefined)
  t.same(near.find('a', 1, 1), Buffer.from('value'))
  t.same(near.find('a', 2, 1), Buffer.from('value'))
  t.equal(near.find('a', 3, 1), MISSED)
  t.equal(near.find('b', 1, 1), undefined)
  t.equal(near.find('b', 2, 1), MISSED)
  t.equal(near.find('c', 1, 1), MISSED)
})

test('near cache: what it gives and what it is given are copies', async (t) => {
  const { near } = made()
  const given = Buffer.from('value')
  near.keep('a', 1, near.markOf('a', 1), given)
  given.fill('x')
  const found = near.find('a', 1, 1) as Uint8Array
  t.same(found, Buffer.from('value'))
  found.fill(0)
  t.same(near.find('a', 1, 1), Buffer.from('value'))
})

test('near cache: a write ends it from its beginning on', async (t) => {
  const { near, node } = made()
  near.keep('a', 1, near.markOf('a', 1), Buffer.from('old'))
  node.begin('a')
  t.equal(near.find('a', 1, 1), MISSED)
  const during = near.markOf('a', 1)
  near.keep('a', 1, during, Buffer.from('old'))
  t.equal(near.find('a', 1, 1), MISSED, 'what was read while it was written is not kept')
  node.end('a')
  near.keep('a', 1, during, Buffer.from('old'))
  t.equal(near.find('a', 1, 1), MISSED)
  near.keep('a', 1, near.markOf('a', 1), Buffer.from('new'))
  t.same(near.find('a', 1, 1), Buffer.from('new'))
})

test('near cache: a write that ended between the question and the answer', async (t) => {
  const { near, node } = made()
  const mark = near.markOf('a', 1)
  node.begin('a')
  node.end('a')
  near.keep('a', 1, mark, Buffer.from('old'))
  t.equal(near.find('a', 1, 1), MISSED)
})

test('near cache: nothing of an earlier generation', async (t) => {
  const { near, marks } = made()
  near.keep('a', 1, near.markOf('a', 1), Buffer.from('old'))
  const mark = near.markOf('b', 1)
  marks.forgetAll()
  near.keep('b', 1, mark, Buffer.from('old'))
  t.equal(near.find('a', 1, 1), MISSED)
  t.equal(near.find('b', 1, 1), MISSED)
})

test('near cache: what is too large for it is left out, and what it has stays', async (t) => {
  const { near } = made(65_536)
  near.keep('a', 1, near.markOf('a', 1), Buffer.from('small'))
  near.keep('b', 1, near.markOf('b', 1), Buffer.alloc(8_192))
  t.equal(near.find('b', 1, 1), MISSED)
  t.same(near.find('a', 1, 1), Buffer.from('small'))
  const large = made(8_388_608).near
  large.keep('c', 1, large.markOf('c', 1), Buffer.alloc(65_537))
  t.equal(large.find('c', 1, 1), MISSED)
  large.keep('c', 1, large.markOf('c', 1), Buffer.alloc(65_536, 1))
  t.same(large.find('c', 1, 1), Buffer.alloc(65_536, 1))
})

test('near cache: without bytes it keeps nothing', async (t) => {
  const { near } = made(0)
  near.keep('a', 1, near.markOf('a', 1), Buffer.from('value'))
  t.equal(near.find('a', 1, 1), MISSED)
})

test('near cache: a majority is not a number of replicas, nor a number a majority', async (t) => {
  const { near } = made()
  near.keep('a', 0, near.markOf('a', 1), Buffer.from('value'))
  near.keep('b', 0, near.markOf('b', 1), undefined)
  near.keep('c', 3, near.markOf('c', 1), Buffer.from('value'))
  t.same(near.find('a', 0, 1), Buffer.from('value'))
  t.equal(near.find('b', 0, 1), undefined)
  t.equal(near.find('a', 1, 1), MISSED)
  t.equal(near.find('c', 0, 1), MISSED)
})

test('near cache: what was read by another table is not shown', async (t) => {
  const { near } = made()
  near.keep('a', 1, near.markOf('a', 1), Buffer.from('value'))
  t.equal(near.find('a', 1, 2), MISSED)
  t.same(near.find('a', 1, 1), Buffer.from('value'))
})
