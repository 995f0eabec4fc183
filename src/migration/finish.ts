/**
 * The end of a migration: it is on the disk that the target has the say, and nobody can go back. Whatever fails is tried again until the
 * cluster closes, for all writes wait meanwhile; what is done already is not done twice. Called by the migration.
 */

import { setTimeout as delay } from 'node:timers/promises'
import { withoutLogin } from '../shared/migration-shapes.js'
import type { MigrationFile, MigrationRecord } from '../storage/migration-file.js'
import type { Orders } from './orders.js'
import type { Seat } from './seat.js'
import { persist } from './walk.js'

const RELEASE_MS = 30_000
const AGAIN_MS = 1_000

interface FinishOptions {
  readonly file: MigrationFile
  readonly seat: Pick<Seat, 'target'>
  readonly orders: Pick<Orders, 'give'>
  /** Throws once the cluster closes. */
  readonly check: () => void
  readonly onDone: (record: MigrationRecord) => void
  readonly onUnwritten: (error: Error) => void
}

/** Errors: those of `check`; of threads that cannot be told. It may be called again then. */
export async function finish({ file, seat, orders, check, onDone, onUnwritten }: FinishOptions): Promise<void> {
  if (file.record?.stage === 'cutover') {
    const release = async () => seat.target?.release(performance.now() + RELEASE_MS)
    await persist(check, release, Number.POSITIVE_INFINITY)
    await writeDone({ file, check, onUnwritten })
    onDone(file.record)
  }
  // No thread may write there while another one still reads here.
  await orders.give({ mode: 'target' })
  await orders.give({ holdsWrites: false })
}

async function writeDone({ file, check, onUnwritten }: Pick<FinishOptions, 'file' | 'check' | 'onUnwritten'>) {
  for (;;) {
    check()
    const { to } = file.record as MigrationRecord
    try {
      return await file.become('done', { to: withoutLogin(to) })
    } catch (error) {
      onUnwritten(error as Error)
      // The newest file says so. Whoever has to open the one before is led to the same end by it.
      if (file.record?.stage === 'done') return
    }
    await delay(AGAIN_MS)
  }
}
