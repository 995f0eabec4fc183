/** A stamp that is packed is the identical string again; every other string is left to the caller. */

import fc from 'fast-check'
import { test } from 'tap'
import { makeStamp } from '../../src/protocol/versions/stamp.js'
import { packedBytesOf, packStamp, unpackStamp } from '../../src/storage/stamp-codec.js'

const latin1 = (maxLength: number) => fc.uint8Array({ maxLength }).map((bytes) => Buffer.from(bytes).toString('latin1'))
const made = fc
  .tuple(fc.bigInt(0n, 2n ** 64n - 1n), fc.nat(0xffff), fc.oneof(latin1(254), fc.constantFrom('a.b', 'node1-00ff')))
  .map(([timeNs, index, actor]) => makeStamp(timeNs, index, actor))

test('stamp codec: whatever makeStamp makes is packed and comes back, wherever it lies', async (t) => {
  const property = fc.property(made, fc.nat(20), (stamp, at) => {
    const bytes = Buffer.alloc(400, 0xee)
    const end = packStamp(stamp, bytes, at)
    return end - at === packedBytesOf(stamp) && unpackStamp(bytes, at, bytes[at] as number) === stamp
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 500, seed: 31 }))
})

test('stamp codec: a string is packed only if that gives it back', async (t) => {
  const almost = fc
    .tuple(made, fc.nat(), fc.string({ unit: 'binary', minLength: 1, maxLength: 2 }))
    .map(([stamp, place, text]) => {
      const at = place % (stamp.length + 1)
      return stamp.slice(0, at) + text + stamp.slice(at + 1)
    })
  const property = fc.property(fc.oneof(almost, fc.string({ unit: 'binary', maxLength: 60 })), (text) => {
    const bytes = Buffer.alloc(packedBytesOf(text))
    if (bytes.length === 0 || packStamp(text, bytes, 0) < 0) return true
    return unpackStamp(bytes, 0, bytes[0] as number) === text
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1_000, seed: 32 }))
})

test('stamp codec: an actor that is too long or not latin1 is not packed', async (t) => {
  t.equal(packedBytesOf(makeStamp(1n, 0, 'x'.repeat(255))), 0)
  t.equal(packStamp(makeStamp(1n, 0, 'nod\u0100'), Buffer.alloc(100), 0), -1)
  t.equal(packedBytesOf(makeStamp(1n, 0, 'x'.repeat(254))), 11 + 254)
})
