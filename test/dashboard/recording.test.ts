/** The last ten minutes of the dashboard: what is kept, what is let go of. */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { test } from 'tap'
import { Recording } from '../../src/cli/http/recording.js'
import type { FrameEntry, NumberedEntry, RingEntry } from '../../src/dashboard/frames.js'

test('recording: bounded in time and bytes; the partitions that hold are kept with what they explain', async (t) => {
  const ring = (at: number, epoch: number): RingEntry => ({ kind: 'ring', at, epoch, nodes: [], rows: [] })
  const frame = (at: number) => ({ kind: 'frame', at, nodes: ['x'.repeat(100)] }) as unknown as FrameEntry
  const kindsOf = (recording: Recording) => recording.lines().map((line) => JSON.parse(line) as NumberedEntry)

  const byTime = new Recording()
  byTime.add(ring(0, 1))
  byTime.add(frame(1))
  byTime.add(ring(2, 2))
  byTime.add(frame(700_000))
  t.match(kindsOf(byTime), [
    { kind: 'ring', epoch: 2 },
    { kind: 'frame', at: 700_000 },
  ])
  t.equal(kindsOf(byTime).length, 2)

  const byBytes = new Recording(10_000)
  byBytes.add(ring(0, 1))
  for (let at = 1; at <= 3_000; at++) byBytes.add(frame(at))
  t.ok(byBytes.bytes <= 10_000)
  const kept = kindsOf(byBytes)
  t.match(kept[0], { kind: 'ring', epoch: 1 })
  t.match(kept.at(-1), { kind: 'frame', at: 3_000 })
  t.ok(kept.length > 50)
})

test('recording: what was let go of is not held in memory either', async (t) => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const recording = new Recording(1_000_000)
  collect()
  const before = process.memoryUsage().heapUsed
  for (let at = 1; at <= 500; at++)
    recording.add({ kind: 'frame', at, nodes: ['x'.repeat(100_000)] } as unknown as FrameEntry)
  collect()
  const bytes = process.memoryUsage().heapUsed - before
  t.ok(bytes < 10_000_000, `${bytes} bytes for 1,000,000`)
  t.equal(recording.lines().length, 9)
})
