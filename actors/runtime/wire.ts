/**
 * Messages on their way between threads: one envelope per turn and receiver, records packed into columns.
 *
 * Structured clone copies an array of strings or one buffer quickly and a thousand small buffers slowly, and of a small view it copies
 * the whole buffer behind it. So the records of a message become three columns: versions (stamps), sizes, and all
 * values in one buffer. Sibling sets, which are rare and deep, travel as their stored bytes.
 */

import type { Message } from '../../src/protocol/messages.js'
import type { VersionRecord } from '../../src/protocol/versions/record.js'
import { decodeRecord, encodeRecord } from '../../src/storage/record-codec.js'
import { type PackedColumn, packColumn, unpackColumn } from './columns.js'

/** A size below zero says what is not a value. */
const TOMBSTONE = -1
const ABSENT = -2
/** In `stamps`: the value is a stored sibling record. */
const SIBLINGS = '*'
/** Buffers from here on are handed over instead of copied. */
const TRANSFER_BYTES_MIN = 65_536

interface PackedRecords {
  readonly stamps: string[]
  readonly sizes: PackedColumn
  readonly bytes: Uint8Array | undefined
}

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

/** A message in which records and columns of numbers are packed. */
type Packed = Message & {
  readonly packed?: PackedRecords
  readonly rowEpochs?: PackedColumn
  readonly deadlinesMs?: PackedColumn
  readonly statuses?: PackedColumn
  readonly purposes?: PackedColumn
  readonly counts?: PackedColumn
}

/** All members of a message, its records packed. */
type Wire<M> = Record<Exclude<keyof M, 'records'> | (M extends { records: unknown } ? 'packed' : never), unknown>

function packMessage(message: Message, transfer: ArrayBuffer[]): unknown {
  switch (message.type) {
    // The hot ones member by member: one allocation, of one shape.
    case 'replica/read': {
      const { type, id, epoch, keys, fallback } = message
      const rowEpochs = packColumn(message.rowEpochs)
      const deadlinesMs = packColumn(message.deadlinesMs)
      return { type, id, epoch, keys, rowEpochs, deadlinesMs, fallback } satisfies Wire<typeof message>
    }
    case 'replica/read-reply': {
      const { type, replyTo, epoch } = message
      const statuses = packColumn(message.statuses)
      const packed = packRecords(message.records, transfer)
      return { type, replyTo, epoch, statuses, packed } satisfies Wire<typeof message>
    }
    case 'replica/write': {
      const { type, id, epoch, partitions, keys } = message
      const rowEpochs = packColumn(message.rowEpochs)
      const deadlinesMs = packColumn(message.deadlinesMs)
      const purposes = packColumn(message.purposes)
      const counts = packColumn(message.counts)
      const packed = packRecords(message.records, transfer)
      const columns = { partitions, rowEpochs, deadlinesMs, purposes, counts, keys, packed }
      return { type, id, epoch, ...columns } satisfies Wire<typeof message>
    }
    case 'replica/write-reply':
    case 'hint/stored':
      return { ...message, statuses: packColumn(message.statuses) }
    case 'coordinate/replies': {
      const values: (VersionRecord | undefined)[] = []
      const outcomes: unknown[] = []
      for (const outcome of message.outcomes) {
        values.push(outcome.type === 'value' ? outcome.record : undefined)
        outcomes.push(outcome.type === 'value' ? 0 : outcome)
      }
      return { ...message, outcomes, packed: packRecords(values, transfer) }
    }
    default: {
      if (!('records' in message)) return message
      const { records, ...rest } = message
      return { ...rest, packed: packRecords(records, transfer) }
    }
  }
}

function unpackMessage(item: Packed): Message {
  const { packed, rowEpochs, deadlinesMs, statuses, purposes, counts, ...rest } = item
  const message: Record<string, unknown> = rest
  if (rowEpochs !== undefined) message.rowEpochs = unpackColumn(rowEpochs)
  if (deadlinesMs !== undefined) message.deadlinesMs = unpackColumn(deadlinesMs)
  if (statuses !== undefined) message.statuses = unpackColumn(statuses)
  if (purposes !== undefined) message.purposes = unpackColumn(purposes)
  if (counts !== undefined) message.counts = unpackColumn(counts)
  if (packed === undefined) return message as unknown as Message
  const records = unpackRecords(packed)
  if (item.type !== 'coordinate/replies') message.records = records
  else {
    message.outcomes = item.outcomes.map((outcome, index) =>
      (outcome as unknown) === 0 ? { type: 'value', record: records[index] } : outcome,
    )
  }
  return message as unknown as Message
}

function packRecords(records: readonly (VersionRecord | undefined)[], transfer: ArrayBuffer[]): PackedRecords {
  const count = records.length
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
  if (total === 0) return { stamps, sizes: packColumn(sizes), bytes: undefined }
  const bytes = new Uint8Array(total)
  let offset = 0
  for (let index = 0; index < count; index++) {
    const value = values[index]
    if (value === undefined) continue
    bytes.set(value, offset)
    offset += value.byteLength
  }
  if (total >= TRANSFER_BYTES_MIN) transfer.push(bytes.buffer)
  return { stamps, sizes: packColumn(sizes), bytes }
}

const EMPTY = new Uint8Array(0)

function unpackRecords({ stamps, sizes: packedSizes, bytes = EMPTY }: PackedRecords): (VersionRecord | undefined)[] {
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
    const value = bytes.subarray(offset, offset + size)
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
