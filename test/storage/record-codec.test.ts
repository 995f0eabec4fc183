/** A record comes back from its bytes as it was, and from any other bytes as 'damaged'. */

import { crc32c } from '@node-rs/crc32'
import fc from 'fast-check'
import { test } from 'tap'
import { makeStamp } from '../../src/protocol/versions/stamp.js'
import { crc32cOf, crc32cOfText, NATIVE_FROM_BYTES } from '../../src/storage/crc32c.js'
import {
  decodeHint,
  decodeIdentity,
  decodeMeta,
  encodeHint,
  encodeIdentity,
  encodeMeta,
} from '../../src/storage/entry-codec.js'
import { decodeRecord, encodeRecord } from '../../src/storage/record-codec.js'
import { flipBit, keys, plain, records } from './arbitraries.js'

const stamp = makeStamp(1_700_000_000_000_000_000n, 7, 'node1-0123456789abcdef')

test('codec: what is decoded is what was encoded, stamps and actors of any shape included', async (t) => {
  const property = fc.property(keys, records, (key, record) => {
    const decoded = decodeRecord(key, encodeRecord(key, record))
    t.equal(plain(decoded), plain(record))
  })
  fc.assert(property, { numRuns: 500 })
})

test('codec: every single flipped bit is damage', async (t) => {
  const property = fc.property(keys, records, (key, record) => {
    const bytes = encodeRecord(key, record)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      if (decodeRecord(key, flipBit(bytes, bit)) !== 'damaged') return false
    }
    return true
  })
  fc.assert(property, { numRuns: 60 })
  t.pass()
})

test('codec: a record under another key is damage', async (t) => {
  const property = fc.property(keys, keys, records, (key, other, record) => {
    return key === other || decodeRecord(other, encodeRecord(key, record)) === 'damaged'
  })
  fc.assert(property, { numRuns: 200 })
  t.pass()
})

test('codec: a lost tail, a longer one, zeros and an unknown format version are damage', async (t) => {
  const bytes = encodeRecord('k', { kind: 'lww', stamp, value: Buffer.from('value') })
  for (let length = 0; length < bytes.length; length++) t.equal(decodeRecord('k', bytes.subarray(0, length)), 'damaged')
  t.equal(decodeRecord('k', Buffer.concat([bytes, Buffer.of(0)])), 'damaged')
  t.equal(decodeRecord('k', Buffer.alloc(bytes.length)), 'damaged')
  const newer = Buffer.from(bytes)
  newer[0] = 2
  const end = newer.length - 4
  newer.writeUInt32LE(crc32cOf(newer, 0, end, crc32cOfText('k')), end)
  t.equal(decodeRecord('k', newer), 'damaged', 'although its checksum is right')
})

test('codec: a plain record costs 17 bytes, its actor and its value', async (t) => {
  const bytes = encodeRecord('k', { kind: 'lww', stamp, value: Buffer.alloc(100) })
  t.equal(bytes.length, 17 + 'node1-0123456789abcdef'.length + 100)
})

test('codec: bytes of a larger buffer are decoded where they lie', async (t) => {
  const bytes = encodeRecord('k', { kind: 'lww', stamp, value: Buffer.from('value') })
  const larger = new Uint8Array(bytes.length + 20)
  larger.set(bytes, 9)
  const record = decodeRecord('k', larger.subarray(9, 9 + bytes.length))
  t.equal(plain(record), plain({ kind: 'lww', stamp, value: Buffer.from('value') }))
})

test('crc32c: tables and the native addon agree, at every length and in parts', async (t) => {
  t.equal(crc32cOf(Buffer.from('123456789')), 0xe3069283, 'the check value of CRC-32C')
  const bytes = fc.uint8Array({ maxLength: 2 * NATIVE_FROM_BYTES, minLength: 1 })
  const property = fc.property(bytes, fc.nat(2 * NATIVE_FROM_BYTES), (all, at) => {
    const cut = at % all.length
    const text = Buffer.from(all).toString('latin1')
    const whole = crc32c(all)
    return crc32cOf(all, cut, all.length, crc32cOf(all, 0, cut)) === whole && crc32cOfText(text) === whole
  })
  fc.assert(property, { numRuns: 300 })
})

test('entries: hints, texts and identities come back; one flipped bit or another name is damage', async (t) => {
  const property = fc.property(
    keys,
    records,
    fc.string({ unit: 'binary' }),
    fc.nat(16_383),
    (key, record, text, id) => {
      const hint = { id, target: 'node2', partition: id, key, record }
      const identity = { storeId: '0123456789abcdef', previousStoreId: '', sequence: 2 ** 50, liveKeys: id }
      t.equal(plain(decodeHint(id, encodeHint(hint))), plain(hint))
      t.equal(decodeHint(id + 1, encodeHint(hint)), 'damaged')
      t.equal(decodeMeta('table', encodeMeta('table', text)), text)
      t.equal(decodeMeta('tables', encodeMeta('table', text)), 'damaged')
      const bytes = encodeIdentity(identity)
      t.same(decodeIdentity(bytes), identity)
      for (let bit = 0; bit < bytes.length * 8; bit++) t.equal(decodeIdentity(flipBit(bytes, bit)), 'damaged')
    },
  )
  fc.assert(property, { numRuns: 10 })
})
