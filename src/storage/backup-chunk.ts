/**
 * Stored entries as bytes: what a node's thread hands to the thread that writes its backup, and what a backup's hashes are over.
 *
 * ```
 * for each entry: 4 bytes length of the key, 4 bytes length of the value (little endian), key, value
 * ```
 *
 * A hash over chunks does not hang on where one ends and the next begins.
 */

/** A stored key and what is stored under it, as LevelDB has them. */
export type StoredEntry = [key: Buffer, value: Buffer]

const HEAD_BYTES = 8

/** Shape: a buffer of its own, which may be transferred. */
export function packEntries(entries: readonly StoredEntry[]): Uint8Array<ArrayBuffer> {
  let bytes = 0
  for (const [key, value] of entries) bytes += HEAD_BYTES + key.length + value.length
  const chunk = new Uint8Array(bytes)
  const view = new DataView(chunk.buffer)
  let at = 0
  for (const [key, value] of entries) {
    view.setUint32(at, key.length, true)
    view.setUint32(at + 4, value.length, true)
    chunk.set(key, at + HEAD_BYTES)
    chunk.set(value, at + HEAD_BYTES + key.length)
    at += HEAD_BYTES + key.length + value.length
  }
  return chunk
}

/** The entries are views into the chunk. Only of what `packEntries` made. */
export function unpackEntries(chunk: Uint8Array): StoredEntry[] {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
  const entries: StoredEntry[] = []
  for (let at = 0; at < bytes.length; ) {
    const keyAt = at + HEAD_BYTES
    const valueAt = keyAt + bytes.readUInt32LE(at)
    const end = valueAt + bytes.readUInt32LE(at + 4)
    entries.push([bytes.subarray(keyAt, valueAt), bytes.subarray(valueAt, end)])
    at = end
  }
  return entries
}
