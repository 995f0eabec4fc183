/**
 * What one replica's store holds of a key, as it is: nothing is merged, nothing repaired, no value is copied. For people who look
 * at a key's replicas side by side.
 */

import type { Key } from '../../src/protocol/ids.js'
import type { StoreReader } from '../../src/protocol/store-contract.js'
import { dvvSiblings } from '../../src/protocol/versions/dvv.js'
import type { Stamp } from '../../src/protocol/versions/stamp.js'

/** `valueBytes` null: a delete. */
export interface HeldVersions {
  readonly isDamaged: boolean
  /** Newest first. */
  readonly versions: readonly { readonly stamp: Stamp; readonly valueBytes: number | null }[]
}

/** Errors: StoreError STORE_CLOSED. */
export function heldVersions(store: StoreReader, key: Key): HeldVersions {
  const [record] = store.read([key])
  if (record === undefined || record === 'damaged') return { isDamaged: record === 'damaged', versions: [] }
  const held = record.kind === 'lww' ? [record] : dvvSiblings(record.set)
  const versions = held.map(({ stamp, value }) => ({ stamp, valueBytes: value === null ? null : value.byteLength }))
  return { isDamaged: false, versions }
}
