/**
 * Compares every record of the cluster with the target, and every key of the target with the cluster. Writes go on meanwhile, so that a
 * record is the same if the target has what was here when it was read, or something newer.
 *
 * What differs is put right, and counted: a pass that found something is followed by another one. Called by the migration.
 */

import type { MigrationTarget, SeenRecord } from '../engines/redis-cluster/migration-target.js'
import type { Key, PartitionId } from '../protocol/ids.js'
import type { KeyRange } from '../protocol/messages.js'
import { EVERY_OWNER } from '../protocol/ring/quorum.js'
import { after as restAfter } from '../shared/call-arguments.js'
import type { Pace } from './pace.js'
import { isSame, type KeyHere, type SideBySide } from './side-by-side.js'
import { persist, type WalkPage, walk } from './walk.js'

const READ_MS = 10_000
const PARTITION_PAGE = { keys: 512, bytes: 1_048_576 }
const NOTHING: SeenRecord = { stamp: undefined, isLive: false, digest: undefined }

interface PassOptions {
  readonly sides: SideBySide
  readonly pace: Pace
  readonly recordsPerSecond: number
  readonly check: () => void
  readonly onPage: (page: WalkPage) => void
}

/** Gives how many keys were not the same. */
export async function verifyOnce({ sides, onPage, ...how }: PassOptions): Promise<number> {
  const { check } = how
  let different = 0
  const pages = walk({ client: sides.client, after: undefined, r: EVERY_OWNER, ...how })
  for await (const page of pages) {
    const suspects = await persist(check, () => suspectsOf(page, sides.target))
    if (suspects.length > 0) different += await persist(check, () => sides.settle(suspects))
    onPage(page)
  }
  return different
}

async function suspectsOf(page: WalkPage, target: MigrationTarget): Promise<KeyHere[]> {
  const there = await readRange(page, target)
  const suspects: KeyHere[] = []
  for (const one of page.here) {
    if (!isSame(one.record, there.get(one.key) ?? NOTHING)) suspects.push(one)
    there.delete(one.key)
  }
  for (const key of there.keys()) suspects.push({ key, record: undefined })
  return suspects
}

/** Everything that the target has between the page's ends. */
async function readRange({ after, upTo }: WalkPage, target: MigrationTarget): Promise<Map<Key, SeenRecord>> {
  const from = after === undefined ? {} : { from: after, fromExclusive: true }
  const range: KeyRange = { ...from, ...(upTo === undefined ? {} : { to: upTo }), reverse: false }
  const found = new Map<Key, SeenRecord>()
  const partitions = Array.from({ length: target.partitions }, (_, partition) => partition)
  await Promise.all(partitions.map((partition) => readPartition(partition, range, target, found)))
  return found
}

async function readPartition(
  partition: PartitionId,
  range: KeyRange,
  target: MigrationTarget,
  found: Map<Key, SeenRecord>,
): Promise<void> {
  let rest: KeyRange | undefined = range
  while (rest !== undefined) {
    const page = await target.page(partition, rest, PARTITION_PAGE, performance.now() + READ_MS)
    for (const [index, key] of page.keys.entries()) found.set(key, page.seen[index] as SeenRecord)
    rest = page.next === undefined ? undefined : restAfter(rest, page.next)
  }
}
