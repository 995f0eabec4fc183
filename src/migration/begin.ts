/**
 * How a migration begins, and how one that was paused goes on: every thread has the target open, it is this migration's, and that is
 * written down. What comes to nothing on the way leaves nothing at the target, if that can be reached. Called by the migration.
 */

import { randomUUID } from 'node:crypto'
import { within } from '../engines/redis-cluster/within.js'
import { CoterieError } from '../shared/errors.js'
import type { MigrationOrder } from '../shared/migration-order.js'
import type { MigrationTo } from '../shared/migration-shapes.js'
import type { MigrationFile, MigrationRecord } from '../storage/migration-file.js'
import type { Orders } from './orders.js'
import type { Seat } from './seat.js'

const CLAIM_MS = 30_000
/** A target that is away is not waited for, to take away what it may have been given. */
const CLEAR_MS = 5_000

export interface BeginParts {
  readonly file: MigrationFile
  readonly seat: Pick<Seat, 'target'>
  readonly orders: Orders
  readonly targetOf: (record: Pick<MigrationRecord, 'id' | 'to'>) => NonNullable<MigrationOrder['target']>
  /** Throws once it is to end. */
  readonly check: () => void
  /** True: what the target was given could not be taken away. */
  readonly onLeft: (isLeft: boolean) => void
}

/** Errors: MIGRATION_TARGET_UNREACHABLE, MIGRATION_TARGET_NOT_EMPTY, those of `check` and of fs. */
export async function begin(parts: BeginParts, to: MigrationTo): Promise<void> {
  const { file, seat, orders, targetOf, check, onLeft } = parts
  const begun = { id: randomUUID(), to, startedAt: new Date().toISOString() }
  onLeft(false)
  try {
    await orders.give({ target: targetOf(begun) })
    await claim(seat)
    check()
    await file.begin(begun)
  } catch (error) {
    if (file.record === undefined) {
      // There is no record there yet.
      onLeft((await within(CLEAR_MS, () => clear(seat))) !== true)
      await orders.stayHere({ keepsTarget: false })
    }
    throw error
  }
}

/** Errors: as above; what is written down stays then. */
export async function goOn({ file, seat, orders, targetOf, check }: BeginParts): Promise<void> {
  try {
    await orders.give({ target: targetOf(file.record as MigrationRecord) })
    await claim(seat)
    check()
  } catch (error) {
    await orders.stayHere({ keepsTarget: false })
    throw error
  }
  await file.pause(false)
}

/** Errors: MIGRATION_TARGET_NOT_EMPTY, those of a write. */
export async function claim({ target }: Pick<Seat, 'target'>): Promise<void> {
  await target?.claim(performance.now() + CLAIM_MS)
}

/** Takes away what the target was given, however much that is. False: it could not be reached. */
export async function clear({ target }: Pick<Seat, 'target'>): Promise<boolean> {
  try {
    await target?.clear()
    return true
  } catch (error) {
    if (!(error instanceof CoterieError)) throw error
    return false
  }
}
