/** The clock of stamps on a real machine: its arithmetic is `src/protocol/versions/stamp-clock.ts`. */

import { test } from 'tap'
import { createStampClock } from '../../../actors/runtime/clock.js'

const HOUR_MS = 3_600_000

test('stamps: readings only grow, whatever becomes of the wall clock after the opening', async (t) => {
  const clock = createStampClock(0n)
  const { now } = Date
  t.teardown(() => {
    Date.now = now
  })
  const before = clock.readNs()
  Date.now = () => now() - HOUR_MS
  const after = clock.readNs()
  t.ok(after > before, 'set back by an hour')
  Date.now = () => now() + HOUR_MS
  t.ok(clock.readNs() - after < BigInt(HOUR_MS / 2) * 1_000_000n, 'set forth by an hour')
})

test('stamps: a process begins above the ceiling on disk, and stamps nothing above its own', async (t) => {
  const ceilingNs = BigInt(Date.now() + HOUR_MS) * 1_000_000n
  const clock = createStampClock(ceilingNs)
  t.ok(clock.readNs() >= ceilingNs)
  t.equal(clock.stampNs(), undefined, 'before its first ceiling is on disk')
  clock.raiseCeiling(clock.ceilingDueNs() ?? 0n)
  t.ok((clock.stampNs() ?? 0n) >= ceilingNs)
  t.equal(clock.ceilingDueNs(), undefined)
})
