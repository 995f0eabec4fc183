/** What is packed in one thread is the same message in another, and is sent in the form that is cheap to clone. */

import { serialize } from 'node:v8'
import fc from 'fast-check'
import { test } from 'tap'
import { packColumn, unpackColumn } from '../../../actors/runtime/columns.js'
import { packEnvelope, unpackEnvelope } from '../../../actors/runtime/wire.js'
import { type Message, PURPOSE, REPLY } from '../../../src/protocol/messages.js'
import type { LwwRecord, VersionRecord } from '../../../src/protocol/versions/record.js'
import { PackedLww } from '../../../src/storage/packed-lww.js'
import { decodeUnchecked, encodeRecord } from '../../../src/storage/record-codec.js'
import { RecordSlab } from '../../../src/storage/record-slab.js'
import { keys, plain, records } from '../../storage/arbitraries.js'

/** Of the wire's own marks none is a stamp that `makeStamp` makes. */
const real = records.filter((record) => record.kind === 'siblings' || record.stamp.length > 1)
const numbers = fc.array(fc.oneof(fc.constant(7), fc.nat(3), fc.double({ noNaN: true, noDefaultInfinity: true })), {
  maxLength: 40,
})
const statuses = fc.array(fc.constantFrom(...Object.values(REPLY)), { maxLength: 40 })

const messages: fc.Arbitrary<Message> = fc.oneof(
  fc.tuple(fc.array(keys), numbers, fc.boolean()).map(
    ([read, column, fallback]): Message => ({
      type: 'replica/read',
      id: 1,
      epoch: 2,
      keys: read,
      rowEpochs: column,
      deadlinesMs: column,
      fallback,
    }),
  ),
  fc.tuple(fc.array(fc.option(real, { nil: undefined }), { maxLength: 20 }), statuses).map(
    ([found, column]): Message => ({
      type: 'replica/read-reply',
      replyTo: 3,
      epoch: 4,
      statuses: column,
      records: found,
    }),
  ),
  fc.tuple(fc.array(fc.tuple(keys, real), { maxLength: 20 }), numbers).map(
    ([pairs, column]): Message => ({
      type: 'replica/write',
      id: 5,
      epoch: 6,
      partitions: column,
      rowEpochs: column,
      deadlinesMs: column,
      purposes: pairs.map(() => PURPOSE.repair),
      counts: column,
      keys: pairs.map(([key]) => key),
      records: pairs.map(([, record]) => record),
    }),
  ),
  statuses.map((column): Message => ({ type: 'replica/write-reply', replyTo: 7, epoch: 8, statuses: column })),
  fc.array(fc.option(real, { nil: undefined }), { maxLength: 20 }).map(
    (found): Message => ({
      type: 'coordinate/replies',
      epoch: 9,
      ids: found.map((_, index) => index),
      outcomes: found.map((record, index) =>
        index % 3 === 0 ? { type: 'failed', failure: { code: 'TIMEOUT' } } : { type: 'value', record },
      ),
    }),
  ),
  fc.array(fc.tuple(keys, real), { maxLength: 20 }).map(
    (pairs): Message => ({
      type: 'hint/store',
      id: 10,
      epoch: 11,
      targets: pairs.map(() => 'node1'),
      partitions: pairs.map(() => 12),
      keys: pairs.map(([key]) => key),
      records: pairs.map(([, record]) => record),
    }),
  ),
  fc
    .array(
      fc.array(
        fc.tuple(
          keys,
          real.filter(({ kind }) => kind === 'lww'),
        ),
        { maxLength: 4 },
      ),
      { maxLength: 6 },
    )
    .map(
      (groups): Message => ({
        type: 'coordinate/requests',
        id: 12,
        epoch: 13,
        requests: groups.map((pairs, index) => {
          const id = 2 * index
          const keysOf = pairs.map(([key]) => key)
          const found = pairs.map(([, record]) => record as LwwRecord)
          const rest = { partition: 1, w: 2, deadlineMs: 14 }
          if (index % 3 === 0) return { kind: 'put', id, keys: keysOf, records: found, sloppy: false, ...rest }
          if (index % 3 === 1) return { kind: 'get', id, key: 'k', r: 1, sloppy: true, deadlineMs: 15 }
          const values = found.map(({ value }) => value)
          return { kind: 'update', id, keys: keysOf, values, stamp: 's', ...rest }
        }),
      }),
    ),
  fc.constant<Message>({ type: 'table/request', epoch: 13 }),
)

test('wire: an envelope gives the messages that were packed, across a structured clone', async (t) => {
  const property = fc.property(fc.array(messages, { maxLength: 4 }), (sent) => {
    const { envelope, transfer } = packEnvelope(sent)
    const received = unpackEnvelope(structuredClone(envelope, { transfer }))
    t.equal(plain(received), plain(sent))
  })
  fc.assert(property, { numRuns: 300, seed: 5 })
})

test('wire: records in their stored form arrive as they are, whatever lies between them', async (t) => {
  const stored = fc.record({ record: records, isInSlab: fc.boolean(), gap: fc.nat(40) })
  const found = fc.array(fc.option(stored, { nil: undefined }), { maxLength: 30 })
  let packed = 0
  const property = fc.property(found, (all) => {
    const slab = new RecordSlab()
    const sent = all.map((one) => {
      if (one === undefined) return undefined
      const bytes = encodeRecord('k', one.record)
      if (!one.isInSlab) return decodeUnchecked(bytes, 0, bytes.length) as VersionRecord
      // Another record, which is not sent, or nothing: then it lies right behind the one before it.
      if (one.gap > 20) slab.take(one.gap)
      const at = slab.take(bytes.length)
      slab.bytes.set(bytes, at)
      return decodeUnchecked(slab.bytes, at, at + bytes.length) as VersionRecord
    })
    packed += sent.every((record) => record === undefined || record instanceof PackedLww) ? 1 : 0
    const reply: Message = { type: 'replica/read-reply', replyTo: 1, epoch: 1, statuses: [], records: sent }
    const { envelope, transfer } = packEnvelope([reply])
    t.equal(plain(unpackEnvelope(structuredClone(envelope, { transfer }))), plain([reply]))
  })
  fc.assert(property, { numRuns: 500, seed: 7 })
  t.ok(packed > 50, `${packed} messages of nothing but packed records`)
})

test('wire: large values are handed over, not copied', async (t) => {
  const value = new Uint8Array(100_000).fill(3)
  const record = { kind: 'lww' as const, stamp: '0123456789abcdef.gateway1.0000', value }
  const message: Message = { type: 'replica/read-reply', replyTo: 1, epoch: 1, statuses: [REPLY.ok], records: [record] }
  const { envelope, transfer } = packEnvelope([message])
  t.equal(transfer.length, 1)
  t.equal(plain(unpackEnvelope(structuredClone(envelope, { transfer }))), plain([message]))
  t.equal(value.byteLength, 100_000, 'the sender still has its own')
})

test('columns: what is unpacked is what was packed', async (t) => {
  const property = fc.property(numbers, (column) => {
    t.same(unpackColumn(structuredClone(packColumn(column))), column)
  })
  fc.assert(property, { numRuns: 500, seed: 6 })
})

test('wire: no array of a hot message has holes, for which structured clone would take twice the time', async (t) => {
  const count = 64
  const column = Array.from({ length: count }, (_, index) => (index * 7919) % 61)
  const record = (index: number) => {
    return { kind: 'lww' as const, stamp: `0123456789abcdef.g.${index}`, value: Buffer.alloc(index) }
  }
  const sent: Message[] = [
    { type: 'replica/read-reply', replyTo: 1, epoch: 1, statuses: [], records: column.map(record) },
    { type: 'replica/write-reply', replyTo: 1, epoch: 1, statuses: [] },
  ]
  const arrays: unknown[][] = []
  const collect = (item: unknown): void => {
    if (!Array.isArray(item)) return
    arrays.push(item)
    for (const inner of item) collect(inner)
  }
  collect(packEnvelope(sent).envelope)
  t.ok(arrays.some((array) => array.length === count))
  for (const array of arrays) {
    const dense: unknown[] = []
    for (const item of array) dense.push(item)
    // An array with holes is written with its indices.
    t.equal(serialize(array).length, serialize(dense).length, `an array of ${array.length}`)
  }
})

test('wire: a small value sends its own bytes, not the slab of the pool that it lies in', async (t) => {
  const value = Buffer.from('small')
  t.ok(value.buffer.byteLength > 1_000, 'it is pooled')
  const update = { id: 2, partition: 1, keys: ['k'], values: [value], stamp: 's', w: 2, deadlineMs: 3 }
  const record = { kind: 'lww' as const, stamp: 's', value }
  const put = { id: 4, partition: 1, keys: ['k'], records: [record], w: 2, deadlineMs: 3, sloppy: false }
  const sent: Message = {
    type: 'coordinate/requests',
    id: 1,
    epoch: 1,
    requests: [
      { kind: 'update', ...update },
      { kind: 'put', ...put },
    ],
  }
  t.ok(serialize(packEnvelope([sent]).envelope).length < 1_000)
})
