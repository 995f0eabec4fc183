/** Bytes in JSON: text as a string, what is not UTF-8 as `{ "base64": "…" }`, so that nothing is lost. */

import { isUtf8 } from 'node:buffer'
import { invalid } from '../../shared/options.js'

export type JsonBytes = string | { readonly base64: string }

/** Escapes can make text six times as long; base64 is never more than a third longer. */
const ESCAPED_RATIO_MAX = 1.5

export function jsonOfBytes(bytes: Uint8Array): JsonBytes {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (!isUtf8(buffer)) return { base64: buffer.toString('base64') }
  const text = buffer.toString('utf8')
  const isEscapedMuch = bytes.length > 64 && JSON.stringify(text).length > text.length * ESCAPED_RATIO_MAX
  return isEscapedMuch ? { base64: buffer.toString('base64') } : text
}

/** Text stays text. Errors: INVALID_OPTION, named after the member. */
export function bytesOfJson(name: string, value: unknown): string | Uint8Array {
  if (typeof value === 'string') return value
  const base64 = typeof value === 'object' && value !== null ? (value as { base64?: unknown }).base64 : undefined
  if (typeof base64 !== 'string' || Object.keys(value as object).length !== 1)
    throw invalid(name, value, 'text, or { "base64": "…" } for bytes')
  const bytes = Buffer.from(base64, 'base64')
  // Node skips what is not base64.
  if (bytes.toString('base64') !== base64) throw invalid(name, value, 'base64 with its padding')
  return bytes
}

/** `undefined` where it was not said. */
export function boundOfJson(name: string, value: unknown): string | Uint8Array | undefined {
  return value === undefined ? undefined : bytesOfJson(name, value)
}
