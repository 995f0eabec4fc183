/**
 * The framing that LevelDB's write-ahead logs and MANIFEST share: blocks of 32 KiB, in them records of a seven-byte header
 * (masked CRC32C, length, type) and a payload; a logical record is FULL, or FIRST, MIDDLE…, LAST.
 *
 * It decides where the records are, and whether the file ends as a writer that died would leave it (a *torn tail*) or is
 * damaged. LevelDB itself does not tell: it drops what it cannot read and goes on. The line drawn here:
 *
 * 1. A writer appends. Killed, it leaves a prefix: a header cut short, a payload cut short, a FIRST without its LAST. Torn.
 * 2. A power cut may leave the file's length without its last pages: zeros up to the end, from a record's edge or from a
 *    sector's edge inside the last record. Torn as well; LevelDB recovers the records before it.
 * 3. Everything else is damage. One case needs care: a bit flipped in a *length* near the end looks like 1, and LevelDB would
 *    silently drop all records from there on. The checksum gives it away: it fits a shorter prefix of the payload.
 *
 * A file cut exactly between two records looks like one that was never longer: no reader of this file alone can tell.
 *
 * Source: leveldb doc/log_format.md; leveldb 1.20, db/log_reader.cc and db/log_writer.cc.
 */
import { crc32cOf } from '../crc32c.js'
import { unmaskChecksum } from './checksum.js'
import { Damage } from './damage.js'
import type { FileWindow } from './file-window.js'

/** Bytes. */
const LOG_BLOCK_BYTES = 32_768
/** Bytes: checksum 4, length 2, type 1. */
const LOG_HEADER_BYTES = 7
/** Disks and page caches lose whole sectors; bytes. */
const SECTOR_BYTES = 512

const FULL = 1
const FIRST = 2
const MIDDLE = 3
const LAST = 4

export interface LogRecord {
  /** Where its first header is; bytes. */
  readonly offset: number
  /** All of the payload; bytes. */
  readonly bytes: number
  /** The payload's first `headBytes` bytes or all of it, valid during the call only. */
  readonly head: Uint8Array
}

export interface LogScan {
  readonly records: number
  /** Offset of the first byte that belongs to no whole record, if the tail is torn. */
  readonly tornAt: number | undefined
}

interface LogScanOptions {
  /** How much of each record `onRecord` wants to see; bytes. */
  readonly headBytes: number
  readonly onRecord: (record: LogRecord) => void
}

interface Header {
  readonly offset: number
  readonly checksum: number
  readonly length: number
  readonly type: number
}

/** A logical record whose LAST has not been seen. */
interface OpenRecord {
  readonly offset: number
  readonly pieces: Buffer[]
  keptBytes: number
  bytes: number
}

/**
 * Reads every record of a log or manifest.
 *
 * Errors: throws Damage('checksum' | 'framing' | 'format' | 'size' | 'unreadable'); what `onRecord` throws passes through.
 */
export function scanLog(file: FileWindow, options: LogScanOptions): LogScan {
  let records = 0
  let open: OpenRecord | undefined
  let offset = 0
  for (;;) {
    offset = skipTrailer(file, offset)
    if (offset + LOG_HEADER_BYTES > file.bytes) {
      const clean = offset >= file.bytes && open === undefined
      return { records, tornAt: clean ? undefined : (open?.offset ?? offset) }
    }
    const header = readHeader(file, offset)
    if (!isWhole(file, header)) return { records, tornAt: open?.offset ?? offset }
    open = joinFragment(file, header, open, options)
    if (open === undefined) records++
    offset += LOG_HEADER_BYTES + header.length
  }
}

/** The rest of a block, if no header fits in it: zeros, or cut off by the end of the file. */
function skipTrailer(file: FileWindow, offset: number): number {
  const left = LOG_BLOCK_BYTES - (offset % LOG_BLOCK_BYTES)
  if (left >= LOG_HEADER_BYTES) return offset
  const present = Math.min(left, file.bytes - offset)
  for (const byte of file.view(offset, present)) {
    if (byte !== 0) throw new Damage('framing', 'the padding of a block is not zero', offset)
  }
  return offset + present
}

function readHeader(file: FileWindow, offset: number): Header {
  const bytes = file.view(offset, LOG_HEADER_BYTES)
  return {
    offset,
    checksum: unmaskChecksum(bytes.readUInt32LE(0)),
    length: bytes.readUInt16LE(4),
    type: bytes.readUInt8(6),
  }
}

/** True for a record that is all there, false for a torn tail. */
function isWhole(file: FileWindow, header: Header): boolean {
  const { offset, length } = header
  const end = offset + LOG_HEADER_BYTES + length
  const roomInBlock = LOG_BLOCK_BYTES - (offset % LOG_BLOCK_BYTES) - LOG_HEADER_BYTES
  if (length <= roomInBlock && end <= file.bytes) {
    // The checksum covers the type byte, which is the header's last, and the payload.
    if (file.crc32c(offset + LOG_HEADER_BYTES - 1, length + 1) === header.checksum) return true
    if (endsInZeros(file, offset, end)) return false
    throw new Damage('checksum', 'a record does not match its checksum', offset)
  }
  if (length > roomInBlock) throw new Damage('framing', 'a record is longer than its block', offset)
  if (header.type < FULL || header.type > LAST) {
    if (endsInZeros(file, offset, end)) return false
    throw new Damage('format', `record type ${header.type}`, offset)
  }
  if (lengthIsWrong(file, header)) throw new Damage('framing', 'the length of a record is wrong', offset)
  return false
}

/** Case 3 of the file comment: some shorter payload fits the checksum, so it is the length that was damaged. */
function lengthIsWrong(file: FileWindow, header: Header): boolean {
  const present = file.view(header.offset + LOG_HEADER_BYTES - 1, file.bytes - header.offset - LOG_HEADER_BYTES + 1)
  let checksum = 0
  for (let at = 0; at < present.length; at++) {
    checksum = crc32cOf(present, at, at + 1, checksum)
    if (checksum === header.checksum) return true
  }
  return false
}

/** Case 2: all bytes from the record's edge, or from a sector's edge inside it, up to the end of the file are zero. */
function endsInZeros(file: FileWindow, offset: number, end: number): boolean {
  const firstZero = zerosStartAt(file, offset)
  if (firstZero <= offset) return true
  const sectorEdge = Math.ceil(firstZero / SECTOR_BYTES) * SECTOR_BYTES
  return sectorEdge < Math.max(end, offset + LOG_HEADER_BYTES) && sectorEdge < file.bytes
}

function zerosStartAt(file: FileWindow, from: number): number {
  let start = from
  for (let at = from; at < file.bytes; at += LOG_BLOCK_BYTES) {
    const chunk = file.view(at, Math.min(LOG_BLOCK_BYTES, file.bytes - at))
    let last = chunk.length - 1
    while (last >= 0 && chunk[last] === 0) last--
    if (last >= 0) start = at + last + 1
  }
  return start
}

/** Adds a fragment to the record under construction; hands the record over when it is complete. */
function joinFragment(
  file: FileWindow,
  header: Header,
  open: OpenRecord | undefined,
  options: LogScanOptions,
): OpenRecord | undefined {
  const { offset, length, type } = header
  const starts = type === FULL || type === FIRST
  if (!starts && type !== MIDDLE && type !== LAST) throw new Damage('format', `record type ${type}`, offset)
  if (starts && open !== undefined) throw new Damage('framing', 'a record has no end', open.offset)
  if (!starts && open === undefined) throw new Damage('framing', 'a record has no start', offset)

  const record = open ?? { offset, pieces: [], keptBytes: 0, bytes: 0 }
  const keep = Math.min(length, options.headBytes - record.keptBytes)
  const piece = file.view(offset + LOG_HEADER_BYTES, keep)
  if (type === FULL) {
    options.onRecord({ offset, bytes: length, head: piece })
    return undefined
  }
  record.pieces.push(Buffer.from(piece)) // copied: the window moves on before the record is complete
  record.keptBytes += keep
  record.bytes += length
  if (type !== LAST) return record
  options.onRecord({ offset: record.offset, bytes: record.bytes, head: Buffer.concat(record.pieces) })
  return undefined
}
