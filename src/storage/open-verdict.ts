/**
 * May this store be believed? Decided from what was found at opening. Pure.
 *
 * - `fresh`: new and empty, and nobody expected more.
 * - `intact`: it has everything that it ever acknowledged.
 * - `lost-tail`: the machine was restarted under durability `'process'`, which never promised to survive that; the last
 *   acknowledged batches may be gone. It stays a member (else a power cut would make every node pending), under a new store
 *   id: an (actor, counter) pair issued twice would lose acknowledged writes (riak_kv#679).
 * - `amnesiac`: it may have forgotten what it acknowledged. It counts toward no quorum: set it aside, start a fresh one,
 *   and let the others fill it. What cannot be proved counts as forgotten.
 *
 * Called by the level store when it opens.
 */

import type { Witness } from './witness.js'

export type OpenVerdict = 'fresh' | 'intact' | 'lost-tail' | 'amnesiac'

/** Why, for people and for reports. */
export type OpenReason =
  | 'created'
  | 'proved'
  | 'renewal-interrupted'
  | 'rebooted'
  | 'files-damaged'
  | 'identity-missing'
  | 'identity-damaged'
  | 'other-store-expected'
  | 'witness-missing'
  | 'witness-damaged'
  | 'witness-of-other-store'
  | 'behind-witness'
  | 'behind-cluster'

/** Everything the verdict hangs on. */
export interface OpeningFacts {
  /** What the store says of itself; `'absent'` in a new store, and where somebody emptied it. */
  readonly identity:
    | { readonly storeId: string; readonly previousStoreId: string; readonly sequence: number }
    | 'absent'
    | 'damaged'
  /** No data, no hints, no meta. */
  readonly isEmpty: boolean
  readonly witness: Witness | 'absent' | 'damaged'
  /** Of `verifyStoreFiles`; undefined if the files were not verified. */
  readonly files: 'ok' | 'absent' | 'damaged' | undefined
  /** `'fresh'`: no row of the table counts on this store. `'member'`: some do. */
  readonly expected: 'fresh' | 'member'
  /** The store id that the cluster's metadata has for this node; undefined if it has none. */
  readonly expectedStoreId: string | undefined
  /**
   * How far that store had come when the cluster was last closed in order: finds an older copy of the whole folder, whose
   * witness is as old. Undefined if the cluster was not closed since the store was made.
   */
  readonly expectedSequence?: number | undefined
  /** This run of the machine. */
  readonly bootId: string
}

export interface Judgement {
  readonly verdict: OpenVerdict
  readonly reason: OpenReason
}

/** Errors: none. */
export function judgeOpening(facts: OpeningFacts): Judgement {
  const { identity, witness } = facts
  if (facts.files === 'damaged') return amnesiac('files-damaged')
  if (identity === 'damaged') return amnesiac('identity-damaged')
  if (identity === 'absent') {
    const isNew = facts.isEmpty && facts.expected === 'fresh'
    return isNew ? { verdict: 'fresh', reason: 'created' } : amnesiac('identity-missing')
  }
  const { storeId, previousStoreId } = identity
  const isOurs = (id: string) => id === storeId || (id === previousStoreId && id !== '')
  if (facts.expectedStoreId !== undefined && !isOurs(facts.expectedStoreId)) return amnesiac('other-store-expected')
  const isExpected = facts.expectedStoreId === storeId && facts.expectedSequence !== undefined
  if (isExpected && identity.sequence < facts.expectedSequence) return amnesiac('behind-cluster')
  if (witness === 'absent') return amnesiac('witness-missing')
  if (witness === 'damaged') return amnesiac('witness-damaged')
  if (!isOurs(witness.storeId)) return amnesiac('witness-of-other-store')

  const isBehind = identity.sequence < witness.sequence
  const tailMayBeLost = witness.bootId !== facts.bootId && witness.durability === 'process' && !witness.closed
  // Even if it is not behind: after a power cut the witness may have lost its end too.
  if (tailMayBeLost) return { verdict: 'lost-tail', reason: 'rebooted' }
  if (isBehind) return amnesiac('behind-witness')
  const wasRenewed = witness.storeId !== storeId || (facts.expectedStoreId ?? storeId) !== storeId
  if (wasRenewed) return { verdict: 'lost-tail', reason: 'renewal-interrupted' }
  return { verdict: 'intact', reason: 'proved' }
}

/** A lost tail needs a new store id, unless it already got one that is merely not recorded everywhere. */
export function needsNewStoreId(judgement: Judgement): boolean {
  return judgement.verdict === 'lost-tail' && judgement.reason !== 'renewal-interrupted'
}

function amnesiac(reason: OpenReason): Judgement {
  return { verdict: 'amnesiac', reason }
}
