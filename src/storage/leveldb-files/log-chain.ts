/**
 * The live write-ahead logs of a store, read in the order in which LevelDB replays them.
 *
 * Every record is a write batch that begins with its first sequence number and its count, and LevelDB gives out sequence
 * numbers without gaps. So the chain must continue from record to record and from log to log, and start no later than where
 * MANIFEST ends. That finds what the framing cannot: an older log that lost its tail, or that is gone altogether.
 *
 * Only the newest log with records in it may have a torn tail: a writer that dies does not go on in another file.
 *
 * Source: leveldb 1.20, db/db_impl.cc (Write, RecoverLogFile) and db/write_batch.cc.
 */
import { Damage } from './damage.js'
import type { FileWindow } from './file-window.js'
import { type LogRecord, scanLog } from './log-format.js'

/** Bytes: sequence 8, count 4. */
const BATCH_HEADER_BYTES = 12

export class LogChain {
  records = 0
  readonly #manifestSequence: number
  /** The sequence number that the next record must begin with; undefined before the first record. */
  #nextSequence: number | undefined
  #isTorn = false

  constructor(manifestSequence: number) {
    this.#manifestSequence = manifestSequence
  }

  /** The last write that the files hold; with empty logs, the last that MANIFEST knows of. */
  get lastSequence(): number {
    return this.#nextSequence === undefined ? this.#manifestSequence : this.#nextSequence - 1
  }

  /**
   * True if writes at the end are missing: a torn record, or MANIFEST has seen a later sequence number than the logs hold.
   * False proves nothing: a log that was cut between two records shows neither.
   */
  get isTorn(): boolean {
    return this.#isTorn || (this.#nextSequence !== undefined && this.#nextSequence <= this.#manifestSequence)
  }

  /** Errors: throws Damage. */
  add(file: FileWindow): void {
    const scan = scanLog(file, { headBytes: BATCH_HEADER_BYTES, onRecord: (record) => this.#follow(record) })
    this.#isTorn ||= scan.tornAt !== undefined
    this.records += scan.records
  }

  #follow({ offset, bytes, head }: LogRecord): void {
    if (bytes < BATCH_HEADER_BYTES) throw new Damage('format', 'a record is too short for a write batch', offset)
    const batch = new DataView(head.buffer, head.byteOffset, head.byteLength)
    const sequence = batch.getUint32(0, true) + batch.getUint32(4, true) * 2 ** 32
    if (this.#nextSequence === undefined) {
      if (sequence > this.#manifestSequence + 1) throw new Damage('sequence', 'the first log starts too late', offset)
    } else if (sequence !== this.#nextSequence) {
      throw new Damage('sequence', `sequence number ${sequence} follows ${this.#nextSequence - 1}`, offset)
    }
    this.#nextSequence = sequence + batch.getUint32(8, true)
  }
}
