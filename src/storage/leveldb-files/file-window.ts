/**
 * One file, read through a bounded window: synchronous, front to back, in big chunks.
 *
 * Synchronous because it runs in a pool thread that has nothing else to do, and libuv's few threads are busy with the
 * nodes' LevelDBs. All windows of one verification share one buffer, so memory does not grow with the store.
 *
 * It must not tell damage from a shortage of means: a missing or unreadable file is `Damage`; too many open files, no memory or
 * no permission are thrown as the system's own error, since a store must not be thrown away for those.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { crc32cOf } from '../crc32c.js'
import { Damage } from './damage.js'

/** A known state of a file. Table files are never changed once written, so an equal fingerprint is an equal table. */
export interface FileFingerprint {
  readonly name: string
  readonly bytes: number
  readonly mtimeMs: number
  readonly ino: number
}

/** Bytes read at a time: large enough for the disk, small enough for the cache. */
export const WINDOW_BYTES = 1 << 20

/** The process or the operator lacks something; nothing is said about the file. */
const MEANS_CODES: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EACCES', 'EPERM', 'EINTR', 'EAGAIN'])

export class FileWindow {
  readonly fingerprint: FileFingerprint
  /** Bytes taken from the file so far, repeats included. */
  bytesRead = 0
  readonly #descriptor: number
  readonly #buffer: Buffer
  /** The buffer holds the file's bytes [start, end). */
  #start = 0
  #end = 0

  private constructor(descriptor: number, fingerprint: FileFingerprint, buffer: Buffer) {
    this.#descriptor = descriptor
    this.fingerprint = fingerprint
    this.#buffer = buffer
  }

  /**
   * Errors: throws Damage('missing' | 'unreadable'), or the system's error for a shortage of means.
   */
  static open(path: string, name: string, buffer: Buffer): FileWindow {
    const descriptor = orDamage(() => openSync(path, 'r'))
    try {
      const stat = orDamage(() => fstatSync(descriptor))
      if (!stat.isFile()) throw new Damage('unreadable', 'is not a file')
      return new FileWindow(descriptor, { name, bytes: stat.size, mtimeMs: stat.mtimeMs, ino: stat.ino }, buffer)
    } catch (error) {
      closeSync(descriptor)
      throw error
    }
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  get bytes(): number {
    return this.fingerprint.bytes
  }

  /**
   * The bytes [offset, offset + length) of the file.
   *
   * Shape:  valid until the next call on any window that shares the buffer: copy what must outlive it.
   * Errors: throws Damage('format') beyond the end of the file, Damage('size' | 'unreadable') if it cannot be read.
   */
  view(offset: number, length: number): Buffer {
    if (offset + length > this.bytes) throw new Damage('format', 'points beyond the end of the file', offset)
    if (length > this.#buffer.length) {
      const large = Buffer.allocUnsafe(length)
      this.#fill(large, offset, length)
      return large
    }
    if (offset < this.#start || offset + length > this.#end) {
      const wanted = Math.min(this.#buffer.length, this.bytes - offset)
      this.#end = 0 // nothing is held if the read below fails
      this.#fill(this.#buffer, offset, wanted)
      this.#start = offset
      this.#end = offset + wanted
    }
    return this.#buffer.subarray(offset - this.#start, offset - this.#start + length)
  }

  /** CRC32C of the bytes [offset, offset + length), continuing from `initial`. Any length, in bounded memory. */
  crc32c(offset: number, length: number, initial = 0): number {
    let checksum = initial
    const end = offset + length
    for (let at = offset; at < end; ) {
      const step = Math.min(end - at, this.#buffer.length)
      checksum = crc32cOf(this.view(at, step), 0, step, checksum)
      at += step
    }
    return checksum
  }

  #fill(target: Buffer, offset: number, length: number): void {
    let filled = 0
    while (filled < length) {
      const count = orDamage(() => readSync(this.#descriptor, target, filled, length - filled, offset + filled))
      if (count === 0) throw new Damage('size', 'became shorter while it was read', offset + filled)
      filled += count
    }
    this.bytesRead += length
  }
}

/** Runs a system call; what it says about the file becomes Damage, what it says about the process stays an error. */
function orDamage<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (typeof code !== 'string' || MEANS_CODES.has(code)) throw error
    throw new Damage(code === 'ENOENT' ? 'missing' : 'unreadable', code)
  }
}
