/**
 * Messages on their way between threads: one envelope per turn and receiver, records packed into columns.
 *
 * Structured clone copies an array of strings or one buffer quickly and a thousand small buffers slowly, and of a small view it copies
 * the whole buffer behind it. So the records of a message become three columns: versions (stamps), sizes, and all
 * values in one buffer. Sibling sets, which are rare and deep, travel as their stored bytes; and where all records of a
 * message are still in their stored form, as those are that a read has found, they all do, and nobody decodes them on the way.
 */

import type { CoordinateRequest, Message, Purpose, ReplyStatus } from '../../src/protocol/messages.js'
import type { VersionRecord } from '../../src/protocol/versions/record.js'
import { PackedLww } from '../../src/storage/packed-lww.js'
import { decodeRecord, encodeRecord, TRAILER_BYTES } from '../../src/storage/record-codec.js'
import { aligned } from '../../src/storage/record-slab.js'
import { type PackedColumn, packColumn, unpackColumn } from './columns.js'

/** A size below zero says what is not a value. */
const TOMBSTONE = -1
const ABSENT = -2
/** In `stamps`: the value is a stored sibling record. */
const SIBLINGS = '*'
/** Buffers from here on are handed over instead of copied. */
const TRANSFER_BYTES_MIN = 65_536

/** In place of `stamps`: all records are in their stored form, with room for checksums, each from a multiple of a word on. */
const STORED = 0

/** Stamps, sizes, and all values in one buffer. */
type PackedRecords = readonly [
  stamps: readonly string[] | typeof STORED,
  sizes: PackedColumn,
  bytes: Uint8Array | undefined,
]

/** What `postMessage` is given. */
export type Envelope = readonly unknown[]

/** Packs a turn's messages to one receiver. `transfer` goes to `postMessage`. */
export function packEnvelope(messages: readonly Message[]): {
  readonly envelope: Envelope
  readonly transfer: ArrayBuffer[]
} {
  const transfer: ArrayBuffer[] = []
  const envelope: unknown[] = []
  for (const message of messages) envelope.push(packMessage(message, transfer))
  return { envelope, transfer }
}

/** The messages again. Values are views of one buffer of the envelope. */
export function unpackEnvelope(envelope: Envelope): readonly Message[] {
  return envelope.map((item) => unpackMessage(item as Packed))
}

/**
 * The four hot messages travel as tuples: structured clone writes and reads the name of every member of an object. Each
 * begins with its number here; any other message travels as it is, its records packed.
 */
const HOT = { read: 1, readReply: 2, write: 3, writeReply: 4 } as const

type Packed =
  | readonly [typeof HOT.read, number, number, readonly string[], PackedColumn, PackedColumn, boolean]
  | readonly [typeof HOT.readReply, number, number, PackedColumn, ...PackedRecords]
  | readonly [
      typeof HOT.write,
      number,
      number,
      readonly number[],
      PackedColumn,
      PackedColumn,
      PackedColumn,
      PackedColumn,
      readonly string[],
      ...PackedRecords,
    ]
  | readonly [typeof HOT.writeReply, number, number, PackedColumn]
  | (Message & { readonly packed?: PackedRecords })

function packMessage(message: Message, transfer: ArrayBuffer[]): Packed {
  switch (message.type) {
    case 'replica/read': {
      const { id, epoch, keys, rowEpochs, deadlinesMs, fallback } = message
      return [HOT.read, id, epoch, keys, packColumn(rowEpochs), packColumn(deadlinesMs), fallback]
    }
    case 'replica/read-reply': {
      const { replyTo, epoch, statuses, records } = message
      return [HOT.readReply, replyTo, epoch, packColumn(statuses), ...packRecords(records, transfer)]
    }
    case 'replica/write': {
      const { id, epoch, partitions, rowEpochs, deadlinesMs, purposes, counts, keys, records } = message
      return [
        HOT.write,
        id,
        epoch,
        partitions,
        packColumn(rowEpochs),
        packColumn(deadlinesMs),
        packColumn(purposes),
        packColumn(counts),
        keys,
        ...packRecords(records, transfer),
      ]
    }
    case 'replica/write-reply': {
      const { replyTo, epoch, statuses } = message
      return [HOT.writeReply, replyTo, epoch, packColumn(statuses)]
    }
    case 'coordinate/requests': {
      // Each small value of the program's may be a view of a slab of Node's pool, which would be sent whole.
      const records: VersionRecord[] = []
      const requests: unknown[] = []
      for (const request of message.requests) {
        if (request.kind === 'put') records.push(...request.records)
        if (request.kind === 'update')
          for (const value of request.values) records.push({ kind: 'lww', stamp: '', value })
        requests.push(withoutValues(request))
      }
      return { ...message, requests, packed: packRecords(records, transfer) } as Packed
    }
    case 'coordinate/replies': {
      const values: (VersionRecord | undefined)[] = []
      const outcomes: unknown[] = []
      for (const outcome of message.outcomes) {
        values.push(outcome.type === 'value' ? outcome.record : undefined)
        outcomes.push(outcome.type === 'value' ? 0 : outcome)
      }
      return { ...message, outcomes, packed: packRecords(values, transfer) } as Packed
    }
    default: {
      if (!('records' in message)) return message
      const { records, ...rest } = message
      return { ...rest, packed: packRecords(records, transfer) } as unknown as Packed
    }
  }
}

function unpackMessage(item: Packed): Message {
  if (!('length' in item)) return unpackNamed(item)
  switch (item[0]) {
    case HOT.read: {
      const [, id, epoch, keys, rowEpochs, deadlinesMs, fallback] = item
      const columns = { rowEpochs: unpackColumn(rowEpochs), deadlinesMs: unpackColumn(deadlinesMs) }
      return { type: 'replica/read', id, epoch, keys, ...columns, fallback }
    }
    case HOT.readReply: {
      const [, replyTo, epoch, statuses, stamps, sizes, bytes] = item
      const records = unpackRecords([stamps, sizes, bytes])
      return { type: 'replica/read-reply', replyTo, epoch, statuses: unpackStatuses(statuses), records }
    }
    case HOT.write: {
      const [, id, epoch, partitions, rowEpochs, deadlinesMs, purposes, counts, keys, stamps, sizes, bytes] = item
      return {
        type: 'replica/write',
        id,
        epoch,
        partitions,
        rowEpochs: unpackColumn(rowEpochs),
        deadlinesMs: unpackColumn(deadlinesMs),
        purposes: unpackColumn(purposes) as readonly Purpose[],
        counts: unpackColumn(counts),
        keys,
        // Of a coordinator's write every key has its record.
        records: unpackRecords([stamps, sizes, bytes]) as readonly VersionRecord[],
      }
    }
    case HOT.writeReply: {
      const [, replyTo, epoch, statuses] = item
      return { type: 'replica/write-reply', replyTo, epoch, statuses: unpackStatuses(statuses) }
    }
  }
}

function unpackNamed(item: Message & { readonly packed?: PackedRecords }): Message {
  const { packed, ...message } = item
  if (packed === undefined) return message as Message
  const records = unpackRecords(packed)
  if (item.type === 'coordinate/requests') {
    let from = 0
    const requests = item.requests.map((request) => {
      if (request.kind === 'get') return request
      const own = records.slice(from, from + request.keys.length) as VersionRecord[]
      from += own.length
      return request.kind === 'put' ? { ...request, records: own } : { ...request, values: own.map(valueIn) }
    })
    return { ...message, requests } as Message
  }
  if (item.type !== 'coordinate/replies') return { ...message, records } as unknown as Message
  const outcomes = item.outcomes.map((outcome, index) =>
    (outcome as unknown) === 0 ? { type: 'value', record: records[index] } : outcome,
  )
  return { ...message, outcomes } as unknown as Message
}

function withoutValues(request: CoordinateRequest): unknown {
  if (request.kind === 'put') return { ...request, records: undefined }
  return request.kind === 'update' ? { ...request, values: undefined } : request
}

function valueIn(record: VersionRecord): Uint8Array | null {
  return record.kind === 'lww' ? record.value : null
}

function unpackStatuses(packed: PackedColumn): readonly ReplyStatus[] {
  return unpackColumn(packed) as readonly ReplyStatus[]
}

function packRecords(records: readonly (VersionRecord | undefined)[], transfer: ArrayBuffer[]): PackedRecords {
  return areStored(records) ? packStored(records, transfer) : packDecoded(records, transfer)
}

function areStored(records: readonly (VersionRecord | undefined)[]): records is readonly (PackedLww | undefined)[] {
  for (const record of records) if (record !== undefined && !(record instanceof PackedLww)) return false
  return true
}

function packStored(records: readonly (PackedLww | undefined)[], transfer: ArrayBuffer[]): PackedRecords {
  const sizes: number[] = []
  let total = 0
  for (const record of records) {
    sizes.push(record === undefined ? ABSENT : record.end - record.from)
    if (record !== undefined) total += strideOf(record.end - record.from)
  }
  if (total === 0) return [STORED, packColumn(sizes), undefined]
  const bytes = new Uint8Array(total)
  let offset = 0
  for (let index = 0; index < records.length; index++) {
    const first = records[index]
    if (first === undefined) continue
    let end = first.from + strideOf(first.end - first.from)
    // Those that one read has found lie one behind the other as they are sent: one copy for all of them.
    for (let next = records[index + 1]; index + 1 < records.length; next = records[index + 1]) {
      if (next !== undefined && (next.bytes !== first.bytes || next.from !== end)) break
      if (next !== undefined) end += strideOf(next.end - next.from)
      index++
    }
    const { buffer, byteOffset, byteLength } = first.bytes
    bytes.set(new Uint8Array(buffer, byteOffset + first.from, Math.min(end, byteLength) - first.from), offset)
    offset += end - first.from
  }
  if (total >= TRANSFER_BYTES_MIN) transfer.push(bytes.buffer)
  return [STORED, packColumn(sizes), bytes]
}

/** From one record to the next: room for the checksum, which is not used, and up to the next word. */
function strideOf(size: number): number {
  return aligned(size + TRAILER_BYTES)
}

function unpackStored(packedSizes: PackedColumn, bytes: Uint8Array): (VersionRecord | undefined)[] {
  const records: (VersionRecord | undefined)[] = []
  let offset = 0
  for (const size of unpackColumn(packedSizes)) {
    if (size === ABSENT) {
      records.push(undefined)
      continue
    }
    records.push(new PackedLww(bytes, offset, offset + size))
    offset += strideOf(size)
  }
  return records
}

function packDecoded(records: readonly (VersionRecord | undefined)[], transfer: ArrayBuffer[]): PackedRecords {
  const count = records.length
  // Filled by `push`: see `columns.ts`.
  const stamps: string[] = []
  const sizes: number[] = []
  const values: (Uint8Array | undefined)[] = []
  let total = 0
  for (let index = 0; index < count; index++) {
    const record = records[index]
    if (record === undefined) {
      stamps.push('')
      sizes.push(ABSENT)
      values.push(undefined)
      continue
    }
    const value = record.kind === 'lww' ? record.value : encodeRecord('', record)
    stamps.push(record.kind === 'lww' ? record.stamp : SIBLINGS)
    sizes.push(value === null ? TOMBSTONE : value.byteLength)
    values.push(value ?? undefined)
    total += value?.byteLength ?? 0
  }
  if (total === 0) return [stamps, packColumn(sizes), undefined]
  const bytes = new Uint8Array(total)
  let offset = 0
  for (let index = 0; index < count; index++) {
    const value = values[index]
    if (value === undefined) continue
    bytes.set(value, offset)
    offset += value.byteLength
  }
  if (total >= TRANSFER_BYTES_MIN) transfer.push(bytes.buffer)
  return [stamps, packColumn(sizes), bytes]
}

const EMPTY = new Uint8Array(0)

function unpackRecords([stamps, packedSizes, bytes = EMPTY]: PackedRecords): (VersionRecord | undefined)[] {
  if (stamps === STORED) return unpackStored(packedSizes, bytes)
  const sizes = unpackColumn(packedSizes)
  const count = sizes.length
  const records = new Array<VersionRecord | undefined>(count)
  let offset = 0
  for (let index = 0; index < count; index++) {
    const size = sizes[index] as number
    const stamp = stamps[index] as string
    if (size === ABSENT) continue
    if (size === TOMBSTONE) {
      records[index] = { kind: 'lww', stamp, value: null }
      continue
    }
    // Not `subarray`, which looks up whose kind to make.
    const value = new Uint8Array(bytes.buffer, bytes.byteOffset + offset, size)
    offset += size
    if (stamp !== SIBLINGS) records[index] = { kind: 'lww', stamp, value }
    else {
      const record = decodeRecord('', value)
      if (record === 'damaged') throw new Error('a record that was packed in this process cannot be damaged')
      records[index] = record
    }
  }
  return records
}
