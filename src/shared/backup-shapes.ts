/** What backing up, restoring and verifying take and give. */

import type { NodeId } from '../protocol/ids.js'
import type { ClusterOptions } from './options.js'

/** How far a backup, a restore or a verification is. */
export interface BulkProgress {
  /** For people: `node3`, `merging`, … */
  readonly phase: string
  /** So far. */
  readonly records: number
  /** So far. */
  readonly bytes: number
  /** 0 … 1, more or less. */
  readonly share: number
}

/** Options of `backup`. */
export interface BackupOptions {
  /** Called now and then. */
  readonly onProgress?: (progress: BulkProgress) => void
  /** Writes stop for no longer than this, in milliseconds (default 1,000; 10 … 60,000). Who has not confirmed the freeze by then is left out. */
  readonly freezeTimeoutMs?: number
}

/** A backup that is whole. */
export interface BackupSummary {
  /** The folder. */
  readonly dir: string
  /** Of the cut, ISO 8601. */
  readonly at: string
  /** Whose stores are in it. */
  readonly nodes: readonly NodeId[]
  /** Whose are not, and why. */
  readonly leftOut: readonly { readonly node: NodeId; readonly reason: string }[]
  /** Of all stores together: each record about n times. */
  readonly records: number
  /** Of those, as they are stored. */
  readonly bytes: number
  /** For so long writes stopped, at most. */
  readonly frozenMs: number
  /** In all. */
  readonly tookMs: number
}

/** As for `openCluster`, where `location` is new; what is not said is as it was in the backup. */
export interface RestoreOptions extends ClusterOptions {
  /** Called now and then. */
  readonly onProgress?: (progress: BulkProgress) => void
  /** Databases that are not to be used, because they are damaged; only where the others are enough. */
  readonly without?: readonly NodeId[]
}

/** What verifying found in one store, or one database of a backup. */
export interface VerifiedPart {
  readonly node: NodeId
  /** Those that were read. */
  readonly files: number
  /** Tombstones included. */
  readonly records: number
  /** Kept for others. */
  readonly hints: number
  /** Of its records. */
  readonly bytes: number
  /** What is wrong, for people; none: it is as it was written. */
  readonly problems: readonly string[]
}

/** What `verifyFolder` found. */
export interface Verification {
  /** What lies in the folder. */
  readonly kind: 'backup' | 'cluster'
  /** The folder. */
  readonly dir: string
  /** Nothing is wrong. */
  readonly ok: boolean
  /** Each store, or each database of a backup. */
  readonly parts: readonly VerifiedPart[]
  /** What is wrong with the whole. Those of the parts are with them. */
  readonly problems: readonly string[]
  /** What is worth knowing and mends itself, or is no damage. */
  readonly notes: readonly string[]
}
