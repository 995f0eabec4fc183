/** What a migration tells of itself: its status, a change of it, and the end. Called by the migration. */

import { type MigrationStatus, type MigrationSummary, textOfMigrationTo } from '../shared/migration-shapes.js'
import type { MigrationRecord } from '../storage/migration-file.js'
import type { Progress } from './progress.js'

/** `progress`: of what runs; undefined: nothing does. */
export function statusOf(record: MigrationRecord, progress: Progress | undefined): MigrationStatus {
  const { stage, copied } = record
  const records = progress?.records ?? (stage === 'backfill' ? copied : 0)
  const share = progress?.share ?? (stage === 'done' ? 1 : 0)
  return { ...changeOf(record), records, share }
}

/** `stage`: if the record does not say so any more. */
export function changeOf(record: MigrationRecord, stage = record.stage): MigrationStatus {
  const { to, startedAt, isPaused } = record
  return { stage, to: textOfMigrationTo(to), paused: isPaused, startedAt, records: 0, share: 0 }
}

/** Of the last pass of the verification, and of all. */
export interface Verified extends Pick<MigrationSummary, 'verified' | 'passes' | 'mended' | 'heldMs'> {
  readonly perSecond: number
}

export function summaryOf(record: MigrationRecord, { perSecond, ...verified }: Verified): MigrationSummary {
  const { startedAt, copied, backfillMs, to } = record
  return {
    to: textOfMigrationTo(to),
    copied,
    ...verified,
    tookMs: Date.now() - Date.parse(startedAt),
    perSecond: { backfill: Math.round((copied / Math.max(1, backfillMs)) * 1_000), verify: perSecond },
  }
}
