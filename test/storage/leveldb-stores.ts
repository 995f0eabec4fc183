/**
 * Real LevelDB stores for the tests of their verification: made by classic-level, with a history that is known write by write, so
 * that what a damaged one still holds can be compared with every moment of its past.
 */
import { strict as assert } from 'node:assert'
import { closeSync, cpSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import type { Test } from 'tap'
import { Prng } from '../../src/protocol/prng.js'

type Database = ClassicLevel<string, Uint8Array>

export interface Write {
  readonly key: string
  /** Undefined deletes. */
  readonly value: Uint8Array | undefined
}

export interface Store {
  readonly folder: string
  /** Every write in order: LevelDB's sequence number n is `writes[n - 1]`. */
  readonly writes: readonly Write[]
}

export interface StoreShape {
  readonly seed: number
  /** Writes that end up in tables, then writes that stay in the log. */
  readonly tableWrites: number
  readonly logWrites: number
  readonly valueBytes: number
  readonly compression?: boolean
}

export function temporaryFolder(test: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'coterie-verify-'))
  test.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Makes a closed store: some writes compacted into tables, the rest in the log. */
export async function makeStore(folder: string, shape: StoreShape): Promise<Store> {
  const prng = new Prng(shape.seed)
  const random = (bound: number): number => prng.below(bound)
  const writes: Write[] = []
  const write = async (database: Database, key: string, isDelete: boolean): Promise<void> => {
    const value = isDelete ? undefined : randomText(random, shape.valueBytes)
    writes.push({ key, value })
    await (value === undefined ? database.del(key) : database.put(key, value))
  }
  const tables = await openStore(folder, shape.compression)
  for (let at = 0; at < shape.tableWrites; at++) {
    await write(tables, `row-${random(shape.tableWrites)}`, random(10) === 0)
    if (at === shape.tableWrites >> 1) await tables.compactRange('', '~')
  }
  await tables.compactRange('', '~')
  await tables.close()
  if (shape.logWrites === 0) return { folder, writes }
  const log = await openStore(folder, shape.compression)
  for (let at = 0; at < shape.logWrites; at++) {
    await write(log, random(4) === 0 ? `row-${random(shape.tableWrites + 1)}` : `new-${at}`, random(20) === 0)
  }
  await log.close()
  return { folder, writes }
}

export async function openStore(folder: string, compression = true): Promise<Database> {
  const database = new ClassicLevel<string, Uint8Array>(folder, { valueEncoding: 'view', compression })
  await database.open()
  return database
}

/** Opens a copy of a store that was verified as good, and reads all of it. */
export async function readCopy(folder: string, scratch: string): Promise<Map<string, string>> {
  rmSync(scratch, { recursive: true, force: true })
  cpSync(folder, scratch, { recursive: true })
  const database = await openStore(scratch)
  const content = new Map<string, string>()
  for (const [key, value] of await database.iterator().all()) content.set(key, Buffer.from(value).toString('latin1'))
  await database.close()
  return content
}

/** The number of writes after which the store held exactly `content`, the latest such moment, or -1 if there was none. */
export function findMoment(writes: readonly Write[], content: ReadonlyMap<string, string>): number {
  const replay = new Map<string, string>()
  // How many keys differ between replay and content: kept up to date write by write, for 0 is what we look for.
  let differing = content.size
  const differs = (key: string): number => (replay.get(key) === content.get(key) ? 0 : 1)
  let moment = differing === 0 ? 0 : -1
  writes.forEach(({ key, value }, at) => {
    differing -= differs(key)
    if (value === undefined) replay.delete(key)
    else replay.set(key, Buffer.from(value).toString('latin1'))
    differing += differs(key)
    if (differing === 0) moment = at + 1
  })
  return moment
}

/** Names of the store's files whose name ends so, e.g. `.log`; MANIFEST by its beginning. */
export function filesOf(folder: string, kind: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith(kind) || name.startsWith(kind))
}

/** Changes `length` bytes of a file in place, runs `check`, puts the old bytes back. */
export function withBytes<T>(
  path: string,
  { offset, length }: { offset: number; length: number },
  change: (bytes: Buffer) => Uint8Array,
  check: () => T,
): T {
  const descriptor = openSync(path, 'r+')
  try {
    const original = Buffer.alloc(length)
    assert.equal(readSync(descriptor, original, 0, length, offset), length, 'the bytes lie in the file')
    try {
      writeSync(descriptor, change(Buffer.from(original)), 0, length, offset)
      return check()
    } finally {
      writeSync(descriptor, original, 0, length, offset)
    }
  } finally {
    closeSync(descriptor)
  }
}

/** Flips one bit of a file, runs `check`, flips it back. */
export function withFlippedBit<T>(path: string, bit: number, check: () => T): T {
  const flip = (bytes: Buffer): Uint8Array => bytes.map((byte) => byte ^ (1 << (bit % 8)))
  return withBytes(path, { offset: Math.floor(bit / 8), length: 1 }, flip, check)
}

/** Half compressible, half not, and never zero. */
function randomText(random: (bound: number) => number, bytes: number): Uint8Array {
  const text = Buffer.alloc(bytes, 'coterie ')
  for (let at = 0; at < bytes; at += 2) text[at] = 33 + random(90)
  return text
}
