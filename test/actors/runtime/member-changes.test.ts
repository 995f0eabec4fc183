/** Members as the metadata have them, while tombstones are about to be forgotten. */

import { test } from 'tap'
import { MemberChanges } from '../../../actors/runtime/member-changes.js'
import type { SupervisorEvent } from '../../../src/protocol/supervision/supervisor-events.js'
import { stampTimePart } from '../../../src/protocol/versions/stamp.js'
import type { ClusterMetadata } from '../../../src/storage/cluster-folder.js'

const NOW_NS = 10n ** 18n

function membersFor(events: string[]): MemberChanges {
  const metadata = { nodes: [] as ClusterMetadata['nodes'] } as ClusterMetadata
  return new MemberChanges({
    config: { location: '', tombstoneGraceMs: 1_000, closeTimeoutMs: 1_000 },
    record: {
      metadata,
      writeMetadata: async () => undefined,
      changeNode: async () => undefined,
      noteReaping: async (beforeNs) => void events.push(`noted ${beforeNs}`),
    },
    facts: new Map(),
    step: ({ type }: SupervisorEvent) => void events.push(type),
    isStopping: () => false,
  })
}

test('reaping is noted a grace back, and not while the store of a node that joins is on its way to its place', async (t) => {
  const events: string[] = []
  const members = membersFor(events)
  let place: () => void = () => undefined
  const placed = new Promise<void>((resolve) => {
    place = resolve
  })
  const joined = members.join(['node4'], 'standby', { stores: [], place: () => placed })
  const noted = members.noteReaping(
    () => NOW_NS,
    () => false,
  )
  await new Promise(setImmediate)
  t.same(events, [])
  place()
  await joined
  t.equal(await noted, stampTimePart(NOW_NS - 1_000_000_000n))
  t.same(events, ['operator/join', `noted ${NOW_NS - 1_000_000_000n}`])
})

test('one that cannot join keeps no reaping back', async (t) => {
  const events: string[] = []
  const members = membersFor(events)
  const joined = members.join(['node4'], 'standby', { stores: [], place: () => Promise.reject(new Error('no room')) })
  const noted = members.noteReaping(
    () => NOW_NS,
    () => false,
  )
  await t.rejects(joined, { message: 'no room' })
  await noted
  t.equal(events.length, 1)
})
