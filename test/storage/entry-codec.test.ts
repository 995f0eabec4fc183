/** Hints, named texts and the identity survive their bytes; whatever is not exactly what was written is damaged. */

import fc from 'fast-check'
import { test } from 'tap'
import {
  decodeHint,
  decodeIdentity,
  decodeMeta,
  encodeHint,
  encodeIdentity,
  encodeMeta,
} from '../../src/storage/entry-codec.js'
import { flipBit, keys, plain, records } from './arbitraries.js'

const texts = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('', 'node1', '\ud800', '{"epoch":1}'))
const hints = fc.record({
  id: fc.nat(2 ** 31 - 1),
  target: texts,
  partition: fc.nat(16_383),
  key: keys,
  record: records,
})
const identities = fc.record({
  storeId: texts,
  previousStoreId: texts,
  sequence: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
  liveKeys: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
})

test('hint: what is read is what was kept', async (t) => {
  const property = fc.property(hints, (hint) => plain(decodeHint(hint.id, encodeHint(hint))) === plain(hint))
  t.doesNotThrow(() => fc.assert(property, { numRuns: 400, seed: 21 }))
})

test('hint: a flipped bit, a lost end, another hint’s name are damage', async (t) => {
  const property = fc.property(hints, fc.nat(), fc.nat(), (hint, bit, cut) => {
    const bytes = encodeHint(hint)
    return (
      decodeHint(hint.id, flipBit(bytes, bit % (bytes.length * 8))) === 'damaged' &&
      decodeHint(hint.id, bytes.subarray(0, cut % bytes.length)) === 'damaged' &&
      decodeHint(hint.id + 1, bytes) === 'damaged'
    )
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 400, seed: 22 }))
})

test('meta: a text of any kind comes back under its own name, and under no other', async (t) => {
  const property = fc.property(texts, texts, fc.nat(), (name, text, bit) => {
    const bytes = encodeMeta(name, text)
    return (
      decodeMeta(name, bytes) === text &&
      decodeMeta(`${name}x`, bytes) === 'damaged' &&
      decodeMeta(name, flipBit(bytes, bit % (bytes.length * 8))) === 'damaged'
    )
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 400, seed: 23 }))
})

test('identity: comes back whole, or is damaged', async (t) => {
  const property = fc.property(identities, fc.nat(), (identity, bit) => {
    const bytes = encodeIdentity(identity)
    const isDamaged = decodeIdentity(flipBit(bytes, bit % (bytes.length * 8))) === 'damaged'
    return isDamaged && plain(decodeIdentity(bytes)) === plain(identity)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 400, seed: 24 }))
})
