/** A record in its stored form is the record that was stored. */

import fc from 'fast-check'
import { test } from 'tap'
import { mergeRecords, recordCovers, sameVersion, type VersionRecord } from '../../src/protocol/versions/record.js'
import { makeStamp } from '../../src/protocol/versions/stamp.js'
import { PackedLww } from '../../src/storage/packed-lww.js'
import { decodeRecord, encodeRecord } from '../../src/storage/record-codec.js'
import { plain } from './arbitraries.js'

/** Few of each, so that they often meet. */
const lwwRecords = fc.record({
  kind: fc.constant('lww' as const),
  stamp: fc
    .tuple(fc.bigInt(1n, 3n), fc.nat(1), fc.constantFrom('', 'a', 'ab', 'b'))
    .map(([time, index, actor]) => makeStamp(time, index, actor)),
  value: fc.option(fc.uint8Array({ maxLength: 8 }), { nil: null }),
})

const stored = (record: VersionRecord): VersionRecord => decodeRecord('k', encodeRecord('k', record)) as VersionRecord

test('packed record: compared and merged as the record that it was made of, with its like and with others', async (t) => {
  let equal = 0
  const property = fc.property(lwwRecords, lwwRecords, fc.boolean(), fc.boolean(), (a, b, packA, packB) => {
    const [left, right] = [packA ? stored(a) : a, packB ? stored(b) : b]
    if (packA) t.ok(left instanceof PackedLww)
    equal += Number(a.stamp === b.stamp)
    t.equal(sameVersion(left, right), a.stamp === b.stamp)
    t.equal(recordCovers(left, right), a.stamp >= b.stamp)
    t.equal(mergeRecords(left, right), b.stamp > a.stamp ? right : left)
  })
  fc.assert(property, { numRuns: 300, seed: 8 })
  t.ok(equal > 5, `${equal} times the same stamp`)
})

test('packed record: stored again it is the same bytes', async (t) => {
  const property = fc.property(lwwRecords, (record) => {
    const bytes = encodeRecord('k', record)
    t.equal(encodeRecord('k', stored(record)).toString('hex'), bytes.toString('hex'))
    t.equal(plain(stored(record)), plain(record))
  })
  fc.assert(property, { numRuns: 300, seed: 9 })
})
