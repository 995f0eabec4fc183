/**
 * The witness: a small file outside the store's folder that says how far the store has come.
 *
 * LevelDB loses the end of its log, or is replaced by an older copy, without a word. So before a node acknowledges
 * a batch, the batch's sequence is written here; a store that is opened with a lower one has forgotten something.
 *
 * ```
 * two slots of 512 bytes, written in turn, so that a torn write leaves the other one:
 * 0 magic 'CTRW'   4 version 1   5 flags: 1 closed, 2 disk   8 generation f64   16 sequence f64
 * 24 store id (8 bytes)   32 boot id (16 bytes)   48 CRC32C of bytes 0…47        (little endian)
 * ```
 *
 * A torn slot is the one whose write was never finished, so whatever it stood for was never acknowledged: the other slot
 * alone is a full witness.
 *
 * `closed` means: the store was closed in order and is on the disk to its last batch. It is what lets a store be trusted
 * across a reboot under durability `'process'`, so it is taken back, on the disk, before the next life's first batch.
 *
 * It must never be written before LevelDB has accepted the batch: an innocent crash in between would look like amnesia.
 * Called by the level store.
 */

import { closeSync, fdatasyncSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Durability } from '../shared/options.js'
import { crc32cOf } from './crc32c.js'
import { codeOf } from './store-error.js'
import { syncFolder } from './sync-folder.js'

/** What a witness file says. */
export interface Witness {
  /** 16 hex digits. */
  readonly storeId: string
  /** Of the last batch that may have been acknowledged. */
  readonly sequence: number
  /** 32 hex digits: the run of the machine that wrote this. */
  readonly bootId: string
  /** The durability of the life that wrote this. */
  readonly durability: Durability
  /** Closed in order, everything on the disk. */
  readonly closed: boolean
}

const MAGIC = 0x57525443 // CTRW
const VERSION = 1
const SLOT_BYTES = 512
const USED_BYTES = 52
const SUM_AT = 48
const FLAG_CLOSED = 1
const FLAG_DISK = 2

/** `'absent'`: no file, or an empty one. `'damaged'`: a file without one good slot. Errors: those of fs but ENOENT. */
export function readWitness(path: string): Witness | 'absent' | 'damaged' {
  return readSlots(path)?.witness ?? 'absent'
}

/** Writes one witness file; keeps it open. */
export class WitnessFile {
  readonly #handle: FileHandle
  readonly #slot = Buffer.alloc(USED_BYTES)
  #generation: number

  private constructor(handle: FileHandle, generation: number, identity: { storeId: string; bootId: string }) {
    this.#handle = handle
    this.#generation = generation
    this.#slot.writeUInt32LE(MAGIC, 0)
    this.#slot[4] = VERSION
    this.#slot.write(identity.storeId, 24, 8, 'hex')
    this.#slot.write(identity.bootId, 32, 16, 'hex')
  }

  /**
   * Opens the file for a new life of a store and writes the first witness to the disk, file and folder entry.
   *
   * Errors: those of fs.
   */
  static async open(path: string, witness: Witness): Promise<WitnessFile> {
    const generation = readSlots(path)?.generation ?? 0
    // Opened once before, so that the file exists: 'r+' does not make it and 'w' would empty it.
    closeSync(openSync(path, 'a'))
    const handle = await open(path, 'r+')
    const file = new WitnessFile(handle, generation, witness)
    try {
      file.write(witness)
      fsyncSync(handle.fd)
      syncFolder(dirname(path))
      return file
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  /** Into the page cache: survives the death of the process, some 3 µs. Errors: those of fs. */
  write({ sequence, durability, closed }: Pick<Witness, 'sequence' | 'durability' | 'closed'>): void {
    this.#generation++
    const slot = this.#slot
    slot[5] = (closed ? FLAG_CLOSED : 0) | (durability === 'disk' ? FLAG_DISK : 0)
    slot.writeDoubleLE(this.#generation, 8)
    slot.writeDoubleLE(sequence, 16)
    slot.writeUInt32LE(crc32cOf(slot, 0, SUM_AT), SUM_AT)
    const written = writeSync(this.#handle.fd, slot, 0, USED_BYTES, (this.#generation % 2) * SLOT_BYTES)
    if (written !== USED_BYTES) throw new Error(`the witness took ${written} of ${USED_BYTES} bytes`)
  }

  /** What was written reaches the disk. Errors: those of fs. */
  async sync(): Promise<void> {
    await this.#handle.datasync()
  }

  /** As `sync`, at once. */
  syncNow(): void {
    fdatasyncSync(this.#handle.fd)
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }
}

interface Slot {
  readonly generation: number
  readonly witness: Witness
}

function readSlots(path: string): Slot | { generation: number; witness: 'damaged' } | undefined {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
  if (bytes.length === 0) return undefined
  let newest: Slot | undefined
  for (const at of [0, SLOT_BYTES]) {
    const slot = slotAt(bytes, at)
    if (slot !== undefined && (newest === undefined || slot.generation > newest.generation)) newest = slot
  }
  return newest ?? { generation: 0, witness: 'damaged' }
}

function slotAt(bytes: Buffer, at: number): Slot | undefined {
  if (bytes.length < at + USED_BYTES) return undefined
  const slot = bytes.subarray(at, at + USED_BYTES)
  if (slot.readUInt32LE(0) !== MAGIC || slot[4] !== VERSION) return undefined
  if (slot.readUInt32LE(SUM_AT) !== crc32cOf(slot, 0, SUM_AT)) return undefined
  const flags = slot[5] as number
  return {
    generation: slot.readDoubleLE(8),
    witness: {
      storeId: slot.toString('hex', 24, 32),
      sequence: slot.readDoubleLE(16),
      bootId: slot.toString('hex', 32, 48),
      durability: (flags & FLAG_DISK) === 0 ? 'process' : 'disk',
      closed: (flags & FLAG_CLOSED) !== 0,
    },
  }
}
