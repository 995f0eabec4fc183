/**
 * Copies what was in the cluster before writes went to both, with its stamps, so that it never comes over anything newer. How far it is
 * is written down now and then, and it begins there again after a death. Called by the migration.
 */

import type { MigrationFile, MigrationRecord } from '../storage/migration-file.js'
import type { Pace } from './pace.js'
import type { Progress } from './progress.js'
import { type SideBySide, WRITE_MS } from './side-by-side.js'
import { persist, type WalkPage, walk } from './walk.js'

/** Between two times that its place is written down. */
const CURSOR_MS = 1_000

interface BackfillOptions {
  readonly sides: SideBySide
  readonly file: MigrationFile
  readonly progress: Progress
  readonly r: number
  readonly pace: Pace
  readonly recordsPerSecond: number
  readonly check: () => void
}

export async function backfill({ sides, file, progress, r, ...how }: BackfillOptions): Promise<void> {
  const { client, target } = sides
  const { check } = how
  const { cursor, copied, backfillMs } = file.record as MigrationRecord
  progress.begin('backfill', { records: copied })
  const after = cursor === undefined ? undefined : Buffer.from(cursor, 'base64').toString('latin1')
  let notedMs = performance.now()
  const note = ({ upTo }: WalkPage) => {
    notedMs = performance.now()
    const place = upTo === undefined ? {} : { cursor: Buffer.from(upTo, 'latin1').toString('base64') }
    return file.proceed({ ...place, copied: progress.records, backfillMs: backfillMs + progress.tookMs })
  }
  for await (const page of walk({ client, after, r, ...how })) {
    const records = page.here.map(({ key, record: { stamp, value } }) => ({ key, stamp, value }))
    await persist(check, () => target.write(records, performance.now() + WRITE_MS, { isBulk: true }))
    progress.onPage(page)
    if (page.upTo === undefined || performance.now() - notedMs > CURSOR_MS) await note(page)
  }
  progress.end()
}
