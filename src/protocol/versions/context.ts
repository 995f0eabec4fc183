/**
 * The causal context as the client carries it: an opaque text that may stand in a URL or a header unescaped.
 *
 * `v1~actor~counter~actor~counter…`: actors in order, counters in base 36, every char of an actor outside `A-Za-z0-9._-`
 * as `%` and four hex digits. A context has exactly one text, and only that one is read back.
 *
 * What a caller holds is bound to its key: `k<hash of the key>~` before that text. The dots of a context count each key's own
 * writes, so that one of another key would supersede what nobody has read.
 *
 * Called at the edge, where `read` answers and `put` takes a context back. What comes in is a stranger's: it must never
 * throw, and never give a counter so high that the next write could not count on.
 */

import { assert } from '../assert.js'
import type { Key } from '../ids.js'
import type { CausalContext } from './dvv.js'

/** Longest text that is read or written, in chars: about a thousand actors. */
export const CONTEXT_LENGTH_MAX = 65536

/**
 * Highest counter that is read. No honest one comes near; a forged one leaves its key 2^53 − 2^48 writes before
 * `dvvUpdate` would assert. What is written has no such bound: the forger's own write is one higher, and answering a
 * read of it must not crash the node.
 */
export const CONTEXT_COUNTER_MAX = 2 ** 48

const VERSION = 'v1'
const FIELD = '~'

/**
 * The text of a context.
 *
 * Shape:  A-Z a-z 0-9 . _ - ~ % only; at most CONTEXT_LENGTH_MAX chars.
 * Errors: asserts safe integers from 1, and the length.
 */
export function encodeContext(context: CausalContext): string {
  const text = textOf(context)
  assert(text.length <= CONTEXT_LENGTH_MAX, 'a context has at most about a thousand actors', { length: text.length })
  for (const [actor, counter] of Object.entries(context)) {
    assert(Number.isSafeInteger(counter) && counter >= 1, 'a context counts from 1', { actor, counter })
  }
  return text
}

/** What `read` gives for this key. Errors: as `encodeContext`. */
export function contextTextFor(key: Key, context: CausalContext): string {
  return markOf(key) + encodeContext(context)
}

/** The context of a text that `contextTextFor` made for this key; undefined for every other text. */
export function contextFor(key: Key, text: string): CausalContext | undefined {
  const mark = markOf(key)
  return text.startsWith(mark) ? decodeContext(text.slice(mark.length)) : undefined
}

/** FNV-1a: against mistakes, not against forgers. */
function markOf(key: Key): string {
  let hash = 0x811c9dc5
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193)
  return `k${(hash >>> 0).toString(36)}${FIELD}`
}

/** The context of a text that `encodeContext` made; undefined for every other text. */
export function decodeContext(text: string): CausalContext | undefined {
  if (text.length > CONTEXT_LENGTH_MAX) return undefined
  const fields = text.split(FIELD)
  if (fields[0] !== VERSION || fields.length % 2 !== 1) return undefined
  const entries: [string, number][] = []
  for (let field = 1; field < fields.length; field += 2) {
    const counter = Number.parseInt(fields[field + 1] as string, 36)
    if (!(counter >= 1 && counter <= CONTEXT_COUNTER_MAX)) return undefined
    entries.push([unescaped(fields[field] as string), counter])
  }
  const context = Object.fromEntries(entries)
  // Writing it again settles the rest at once: bad escapes, leading zeros, wrong order, an actor twice.
  return textOf(context) === text ? context : undefined
}

function textOf(context: CausalContext): string {
  const entries = Object.entries(context).sort(([a], [b]) => (a < b ? -1 : 1))
  return [VERSION, ...entries.map(([actor, counter]) => escaped(actor) + FIELD + counter.toString(36))].join(FIELD)
}

/** Not `encodeURIComponent`: that leaves `~` alone and throws at half a surrogate pair. */
function escaped(actor: string): string {
  return actor.replace(/[^A-Za-z0-9._-]/g, (char) => `%${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function unescaped(text: string): string {
  return text.replace(/%([0-9a-f]{4})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
