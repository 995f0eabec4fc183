import t from 'tap'
import { DrawPace } from '../../src/dashboard/draw-pace.js'
import type { FrameEntry, PackedRates } from '../../src/dashboard/frames.js'

const NONE: PackedRates = [0, 0, null, null, null]
const RATES: NonNullable<FrameEntry['requests']> = {
  get: NONE,
  put: NONE,
  delete: NONE,
  batch: NONE,
  scan: NONE,
  all: NONE,
}

/** Which of the frames of these times are drawn. */
function drawn(nodes: number, times: readonly number[]): number[] {
  const pace = new DrawPace()
  return times.filter((at) => pace.isDue({ at, nodes: Array.from({ length: nodes }, () => []), requests: RATES }))
}

t.test('numbers are drawn with every second look, those of many nodes with every fourth', async (t) => {
  const looks = [0, 500, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000]
  t.strictSame(drawn(5, looks), [0, 1_000, 2_000, 3_000, 4_000])
  t.strictSame(drawn(64, looks), [0, 2_000, 4_000])
  t.strictSame(drawn(5, [0, 498, 995, 1_497]), [0, 995], 'looks that come a little early')
})

t.test('what happened is drawn at once, and numbers a while after it', async (t) => {
  const pace = new DrawPace()
  const isDue = (at: number, isInterval: boolean) =>
    pace.isDue({ at, nodes: [[]], ...(isInterval ? { requests: RATES } : {}) })
  t.strictSame([isDue(0, true), isDue(100, false), isDue(150, false), isDue(500, true)], [true, true, true, false])
  t.equal(isDue(1_100, true), true)
})

t.test('a clock that is set back holds nothing up', async (t) => {
  t.strictSame(drawn(5, [10_000, 2_000, 2_500, 3_000]), [10_000, 2_000, 3_000])
})
