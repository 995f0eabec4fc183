/** Records that a node itself brings into its store: of a fill, or of an exchange. */

import type { Key } from './ids.js'
import type { Purpose } from './messages.js'
import type { VersionRecord } from './versions/record.js'

export interface LocalWrite {
  /** Answered with the same number. */
  readonly local: number
  readonly keys: readonly Key[]
  readonly records: readonly VersionRecord[]
  readonly purpose: Purpose
}
