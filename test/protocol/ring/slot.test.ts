/** Hash slots: the same slot as Redis Cluster for every key, since users carry keys and tags over. */

import fc from 'fast-check'
import { test } from 'tap'
import {
  crc16,
  isPartitionCount,
  partitionOf,
  partitionOfSlot,
  SLOTS,
  slotOf,
} from '../../../src/protocol/ring/slot.js'

test('crc16: the check value of CRC16-XMODEM', async (t) => {
  t.equal(crc16('123456789'), 0x31c3)
  t.equal(crc16(''), 0)
})

test('crc16: the table agrees with the polynomial, bit by bit', async (t) => {
  const bitByBit = (bytes: Uint8Array): number => {
    let crc = 0
    for (const byte of bytes) {
      for (let bit = 7; bit >= 0; bit--) {
        const carry = ((crc >> 15) ^ (byte >> bit)) & 1
        crc = ((crc << 1) & 0xffff) ^ (carry ? 0x1021 : 0)
      }
    }
    return crc
  }
  const property = fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
    t.equal(crc16(String.fromCharCode(...bytes)), bitByBit(bytes))
  })
  fc.assert(property, { numRuns: 300 })
})

test('slot: the values that Redis gives', async (t) => {
  t.equal(slotOf('foo'), 12182)
  t.equal(slotOf('bar'), 5061)
  t.equal(slotOf('hello'), 866)
  t.equal(slotOf('user1000'), 3443)
  t.equal(slotOf(''), 0)
})

test('slot: keys with one hash tag share it', async (t) => {
  t.equal(slotOf('{user1000}.following'), slotOf('user1000'))
  t.equal(slotOf('{user1000}.followers'), slotOf('user1000'))
  t.equal(slotOf('foo{bar}{zap}'), slotOf('bar'), 'the first tag counts')
  t.equal(slotOf('foo{{bar}}zap'), slotOf('{bar'), 'from the first { to the first } after it')
  t.equal(slotOf('a}{b}c'), slotOf('b'), 'a } before the { does not close it')
})

test('slot: without a tag the whole key counts', async (t) => {
  // The expected slots are the CRC of the whole key, computed past the tag rule.
  for (const key of ['foo{}{bar}', '{}', 'foo{bar', 'foo}bar{', '{', '}', 'a{']) {
    t.equal(slotOf(key), crc16(key) % SLOTS, key)
  }
})

test('slot: a tag decides alone, whatever stands around it', async (t) => {
  const plain = fc.string({ unit: 'binary-ascii' }).map((text) => text.replaceAll('{', '').replaceAll('}', ''))
  const property = fc.property(plain, plain, fc.string({ unit: 'binary-ascii' }), (before, tag, after) => {
    fc.pre(tag !== '')
    t.equal(slotOf(`${before}{${tag}}${after}`), slotOf(tag))
  })
  fc.assert(property, { numRuns: 300 })
})

test('partition: equal runs of slots, in slot order', async (t) => {
  for (const partitions of [16, 128, 1024, 16384]) {
    const sizes = new Array<number>(partitions).fill(0)
    let previous = 0
    for (let slot = 0; slot < SLOTS; slot++) {
      const partition = partitionOfSlot(slot, partitions)
      if (partition !== previous && partition !== previous + 1) t.fail(`slot ${slot}: ${previous} → ${partition}`)
      previous = partition
      sizes[partition] = (sizes[partition] ?? 0) + 1
    }
    t.same(new Set(sizes), new Set([SLOTS / partitions]), `${partitions}`)
  }
  t.equal(partitionOf('foo', 128), 12182 >> 7)
})

test('partition: a count that is no power of two from 16 to 16384 is a broken invariant', async (t) => {
  for (const partitions of [0, 1, 8, 15, 17, 100, 64.5, 32768, -16, Number.NaN]) {
    t.equal(isPartitionCount(partitions), false)
    t.throws(() => partitionOf('foo', partitions), { name: 'InvariantError' })
  }
})
