/**
 * Where logged batches stand while they are under way: among the data, replicated as any record is, in a range of keys that
 * the public door neither takes nor shows.
 *
 *     ÿÿÿÿcoterie/batch/<owner>/<slot>/<chunk>
 *
 * Slots are used again, so that there are never more records (and tombstones) than batches were under way at once.
 */

import type { GatewayId, Key } from '../ids.js'
import type { KeyRange } from '../messages.js'

/** No UTF-8 text begins so. */
const PREFIX: Key = '\xff\xff\xff\xffcoterie/batch/'
const PREFIX_END: Key = '\xff\xff\xff\xffcoterie/batch0'

/** Every record of every log. */
export const LOG_RANGE: KeyRange = { from: PREFIX, to: PREFIX_END, toExclusive: true, reverse: false }

/** Whose batches: a gateway in one life of the process, or the next one's of that name would be taken for it. */
export type LogOwner = string

export function logOwner(life: string, gateway: GatewayId): LogOwner {
  return `${life}.${gateway}`
}

/** Of one batch; its chunks' keys begin with it. */
export function slotKey(owner: LogOwner, slot: number): Key {
  return `${PREFIX}${owner}/${hex(slot)}`
}

/** In the order of the chunks. */
export function chunkKey(slot: Key, chunk: number): Key {
  return `${slot}/${hex(chunk)}`
}

/** The slot's key of a chunk's. */
export function slotOfChunk(chunk: Key): Key {
  return chunk.slice(0, chunk.lastIndexOf('/'))
}

export function ownerOfChunk(chunk: Key): LogOwner {
  return chunk.slice(PREFIX.length, chunk.indexOf('/', PREFIX.length))
}

/** Not one that a program may use. */
export function isLogKey(key: Key): boolean {
  return key.charCodeAt(0) === 0xff && key.startsWith(PREFIX)
}

function hex(number: number): string {
  return number.toString(16).padStart(8, '0')
}
