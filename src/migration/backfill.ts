/**
 * Copies what was in the cluster before writes went to both, with its stamps, so that it never comes over anything newer. It is told
 * how far it is, and begins there again after a death. Called by the migration.
 */

import type { Key } from '../protocol/ids.js'
import { type SideBySide, WRITE_MS } from './side-by-side.js'
import { persist, type WalkPage, walk } from './walk.js'

interface BackfillOptions {
  readonly sides: SideBySide
  readonly after: Key | undefined
  readonly r: number
  readonly recordsPerSecond: number
  readonly check: () => void
  /** The page is at the target. */
  readonly onPage: (page: WalkPage) => Promise<void>
}

export async function backfill({ sides, after, r, recordsPerSecond, check, onPage }: BackfillOptions): Promise<void> {
  const { client, target } = sides
  for await (const page of walk({ client, after, r: () => r, recordsPerSecond, check })) {
    const records = page.here.map(({ key, record: { stamp, value } }) => ({ key, stamp, value }))
    await persist(check, () => target.write(records, performance.now() + WRITE_MS))
    await onPage(page)
  }
}
