/**
 * A small JSON file that is replaced as a whole and never lost: checksum, generation, the previous generation beside it.
 *
 * ```
 * 1. write  name.tmp, fsync            the new one is whole on the disk
 * 2. link   name → name.previous       the old one has two names (a copy where links are not to be had)
 * 3. rename name.tmp → name            atomic: `name` is always the old or the new one, never missing
 * 4. fsync  the folder
 * ```
 *
 * A death at any point leaves a whole newest file. So a damaged newest one means that the disk, or a person, changed it;
 * whether the previous one may be used instead is for the caller to say.
 *
 * Called by `cluster-folder.ts` and `migration-file.ts`.
 */

import { copyFile, link, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { crc32c } from '@node-rs/crc32'
import { codeOf } from './store-error.js'
import { syncFolder } from './sync-folder.js'

const FORMAT = 1

interface Envelope {
  readonly format: number
  /** Counts the writes of this file. */
  readonly generation: number
  /** CRC32C of generation and body, 8 hex digits. */
  readonly checksum: string
  readonly body: unknown
}

/** `newest`: as written last. `previous`: the newest is damaged or gone, this is the one before. */
export type ReadBody =
  | { readonly source: 'newest' | 'previous'; readonly body: unknown }
  | { readonly source: 'absent' | 'damaged' }

export class CheckedFile {
  readonly #path: string
  /** Who may read it. Undefined: as the process has it. */
  readonly #mode: number | undefined
  #generation = 0
  /** False while `name` holds something damaged, which must not push the good previous one out. */
  #newestIsGood = false
  /** Writes of one file follow each other; never rejects. */
  #lastWrite: Promise<unknown> = Promise.resolve()

  constructor(path: string, { mode }: { readonly mode?: number } = {}) {
    this.#path = path
    this.#mode = mode
  }

  /** `'absent'`: neither generation exists. Errors: those of fs but ENOENT. */
  async read(): Promise<ReadBody> {
    const newest = await readEnvelope(this.#path)
    const previous = await readEnvelope(`${this.#path}.previous`)
    this.#newestIsGood = typeof newest === 'object'
    this.#generation = Math.max(generationOf(newest), generationOf(previous))
    if (typeof newest === 'object') return { source: 'newest', body: newest.body }
    if (typeof previous === 'object') return { source: 'previous', body: previous.body }
    return { source: newest === 'absent' && previous === 'absent' ? 'absent' : 'damaged' }
  }

  /** Resolves once the body is on the disk. Writes are done in the order of the calls. Errors: those of fs. */
  write(body: unknown): Promise<void> {
    // As text now: what the caller changes later is not this write's.
    const text = JSON.stringify(body)
    const done = this.#lastWrite.then(() => this.#replace(text))
    this.#lastWrite = done.catch((error: unknown) => error)
    return done
  }

  /** Resolves once no write is under way. */
  async settled(): Promise<void> {
    await this.#lastWrite
  }

  async #replace(text: string): Promise<void> {
    const generation = this.#generation + 1
    const checksum = checksumOf(generation, text)
    const temporary = `${this.#path}.tmp`
    const file = await open(temporary, 'w', this.#mode)
    try {
      await file.writeFile(`{"format":${FORMAT},"generation":${generation},"checksum":"${checksum}","body":${text}}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    if (this.#newestIsGood) await this.#keepPrevious()
    await rename(temporary, this.#path)
    syncFolder(dirname(this.#path))
    this.#generation = generation
    this.#newestIsGood = true
  }

  async #keepPrevious(): Promise<void> {
    const temporary = `${this.#path}.previous.tmp`
    await rm(temporary, { force: true })
    try {
      await link(this.#path, temporary)
    } catch (error) {
      if (codeOf(error) === undefined) throw error
      // A file system without links. The copy may tear in a power cut; it is the spare one, and has a checksum.
      await copyFile(this.#path, temporary)
    }
    await rename(temporary, `${this.#path}.previous`)
  }
}

async function readEnvelope(path: string): Promise<Envelope | 'absent' | 'damaged'> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return 'absent'
    throw error
  }
  const envelope = parse(text)
  if (envelope === undefined || envelope.format !== FORMAT || !Number.isSafeInteger(envelope.generation))
    return 'damaged'
  return envelope.checksum === checksumOf(envelope.generation, JSON.stringify(envelope.body)) ? envelope : 'damaged'
}

function parse(text: string): Envelope | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isEnvelope = typeof value === 'object' && value !== null && 'body' in value
    return isEnvelope ? (value as Envelope) : undefined
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function checksumOf(generation: number, bodyText: string): string {
  return crc32c(`${generation}:${bodyText}`).toString(16).padStart(8, '0')
}

function generationOf(envelope: Envelope | 'absent' | 'damaged'): number {
  return typeof envelope === 'object' ? envelope.generation : 0
}
