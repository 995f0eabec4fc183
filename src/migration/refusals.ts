/** What a migration refuses, and why one stops. Called by the migration. */

import { isDeepStrictEqual } from 'node:util'
import { CoterieError } from '../shared/errors.js'
import { type MigrationStage, type MigrationTo, textOfMigrationTo, withoutLogin } from '../shared/migration-shapes.js'

export type Why = 'aborted' | 'paused' | 'different'

/** `said`: undefined if the caller did not say where to. Errors: MIGRATION_UNDER_WAY. */
export function refuseAnother(said: MigrationTo | undefined, to: MigrationTo, stage?: MigrationStage): void {
  // Of one that has come to its end the login is not kept.
  if (said === undefined || isDeepStrictEqual(stage === 'done' ? withoutLogin(said) : said, to)) return
  const where = textOfMigrationTo(to)
  throw new CoterieError('MIGRATION_UNDER_WAY', `one to ${where} is under way; abort it first`, { to: where })
}

export function stopped(why: Why, message: string): CoterieError {
  return new CoterieError('MIGRATION_STOPPED', message, { why })
}
