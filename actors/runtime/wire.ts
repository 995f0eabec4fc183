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
  return { envelope: messages.map((message) => packMessage(message, transfer)), transfer }
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

function packMessage(message: Message, transfer: ArrayBuffer[]): unknown {
  switch (message.type) {
    case 'replica/read': {
      const { rowEpochs, deadlinesMs } = message
      return { ...message, rowEpochs: packColumn(rowEpochs), deadlinesMs: packColumn(deadlinesMs) }
    }
    case 'replica/read-reply': {
      const { records, statuses, ...rest } = message
      return { ...rest, statuses: packColumn(statuses), packed: packRecords(records, transfer) }
    }
    case 'replica/write': {
      const { records, rowEpochs, deadlinesMs, purposes, counts, ...rest } = message
      const columns = { rowEpochs: packColumn(rowEpochs), deadlinesMs: packColumn(deadlinesMs) }
      const small = { purposes: packColumn(purposes), counts: packColumn(counts) }
      return { ...rest, ...columns, ...small, packed: packRecords(records, transfer) }
    }
    case 'replica/write-reply':
    case 'hint/stored':
      return { ...message, statuses: packColumn(message.statuses) }
    case 'coordinate/replies': {
      const values = message.outcomes.map((outcome) => (outcome.type === 'value' ? outcome.record : undefined))
      const outcomes = message.outcomes.map((outcome) => (outcome.type === 'value' ? 0 : outcome))
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
  const stamps = new Array<string>(count)
  const sizes = new Array<number>(count)
  const values = new Array<Uint8Array | undefined>(count)
  let total = 0
  for (let index = 0; index < count; index++) {
    const record = records[index]
    let size = ABSENT
    let stamp = ''
    if (record !== undefined) {
      const value = record.kind === 'lww' ? record.value : encodeRecord('', record)
      stamp = record.kind === 'lww' ? record.stamp : SIBLINGS
      size = value === null ? TOMBSTONE : value.byteLength
      if (value !== null) {
        values[index] = value
        total += size
      }
    }
    stamps[index] = stamp
    sizes[index] = size
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
