/** The range of the keys that begin with a text. */

export interface PrefixRange {
  readonly gte?: Uint8Array
  readonly lt?: Uint8Array
}

/**
 * Byte order: up to, not including, the prefix with its last byte raised by one. Appending a high character would miss keys;
 * 0xff never occurs in UTF-8, but may occur in a key given as bytes, so it is cut off before raising.
 */
export function prefixRange(prefix: string): PrefixRange {
  if (prefix === '') return {}
  const gte = Buffer.from(prefix, 'utf8')
  const lt = Buffer.from(gte)
  let length = lt.length
  while (length > 0 && lt[length - 1] === 0xff) length -= 1
  if (length === 0) return { gte }
  lt[length - 1] = (lt[length - 1] ?? 0) + 1
  return { gte, lt: lt.subarray(0, length) }
}
