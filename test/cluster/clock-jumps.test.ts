/**
 * The wall clock of the process jumps by hours, forth and back: no write is lost, nothing that is timed takes note of it, and
 * stamps never go back, not over a reopening either (FAULTS.md, rows 18 and 19).
 *
 * `Date.now` of the opener's thread is what the cluster's clock begins with; the nodes' threads have `faults.skewClock`.
 */

import { test } from 'tap'
import { folderForTest, nodeIds, nodeOf, openForTest, outcomeOf, type TestContext, textOf } from '../support/cluster.js'

const HOUR_MS = 3_600_000
const KEYS = 32
const DAY_2100 = Date.UTC(2100, 0)

/** Moves this thread's wall clock until the test ends. Returns the way to move it again, in ms from the real time. */
function movableClock(t: TestContext): (aheadMs: number) => void {
  const real = Date.now
  let movedMs = 0
  Date.now = () => real() + movedMs
  t.teardown(async () => {
    Date.now = real
  })
  return (aheadMs) => {
    movedMs = aheadMs
  }
}

test('clock jumps: by up to two hours, forth and back, under a running cluster and at its openings', async (t) => {
  const move = movableClock(t)
  const location = await folderForTest(t)
  let written = 0
  for (const opening of [0, -2, 1]) {
    move(opening * HOUR_MS)
    const cluster = await openForTest(t, { location, nodes: 3 })
    const hung: string[] = []
    cluster.on('node:hung', ({ node }) => hung.push(node))
    for (const [jump, hours] of [1, -2, 2].entries()) {
      move((opening + hours) * HOUR_MS)
      const id = nodeIds(cluster)[jump] ?? ''
      await cluster.faults.skewClock(id, -hours * HOUR_MS)
      const before = Array.from({ length: KEYS }, (_, key) => cluster.get(`key ${key}`).then(textOf))
      t.same(await Promise.all(before), new Array(KEYS).fill(written === 0 ? undefined : `${written}`))
      written += 1
      const puts = Array.from({ length: KEYS }, (_, key) => outcomeOf(cluster.put(`key ${key}`, `${written}`)))
      t.same(new Set(await Promise.all(puts)), new Set(['ok']))
      await cluster.faults.crash(id)
      await cluster.settled({ timeoutMs: 20_000 })
      const after = Array.from({ length: KEYS }, (_, key) => cluster.get(`key ${key}`, { r: 3 }).then(textOf))
      t.same(await Promise.all(after), new Array(KEYS).fill(`${written}`), `opening ${opening}, ${hours} hours`)
    }
    t.same(hung, [])
    t.same(
      nodeIds(cluster).map((id) => nodeOf(cluster, id).restarts),
      [1, 1, 1],
      'nobody was ended for it',
    )
    await cluster.close()
  }
})

test('clock jumps: writes under a clock that was ahead by decades are not lost once it is right again, and win over nothing later', async (t) => {
  const move = movableClock(t)
  const location = await folderForTest(t)
  move(DAY_2100 - Date.now())
  const ahead = await openForTest(t, { location, nodes: 3 })
  await ahead.put('key', 'of 2100')
  await ahead.put('other', 'of 2100')
  await ahead.close()
  move(0)
  const cluster = await openForTest(t, { location, nodes: 3 })
  t.equal(textOf(await cluster.get('key', { r: 3 })), 'of 2100')
  await cluster.put('key', 'of today')
  await cluster.delete('other')
  t.equal(textOf(await cluster.get('key', { r: 3 })), 'of today')
  t.equal(await cluster.get('other', { r: 3 }), undefined)
})

test('clock jumps: a clock past the year 2200 is refused, and nothing is stamped by it', async (t) => {
  const move = movableClock(t)
  const location = await folderForTest(t)
  const cluster = await openForTest(t, { location, nodes: 3 })
  await cluster.put('key', 'before')
  await cluster.close()
  move(Date.UTC(2300, 0) - Date.now())
  const refused = openForTest(t, { location, nodes: 3 })
  await t.rejects(refused, { code: 'CLOCK_UNAVAILABLE', message: /the wall clock says 2300/ })
  move(0)
  const again = await openForTest(t, { location, nodes: 3 })
  await again.put('key', 'after')
  t.equal(textOf(await again.get('key', { r: 3 })), 'after')
})
