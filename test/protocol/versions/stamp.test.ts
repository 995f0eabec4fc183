/** Stamps are totally ordered by time, then actor, then index, and what one gateway gives out only grows. */

import fc from 'fast-check'
import { test } from 'tap'
import { InvariantError } from '../../../src/protocol/assert.js'
import { makeStamp, stampOf, stampTimePart } from '../../../src/protocol/versions/stamp.js'

interface Parts {
  readonly timeNs: bigint
  readonly actor: string
  readonly index: number
}

const times = fc.oneof(fc.bigInt(0n, 2n ** 64n - 1n), fc.bigInt(0n, 3n), fc.constantFrom(0xfn, 0x10n, 2n ** 63n))
/** Of one length, as store ids are, so that none is the beginning of another. */
const actors = fc.constantFrom('node1-00aa', 'node1-00ab', 'node2-00aa')
const parts: fc.Arbitrary<Parts> = fc.record({
  timeNs: times,
  actor: actors,
  index: fc.oneof(fc.nat(2), fc.nat(0xffff)),
})
const stamp = ({ timeNs, index, actor }: Parts) => makeStamp(timeNs, index, actor)

function compare(a: Parts, b: Parts): number {
  if (a.timeNs !== b.timeNs) return a.timeNs < b.timeNs ? -1 : 1
  if (a.actor !== b.actor) return a.actor < b.actor ? -1 : 1
  return Math.sign(a.index - b.index)
}

test('stamp: the order of the texts is the order of time, actor, index', async (t) => {
  const property = fc.property(parts, parts, (a, b) => {
    const order = stamp(a) === stamp(b) ? 0 : stamp(a) < stamp(b) ? -1 : 1
    return order === compare(a, b)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 2_000, seed: 51 }))
})

test('stamp: of two that differ one is the later, whatever the actors are called', async (t) => {
  const any = fc
    .tuple(times, fc.nat(0xffff), fc.string({ unit: 'binary' }))
    .map(([timeNs, index, actor]) => makeStamp(timeNs, index, actor))
  const property = fc.property(any, any, any, (a, b, c) => {
    const isTotal = Number(a < b) + Number(b < a) + Number(a === b) === 1
    return isTotal && (!(a < b && b < c) || a < c)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1_000, seed: 52 }))
})

test('stamp: what one gateway gives out only grows, over turns whose clock grows', async (t) => {
  const turns = fc.array(fc.tuple(fc.bigInt(1n, 2n ** 40n), fc.integer({ min: 1, max: 5 })), { maxLength: 20 })
  const property = fc.property(
    times.filter((time) => time < 2n ** 63n),
    turns,
    (start, steps) => {
      let timeNs = start
      const given: string[] = []
      for (const [step, operations] of steps) {
        timeNs += step
        const prefix = `${stampTimePart(timeNs)}.gateway1.`
        for (let index = 0; index < operations; index++) given.push(stampOf(prefix, index))
      }
      return given.every((one, index) => index === 0 || (given[index - 1] as string) < one)
    },
  )
  t.doesNotThrow(() => fc.assert(property, { numRuns: 300, seed: 53 }))
})

test('stamp: a turn of more operations than an index can count is a broken invariant', async (t) => {
  t.throws(() => makeStamp(1n, 65_536, 'a'), InvariantError)
  t.throws(() => makeStamp(1n, -1, 'a'), InvariantError)
  t.ok(makeStamp(1n, 65_535, 'a').endsWith('.ffff'))
})
