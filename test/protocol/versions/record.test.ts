/** Reconciliation of records, of both kinds: one rule for stores, replies, hints and fills, so its laws must hold. */

import fc from 'fast-check'
import { test } from 'tap'
import {
  isLive,
  mergeRecords,
  recordCovers,
  sameVersion,
  tombstoneOf,
  type VersionRecord,
  versionText,
} from '../../../src/protocol/versions/record.js'
import { makeStamp } from '../../../src/protocol/versions/stamp.js'
import { threeSets } from './dvv-history.js'

/** Stamps are unique, so a stamp decides the value; few times, so that the actor and the index often decide. */
const lwwRecords = fc
  .tuple(fc.bigInt({ min: 0n, max: 3n }), fc.nat(2), fc.constantFrom('node1', 'node2'))
  .map(([time, index, actor]): VersionRecord => {
    const stamp = makeStamp(time, index, actor)
    return { kind: 'lww', stamp, value: index === 0 ? null : new TextEncoder().encode(stamp) }
  })

const lwwTriples = fc.tuple(lwwRecords, lwwRecords, lwwRecords)

const siblingsTriples = threeSets.map((sets) => {
  return sets.map((set) => ({ kind: 'siblings', set })) as [VersionRecord, VersionRecord, VersionRecord]
})

for (const [kind, triples] of Object.entries({ lww: lwwTriples, siblings: siblingsTriples })) {
  const always = (check: (a: VersionRecord, b: VersionRecord, c: VersionRecord) => boolean): void => {
    fc.assert(
      fc.property(triples, ([a, b, c]) => check(a, b, c)),
      { numRuns: 300 },
    )
  }

  test(`${kind}: merge is commutative`, async () => {
    always((a, b) => sameVersion(mergeRecords(a, b), mergeRecords(b, a)))
  })

  test(`${kind}: merge is associative`, async () => {
    always((a, b, c) => sameVersion(mergeRecords(mergeRecords(a, b), c), mergeRecords(a, mergeRecords(b, c))))
  })

  test(`${kind}: merge is idempotent`, async () => {
    always((a) => sameVersion(mergeRecords(a, structuredClone(a)), a))
  })

  test(`${kind}: a merge covers both, and covering means that merging changes nothing`, async () => {
    always((a, b) => {
      const both = mergeRecords(a, b)
      const coversBoth = recordCovers(both, a) && recordCovers(both, b)
      return coversBoth && recordCovers(a, b) === sameVersion(both, a) && !recordCovers(undefined, a)
    })
  })

  test(`${kind}: version texts are equal exactly for equal versions`, async () => {
    always((a, b) => (versionText(a) === versionText(b)) === sameVersion(a, b))
  })

  test(`${kind}: merging never changes its inputs`, async (t) => {
    always((a, b) => {
      const before = structuredClone([a, b])
      mergeRecords(a, b)
      return t.same([a, b], before)
    })
  })
}

test('lww: the later stamp wins, a tombstone like any value', async (t) => {
  const value: VersionRecord = { kind: 'lww', stamp: makeStamp(1n, 0, 'node1'), value: Uint8Array.of(1) }
  const grave: VersionRecord = { kind: 'lww', stamp: makeStamp(2n, 0, 'node1'), value: null }
  t.equal(mergeRecords(value, grave), grave)
  t.equal(isLive(mergeRecords(grave, value)), false)
  t.equal(isLive(value), true)
  t.equal(isLive(undefined), false)
})

test('siblings: live as long as one of the values is not a tombstone', async (t) => {
  const entry = (actor: string, value: Uint8Array | null) => ({
    actor,
    counter: 1,
    siblings: [{ stamp: actor, value }],
  })
  t.equal(isLive({ kind: 'siblings', set: [entry('a', null), entry('b', Uint8Array.of(1))] }), true)
  t.equal(isLive({ kind: 'siblings', set: [entry('a', null)] }), false)
})

test('tombstones have names that sort by time; what has a value has none', async (t) => {
  const at = (time: bigint) => makeStamp(time, 0, 'node1')
  const siblings = (...values: [bigint, Uint8Array | null][]): VersionRecord => ({
    kind: 'siblings',
    set: [{ actor: 'a', counter: 9, siblings: values.map(([time, value]) => ({ stamp: at(time), value })) }],
  })
  t.equal(tombstoneOf({ kind: 'lww', stamp: at(1n), value: null }), at(1n))
  t.equal(tombstoneOf({ kind: 'lww', stamp: at(1n), value: Uint8Array.of(1) }), undefined)
  t.equal(tombstoneOf(siblings([2n, null], [1n, Uint8Array.of(1)])), undefined)
  const younger = tombstoneOf(siblings([3n, null], [2n, null])) ?? ''
  t.ok(younger > at(3n) && younger < at(4n))
  t.not(tombstoneOf(siblings([3n, null])), younger, 'another version')
})

test('one cluster keeps one kind: mixing them is a broken invariant', async (t) => {
  const lww: VersionRecord = { kind: 'lww', stamp: '1', value: null }
  t.throws(() => mergeRecords(lww, { kind: 'siblings', set: [] }), { name: 'InvariantError' })
})
