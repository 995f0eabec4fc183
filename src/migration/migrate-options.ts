/** What `cluster.migrate` is given, checked, with its defaults. Called by the migration. */

import { type MigrateOptions, type MigrationTo, migrationToOf } from '../shared/migration-shapes.js'
import { checkNames, checkWhole, invalid } from '../shared/options.js'
import type { OnProgress } from './progress.js'

export const PAUSE_AFTER_MS = 10_000

export interface Checked {
  /** Undefined: not said. */
  readonly to: MigrationTo | undefined
  readonly onProgress: OnProgress
  /** Infinity: no limit. */
  readonly recordsPerSecond: number
  readonly pauseAfterMs: number
}

/** Errors: INVALID_OPTION. */
export function checkMigrateOptions(options: MigrateOptions, conflict: 'lww' | 'siblings'): Checked {
  checkNames(options, ['to', 'onProgress', 'recordsPerSecond', 'pauseAfterMs'])
  if (conflict === 'siblings') throw invalid('conflict', conflict, "'lww': the target keeps one value a key")
  const { to, onProgress = () => undefined, recordsPerSecond, pauseAfterMs = PAUSE_AFTER_MS } = options
  if (typeof onProgress !== 'function') throw invalid('onProgress', onProgress, 'a function')
  if (recordsPerSecond !== undefined) checkWhole('recordsPerSecond', recordsPerSecond, 1, 1e9)
  return {
    to: to === undefined ? undefined : migrationToOf(to),
    onProgress,
    recordsPerSecond: recordsPerSecond ?? Number.POSITIVE_INFINITY,
    pauseAfterMs: checkWhole('pauseAfterMs', pauseAfterMs, 100, 600_000),
  }
}
