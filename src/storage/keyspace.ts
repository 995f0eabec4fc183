/**
 * How a node's store divides its LevelDB: one prefix byte for each kind of entry.
 *
 * Data keys lie in user order behind theirs, so that a scan is one ordered stream; the partition is computed from the key
 * and stored nowhere.
 *
 * Called by the level store only. Prefixes are part of the stored format and never change.
 */

import type { Key } from '../protocol/ids.js'
import type { KeyRange } from '../protocol/messages.js'

const DATA = 0x64 // d
const DATA_END = 0x65
const HINT = 0x68 // h
const HINT_END = 0x69
const META = 0x6d // m
const META_END = 0x6e

/** The one entry that every batch rewrites: who the store is and how many batches it has accepted. */
export const IDENTITY_KEY = Buffer.from('i')
/** Bounds of all hints and of all meta texts. */
export const HINT_BOUNDS = { gte: Buffer.of(HINT), lt: Buffer.of(HINT_END) }
export const META_BOUNDS = { gte: Buffer.of(META), lt: Buffer.of(META_END) }
/** Bounds of what a backup keeps: data, then hints. */
export const BACKUP_BOUNDS = { gte: Buffer.of(DATA), lt: Buffer.of(HINT_END) }

/** Below this a loop is faster than a call into Node's native code. */
const NATIVE_FROM_CHARS = 48

/** The stored key of a user's key. */
export function dataKey(key: Key): Buffer {
  const bytes = Buffer.allocUnsafe(key.length + 1)
  bytes[0] = DATA
  if (key.length < NATIVE_FROM_CHARS) for (let at = 0; at < key.length; at++) bytes[at + 1] = key.charCodeAt(at)
  else bytes.write(key, 1, 'latin1')
  return bytes
}

/** The user's key of a stored key. */
export function keyOfData(bytes: Buffer): Key {
  return bytes.toString('latin1', 1)
}

/** The stored key of a hint: 8 bytes big endian, so that hints lie in the order of their ids. */
export function hintKey(id: number): Buffer {
  const bytes = Buffer.allocUnsafe(9)
  bytes[0] = HINT
  bytes.writeBigUInt64BE(BigInt(id), 1)
  return bytes
}

/** True of a stored key that is a hint's. */
export function isHint(bytes: Uint8Array): boolean {
  return bytes[0] === HINT
}

export function idOfHint(bytes: Buffer): number {
  return Number(bytes.readBigUInt64BE(1))
}

/** The stored key of a named text. */
export function metaKey(name: string): Buffer {
  return Buffer.from(`m${name}`, 'utf8')
}

export function nameOfMeta(bytes: Buffer): string {
  return bytes.toString('utf8', 1)
}

/** Bounds of a range of user keys, as an iterator takes them. */
export interface ByteBounds {
  gt?: Buffer
  gte?: Buffer
  lt?: Buffer
  lte?: Buffer
  reverse: boolean
}

/** The stored keys of a range. Shape: never beyond the data keys. */
export function dataBounds(range: KeyRange): ByteBounds {
  const bounds: ByteBounds = { reverse: range.reverse }
  if (range.from === undefined) bounds.gte = Buffer.of(DATA)
  else if (range.fromExclusive === true) bounds.gt = dataKey(range.from)
  else bounds.gte = dataKey(range.from)
  if (range.to === undefined) bounds.lt = Buffer.of(DATA_END)
  else if (range.toExclusive === true) bounds.lt = dataKey(range.to)
  else bounds.lte = dataKey(range.to)
  return bounds
}
