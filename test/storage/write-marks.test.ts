/** Shared counts of writes: what a reader in another thread may still believe. */

import { test } from 'tap'
import { hashOf } from '../../src/storage/record-cache.js'
import { NodeMarks, WriteMarks } from '../../src/storage/write-marks.js'

const hash = hashOf('a')

test('write marks: a slot is at rest when every write that has begun has ended', async (t) => {
  const marks = new WriteMarks()
  const one = new NodeMarks(marks.shared, NodeMarks.newCounts())
  const other = new NodeMarks(marks.shared, NodeMarks.newCounts())
  const before = marks.countAtRest(hash)
  t.equal(before, marks.countOf(hash))
  one.begin('a')
  t.not(marks.countOf(hash), before, 'seen as soon as it begins')
  t.equal(marks.countAtRest(hash), -1)
  other.begin('a')
  one.end('a')
  t.equal(marks.countAtRest(hash), -1, 'the other node still writes')
  other.end('a')
  t.equal(marks.countAtRest(hash), marks.countOf(hash))
  t.not(marks.countOf(hash), before)
})

test('write marks: what a thread leaves behind is ended for it, once', async (t) => {
  const marks = new WriteMarks()
  const own = NodeMarks.newCounts()
  const dead = new NodeMarks(marks.shared, own)
  for (const key of ['a', 'a', 'b']) dead.begin(key)
  dead.end('a')
  t.equal(marks.countAtRest(hash), -1)
  marks.endAllOf(own)
  t.not(marks.countAtRest(hash), -1)
  t.not(marks.countAtRest(hashOf('b')), -1)
  marks.endAllOf(own)
  t.not(marks.countAtRest(hash), -1, 'nothing is ended twice')
  const next = new NodeMarks(marks.shared, own)
  next.begin('a')
  t.equal(marks.countAtRest(hash), -1, 'the next life counts from nothing')
})

test('write marks: a thread that ends between two counts leaves a slot that is never at rest', async (t) => {
  const marks = new WriteMarks()
  const own = NodeMarks.newCounts()
  const node = new NodeMarks(marks.shared, own)
  // As if it had ended after the first count of `begin`.
  node.begin('a')
  new Int32Array(own).fill(0)
  marks.endAllOf(own)
  for (let write = 0; write < 3; write++) {
    node.begin('a')
    node.end('a')
    t.equal(marks.countAtRest(hash), -1)
  }
})

test('write marks: counts begin again from 0 and stay numbers of 30 bits', async (t) => {
  const marks = new WriteMarks()
  const cells = new Int32Array(marks.shared)
  cells.fill(0x7fff_ffff)
  const node = new NodeMarks(marks.shared, NodeMarks.newCounts())
  const before = marks.countAtRest(hash)
  node.begin('a')
  node.end('a')
  marks.forgetAll()
  t.ok(before > 0 && before < 2 ** 30)
  t.equal(marks.countAtRest(hash), 0)
  t.equal(marks.generation, 0)
})
