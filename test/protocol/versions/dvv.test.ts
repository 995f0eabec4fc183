/** Dotted version vector sets: the laws of the merge, and agreement with explicit sets of dots on random histories. */

import fc from 'fast-check'
import { test } from 'tap'
import {
  DVV_EMPTY,
  type DvvSet,
  dvvContextOf,
  dvvDescends,
  dvvDotCount,
  dvvEquals,
  dvvMerge,
  dvvSiblings,
  dvvUpdate,
  type Sibling,
} from '../../../src/protocol/versions/dvv.js'
import { run, steps, threeSets } from './dvv-history.js'

const RUNS = 300

const value = (text: string, stamp = text): Sibling => ({ stamp, value: new TextEncoder().encode(text) })
const texts = (set: DvvSet): string[] =>
  dvvSiblings(set).map((sibling) => (sibling.value === null ? '†' : new TextDecoder().decode(sibling.value)))

/** A property of any three sets. */
function always(check: (a: DvvSet, b: DvvSet, c: DvvSet) => boolean): void {
  const property = fc.property(threeSets, ([a, b, c]) => check(a as DvvSet, b as DvvSet, c as DvvSet))
  fc.assert(property, { numRuns: RUNS })
}

/** True if `a` has heard of every dot of `b`. */
function knows(a: DvvSet, b: DvvSet): boolean {
  const counters = dvvContextOf(a)
  return b.every(({ actor, counter }) => (counters[actor] ?? 0) >= counter)
}

/** What the set keeps, each value named by its dot. */
function keptDots(set: DvvSet): string[] {
  return set.flatMap(({ actor, counter, siblings }) => siblings.map((_, index) => `${actor}${counter - index}`)).sort()
}

test('merge: commutative', async () => {
  always((a, b) => dvvEquals(dvvMerge(a, b), dvvMerge(b, a)))
})

test('merge: associative', async () => {
  always((a, b, c) => dvvEquals(dvvMerge(dvvMerge(a, b), c), dvvMerge(a, dvvMerge(b, c))))
})

test('merge: idempotent, and learning old news changes nothing', async () => {
  always((a, b) => {
    const both = dvvMerge(a, b)
    return dvvEquals(dvvMerge(a, structuredClone(a)), a) && dvvEquals(dvvMerge(both, b), both)
  })
})

test('descends: exactly if merging changes nothing', async () => {
  always((a, b) => dvvDescends(a, b) === (keptDots(dvvMerge(a, b)).join() === keptDots(a).join() && knows(a, b)))
})

test('descends: both ways exactly if equal', async () => {
  always((a, b) => (dvvDescends(a, b) && dvvDescends(b, a)) === dvvEquals(a, b))
})

test('equals: exactly if both know the same dots and keep the same of them', async () => {
  always((a, b) => {
    const same = knows(a, b) && knows(b, a) && keptDots(a).join() === keptDots(b).join()
    return dvvEquals(a, b) === same && dvvEquals(a, structuredClone(a))
  })
})

test('every set: sorted by actor, no actor twice, never more siblings than dots', async () => {
  always((a) =>
    a.every((entry, index) => entry.siblings.length <= entry.counter && (a[index - 1]?.actor ?? '') < entry.actor),
  )
})

test('history: a set keeps exactly the values that explicit sets of dots keep', async (t) => {
  const property = fc.property(steps, (history) => {
    for (const { set, model } of run(history).states) {
      t.same(keptDots(set), [...model.values.keys()].sort())
      const byDot = new Map(
        set.flatMap((entry) =>
          entry.siblings.map((sibling, index) => [`${entry.actor}${entry.counter - index}`, sibling]),
        ),
      )
      for (const [dot, sibling] of model.values) t.equal(byDot.get(dot), sibling)
    }
  })
  fc.assert(property, { numRuns: 60 })
})

test('history: no dot is issued twice', async (t) => {
  const property = fc.property(steps, (history) => {
    const { dots } = run(history)
    t.equal(new Set(dots).size, dots.length)
  })
  fc.assert(property, { numRuns: RUNS })
})

test('update: without a context it keeps every value', async () => {
  always((a) => dvvDotCount(dvvUpdate(a, undefined, value('new'), 'a')) === dvvDotCount(a) + 1)
})

test('update: with the context of a read it replaces what was read and nothing else', async (t) => {
  const first = dvvUpdate(DVV_EMPTY, undefined, value('1'), 'a')
  const read = dvvContextOf(first)
  const second = dvvUpdate(first, undefined, value('2'), 'a')
  t.same(texts(dvvUpdate(second, read, value('3'), 'a')), ['3', '2'])
  t.same(texts(dvvUpdate(second, dvvContextOf(second), value('3'), 'a')), ['3'])
})

test('update: two writers that read the same value both stay', async (t) => {
  const base = dvvUpdate(DVV_EMPTY, undefined, value('1'), 'a')
  const read = dvvContextOf(base)
  t.same(texts(dvvUpdate(dvvUpdate(base, read, value('2'), 'a'), read, value('3'), 'a')), ['3', '2'])
  const left = dvvUpdate(base, read, value('2'), 'a')
  const right = dvvUpdate(base, read, value('3'), 'b')
  t.same(texts(dvvMerge(left, right)), ['3', '2'])
})

test('update: a value that was replaced does not come back from a slower replica', async (t) => {
  const slow = dvvUpdate(DVV_EMPTY, undefined, value('old'), 'b')
  // The coordinator has never met b's dot; only the client has.
  const written = dvvUpdate(DVV_EMPTY, dvvContextOf(slow), value('new'), 'a')
  t.same(texts(dvvMerge(written, slow)), ['new'])
  t.same(texts(dvvMerge(slow, written)), ['new'])
})

test('update: never changes the set it was given', async (t) => {
  const base = dvvUpdate(dvvUpdate(DVV_EMPTY, undefined, value('1'), 'a'), undefined, value('2'), 'c')
  const before = structuredClone(base)
  dvvUpdate(base, dvvContextOf(base), value('3'), 'b')
  dvvMerge(base, dvvUpdate(base, dvvContextOf(base), value('3'), 'a'))
  t.same(base, before)
})

test('context: an actor named like an inherited property is an actor like any other', async (t) => {
  for (const actor of ['__proto__', 'constructor', 'toString']) {
    const set = dvvUpdate(DVV_EMPTY, undefined, value('1'), actor)
    t.same(Object.entries(dvvContextOf(set)), [[actor, 1]])
    t.same(texts(dvvUpdate(set, dvvContextOf(set), value('2'), 'b')), ['2'])
    t.same(texts(dvvUpdate(set, {}, value('2'), 'b')), ['2', '1'])
  }
})

test('siblings: newest stamp first, tombstones included, of equal stamps the lower actor first', async (t) => {
  let set = dvvUpdate(DVV_EMPTY, undefined, value('old', '1'), 'b')
  set = dvvUpdate(set, undefined, { stamp: '3', value: null }, 'c')
  set = dvvUpdate(set, undefined, value('two', '2'), 'a')
  set = dvvUpdate(set, undefined, value('too', '2'), 'c')
  t.same(texts(set), ['†', 'two', 'too', 'old'])
  t.equal(dvvDotCount(set), 4)
})
