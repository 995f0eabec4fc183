/** Keys, stamps and records of every shape, for property tests of the store. */

import fc from 'fast-check'
import type { DvvEntry } from '../../src/protocol/versions/dvv.js'
import type { VersionRecord } from '../../src/protocol/versions/record.js'
import { makeStamp } from '../../src/protocol/versions/stamp.js'

/** Binary strings, chars 0…255. */
export const keys = fc.uint8Array({ minLength: 1, maxLength: 12 }).map((bytes) => Buffer.from(bytes).toString('latin1'))

const latin1Actors = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1'))
const made = fc
  .tuple(fc.bigInt(0n, 2n ** 64n - 1n), fc.nat(0xffff), fc.oneof(fc.constant('node1-00ff00ff00ff00ff'), latin1Actors))
  .map(([time, index, actor]) => makeStamp(time, index, actor))

/** Mostly what `makeStamp` makes; also nothing, half surrogate pairs, hex in capitals, and what only looks like a stamp. */
const stamps = fc.oneof(
  { weight: 6, arbitrary: made },
  fc.constantFrom(
    '',
    'é',
    '\ud83d',
    '0123456789abcdef.0123',
    '0123456789ABCDEF.a.0123',
    '0123456789abcdef.\u0100.0123',
  ),
  fc.string({ unit: 'binary' }),
)

const values = fc.option(fc.uint8Array({ maxLength: 40 }), { nil: null })

const siblings = fc.array(fc.record({ stamp: stamps, value: values }), { maxLength: 3 })
const actors = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('node1', '__proto__', '\udc00'))
const entries: fc.Arbitrary<DvvEntry> = fc
  .tuple(actors, fc.nat(2 ** 48), siblings)
  .map(([actor, extra, kept]) => ({ actor, counter: extra + kept.length, siblings: kept }))

export const records: fc.Arbitrary<VersionRecord> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('lww' as const), stamp: stamps, value: values }) },
  fc.record({ kind: fc.constant('siblings' as const), set: fc.array(entries, { maxLength: 4 }) }),
)

/** Bytes that differ in one bit. */
export function flipBit(bytes: Uint8Array, bit: number): Uint8Array {
  const flipped = Uint8Array.from(bytes)
  const at = bit >>> 3
  flipped[at] = (flipped[at] as number) ^ (1 << (bit & 7))
  return flipped
}

/** The record with plain arrays for values, so that a Buffer and a Uint8Array compare equal. */
export function plain(record: unknown): string {
  return JSON.stringify(record, (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('hex') : isJsonBuffer(value) ? hexOf(value) : value,
  )
}

function isJsonBuffer(value: unknown): value is { data: number[] } {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer'
}

function hexOf(value: { data: number[] }): string {
  return Buffer.from(value.data).toString('hex')
}
