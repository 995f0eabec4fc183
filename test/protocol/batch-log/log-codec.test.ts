/** A logged batch as bytes and back. */

import fc from 'fast-check'
import { test } from 'tap'
import { decodeEntry, encodeEntry } from '../../../src/protocol/batch-log/log-codec.js'

const key = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
const value = fc.option(fc.uint8Array({ maxLength: 60 }))

test('what is decoded is what was encoded', async () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(key, value), { maxLength: 30 }), (pairs) => {
      const entry = { keys: pairs.map(([name]) => name), values: pairs.map(([, bytes]) => bytes) }
      const decoded = decodeEntry(encodeEntry(entry))
      return (
        typeof decoded === 'object' &&
        decoded.keys.join(' ') === entry.keys.join(' ') &&
        decoded.values.every((bytes, place) => sameBytes(bytes, entry.values[place] ?? null))
      )
    }),
  )
})

test('a long one is several chunks, and nothing unless all of them are there', async (t) => {
  const values = [new Uint8Array(1_500_000).fill(7), null, new Uint8Array(900_000).fill(8)]
  const chunks = encodeEntry({ keys: ['a', 'b', 'c'], values })
  t.equal(chunks.length, 3)
  t.ok(chunks.every(({ byteLength }) => byteLength <= 1_048_576 + 5))
  const decoded = decodeEntry(chunks)
  if (typeof decoded === 'string') throw new Error(`it is ${decoded}`)
  t.same(decoded.keys, ['a', 'b', 'c'])
  t.ok(decoded.values.every((bytes, place) => sameBytes(bytes, values[place] ?? null)))
  for (let missing = 0; missing < 3; missing++)
    t.equal(decodeEntry(chunks.filter((_, place) => place !== missing)), 'not-whole')
  t.equal(decodeEntry([]), 'not-whole')
})

test('of another version, or no chunk at all: unknown', async (t) => {
  const [chunk = new Uint8Array()] = encodeEntry({ keys: ['a'], values: [null] })
  chunk[0] = 2
  t.equal(decodeEntry([chunk]), 'unknown')
  t.equal(decodeEntry([new Uint8Array(2)]), 'unknown')
})

function sameBytes(a: Uint8Array | null, b: Uint8Array | null): boolean {
  return a === null || b === null ? a === b : Buffer.compare(a, b) === 0
}
