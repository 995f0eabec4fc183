/**
 * What a LevelDB says of itself when it has just been opened: identity, hints, named texts. Reads everything but the data.
 *
 * Called by the level store. Damage is reported, never thrown: an identity that LevelDB cannot read is a damaged one.
 */

import type { Hint } from '../protocol/store-contract.js'
import { decodeHint, decodeIdentity, decodeMeta, type StoredIdentity } from './entry-codec.js'
import { throughIteratorGate } from './iterator-gate.js'
import { HINT_BOUNDS, IDENTITY_KEY, idOfHint, META_BOUNDS, nameOfMeta } from './keyspace.js'
import type { Level } from './open-level.js'

export interface FoundStore {
  readonly identity: StoredIdentity | 'absent' | 'damaged'
  readonly isEmpty: boolean
  readonly meta: Readonly<Record<string, string>>
  /** In the order of their ids. */
  readonly hints: readonly Hint[]
  readonly hintsDamaged: readonly number[]
  readonly metaDamaged: readonly string[]
  /** What LevelDB failed with, if it did; then the identity is `'damaged'`. */
  readonly readError?: unknown
}

/** Errors: none. */
export async function readFoundStore(level: Level): Promise<FoundStore> {
  try {
    const bytes: Buffer | undefined = level.getSync(IDENTITY_KEY)
    const identity = bytes === undefined ? 'absent' : decodeIdentity(bytes)
    const isEmpty = (await throughIteratorGate(() => level.keys({ limit: 1 })).all()).length === 0
    return { identity, isEmpty, ...(await readHints(level)), ...(await readMeta(level)) }
  } catch (readError) {
    return { identity: 'damaged', isEmpty: false, meta: {}, hints: [], hintsDamaged: [], metaDamaged: [], readError }
  }
}

async function readHints(level: Level): Promise<Pick<FoundStore, 'hints' | 'hintsDamaged'>> {
  const hints: Hint[] = []
  const hintsDamaged: number[] = []
  for await (const [key, bytes] of throughIteratorGate(() => level.iterator(HINT_BOUNDS))) {
    const id = idOfHint(key)
    const hint = decodeHint(id, bytes)
    if (hint === 'damaged') hintsDamaged.push(id)
    else hints.push(hint)
  }
  return { hints, hintsDamaged }
}

async function readMeta(level: Level): Promise<Pick<FoundStore, 'meta' | 'metaDamaged'>> {
  const meta: Record<string, string> = {}
  const metaDamaged: string[] = []
  for await (const [key, bytes] of throughIteratorGate(() => level.iterator(META_BOUNDS))) {
    const name = nameOfMeta(key)
    const text = decodeMeta(name, bytes)
    if (text === 'damaged') metaDamaged.push(name)
    else meta[name] = text
  }
  return { meta, metaDamaged }
}
