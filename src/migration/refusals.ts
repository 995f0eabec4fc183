/** What a migration refuses, and why one stops. Called by the migration. */

import { isDeepStrictEqual } from 'node:util'
import { CoterieError } from '../shared/errors.js'
import { type MigrationStage, type MigrationTo, textOfMigrationTo, withoutLogin } from '../shared/migration-shapes.js'
import type { Trouble } from './target-watch.js'

/** Why what ran did not come to its end. */
export type Stop =
  | { readonly why: 'aborted' }
  /** The target was in trouble for too long. */
  | { readonly why: 'paused'; readonly trouble: Trouble }
  /** Records differed in each of so many passes. */
  | { readonly why: 'different'; readonly passes: number }

const TROUBLES = {
  away: 'a master of the target was away for too long',
  copies: 'a master of the target had too few replicas for a write, for too long',
  refusals: 'the target did not take what it was sent, for too long',
} as const satisfies Record<Trouble, string>

/** `said`: undefined if the caller did not say where to. Errors: MIGRATION_UNDER_WAY. */
export function refuseAnother(said: MigrationTo | undefined, to: MigrationTo, stage?: MigrationStage): void {
  // Of one that has come to its end the login is not kept.
  if (said === undefined || isDeepStrictEqual(stage === 'done' ? withoutLogin(said) : said, to)) return
  const where = textOfMigrationTo(to)
  throw new CoterieError('MIGRATION_UNDER_WAY', `one to ${where} is under way; abort it first`, { to: where })
}

export function stopped(stop: Stop): CoterieError {
  const { why } = stop
  switch (why) {
    case 'aborted':
      return new CoterieError('MIGRATION_STOPPED', 'it was aborted', { why })
    case 'paused':
      return new CoterieError('MIGRATION_STOPPED', TROUBLES[stop.trouble], { why, trouble: stop.trouble })
    case 'different':
      return new CoterieError('MIGRATION_STOPPED', `records differed in each of ${stop.passes} passes`, { why })
    default:
      throw stop satisfies never
  }
}
