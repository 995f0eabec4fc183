/**
 * A logged batch as bytes, in chunks. Big endian:
 *
 *     chunk   version u8 | chunks in all u32 | part of the entry
 *     entry   operations u32 | for each: key's bytes u16, key, 0 delete or 1 put u8, of a put: value's bytes u32, value
 *
 * A batch is in the log when all of its chunks are; what a chunk belongs to is known by its record's stamp.
 */

import type { Key } from '../ids.js'

const VERSION = 1
const CHUNK_HEAD = 5
/** Bytes of an entry in one record. */
const CHUNK_BYTES = 1_048_576

export interface LogEntry {
  readonly keys: readonly Key[]
  /** null: delete. */
  readonly values: readonly (Uint8Array | null)[]
}

export function encodeEntry({ keys, values }: LogEntry): readonly Uint8Array[] {
  let length = 4
  keys.forEach((key, place) => {
    const value = values[place]
    length += 3 + key.length + (value == null ? 0 : 4 + value.byteLength)
  })
  const entry = new Uint8Array(length)
  const view = new DataView(entry.buffer)
  view.setUint32(0, keys.length)
  let at = 4
  keys.forEach((key, place) => {
    view.setUint16(at, key.length)
    at += 2
    for (let index = 0; index < key.length; index++) entry[at + index] = key.charCodeAt(index)
    at += key.length
    const value = values[place]
    entry[at++] = value == null ? 0 : 1
    if (value == null) return
    view.setUint32(at, value.byteLength)
    entry.set(value, at + 4)
    at += 4 + value.byteLength
  })
  return chunksOf(entry)
}

function chunksOf(entry: Uint8Array): readonly Uint8Array[] {
  const count = Math.ceil(entry.byteLength / CHUNK_BYTES)
  return Array.from({ length: count }, (_, index) => {
    const part = entry.subarray(index * CHUNK_BYTES, (index + 1) * CHUNK_BYTES)
    const chunk = new Uint8Array(CHUNK_HEAD + part.byteLength)
    chunk[0] = VERSION
    new DataView(chunk.buffer).setUint32(1, count)
    chunk.set(part, CHUNK_HEAD)
    return chunk
  })
}

/**
 * Of what was found of one batch, in the order of its chunks. `not-whole`: some chunk is missing, it was never in the log as a
 * whole. `unknown`: not what this version writes, and so not its to judge.
 */
export function decodeEntry(chunks: readonly Uint8Array[]): LogEntry | 'not-whole' | 'unknown' {
  if (chunks.some((chunk) => chunk.byteLength < CHUNK_HEAD || chunk[0] !== VERSION)) return 'unknown'
  const [first] = chunks
  if (first === undefined || viewOf(first).getUint32(1) !== chunks.length) return 'not-whole'
  const entry = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength - CHUNK_HEAD, 0))
  let end = 0
  for (const chunk of chunks) {
    entry.set(chunk.subarray(CHUNK_HEAD), end)
    end += chunk.byteLength - CHUNK_HEAD
  }
  const view = viewOf(entry)
  const keys: Key[] = []
  const values: (Uint8Array | null)[] = []
  let at = 4
  for (let left = view.getUint32(0); left > 0; left--) {
    const keyEnd = at + 2 + view.getUint16(at)
    let key = ''
    for (let index = at + 2; index < keyEnd; index++) key += String.fromCharCode(entry[index] as number)
    keys.push(key)
    at = keyEnd + 1
    if (entry[keyEnd] === 0) {
      values.push(null)
      continue
    }
    const valueEnd = at + 4 + view.getUint32(at)
    values.push(entry.slice(at + 4, valueEnd))
    at = valueEnd
  }
  return { keys, values }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
