/** How much a walk rests in favour of those who call, in a world whose clock and callers are made up. */

import { test } from 'tap'
import { Pace } from '../../src/migration/pace.js'

/** One caller that calls again at once: how long its calls take while the walk works, and while it rests. */
interface World {
  readonly inWorkMs: number
  readonly inRestsMs: number
}

const PAGE_MS = 10

/** Of its calls each goes on by so much of what it takes at the moment. */
class Caller {
  readonly seen = { calls: 0, us: 0 }
  nowMs = 0
  #begunMs = 0
  /** Of the call that runs, how much is done. */
  #done = 0

  pass(ms: number, callMs: number): void {
    const endMs = this.nowMs + ms
    for (;;) {
      const doneMs = this.nowMs + (1 - this.#done) * callMs
      if (doneMs > endMs) break
      this.nowMs = doneMs
      this.seen.calls += 1
      this.seen.us += Math.round((doneMs - this.#begunMs) * 1_000)
      this.#begunMs = doneMs
      this.#done = 0
    }
    this.#done += (endMs - this.nowMs) / callMs
    this.nowMs = endMs
  }
}

test('pace: calls take at most half as long again, and no more of the time is given away', (t) => {
  const { cost, worked } = runOf({ inWorkMs: 10, inRestsMs: 1 })
  t.ok(cost > 1.3 && cost < 1.6, `${cost} times as long`)
  t.ok(worked > 0.2 && worked < 0.6, `it works ${worked} of the time`)
  const slower = runOf({ inWorkMs: 100, inRestsMs: 1 })
  t.ok(slower.worked < worked, 'who does more harm works less')
  t.end()
})

test('pace: where calls are not slower for it, it works nearly all the time', (t) => {
  t.ok(runOf({ inWorkMs: 1, inRestsMs: 1 }).worked > 0.85)
  t.ok(runOf({ inWorkMs: 0.08, inRestsMs: 0.02 }).worked > 0.85, 'four times next to nothing is no harm')
  t.end()
})

test('pace: calls that take long are seen without it, too', (t) => {
  const { cost, worked } = runOf({ inWorkMs: 300, inRestsMs: 30 })
  t.ok(cost < 1.8, `${cost} times as long`)
  t.ok(worked > 0.05)
  t.end()
})

test('pace: while something is away for which the walk waits as well, calls that take long are no cost of it', (t) => {
  const calls = { calls: 0, us: 0 }
  const pace = new Pace(() => ({ ...calls }))
  pace.begin(0)
  let now = 0
  /** Calls of a millisecond, or of seconds while a page stalls. */
  const pass = (ms: number, callMs: number) => {
    now += ms
    calls.calls += 10
    calls.us += 10 * callMs * 1_000
  }
  for (let pages = 0; pages < 100; pages++) {
    const isStalled = pages % 10 === 9
    pass(isStalled ? 3_000 : PAGE_MS, isStalled ? 2_000 : 1)
    const due = pace.onPage(now)
    if (due === undefined) continue
    pass(due.settlingMs, 1)
    pace.onSettled()
    pass(due.restMs - due.settlingMs, 1)
    pace.onRested(now)
  }
  t.ok(pace.share >= 0.25, `it works ${pace.share} of the time`)
  t.end()
})

test('pace: where nobody calls, or nobody any more, it does not rest', (t) => {
  const calls = { calls: 0, us: 0 }
  const pace = new Pace(() => ({ ...calls }))
  pace.begin(0)
  let now = 0
  const page = () => {
    now += PAGE_MS
    return pace.onPage(now)
  }
  t.equal(page(), undefined)
  calls.calls += 1
  let rested = page()
  for (let pages = 0; pages < 5; pages++) rested ??= page()
  t.ok(rested !== undefined)
  now += 200
  for (let pages = 0; pages < 50; pages++) t.equal(page(), undefined)
  t.end()
})

/** The last ten of twenty seconds: how long calls took, in times of how long they take in rests; of the time, how much it worked. */
function runOf(world: World): { cost: number; worked: number } {
  const caller = new Caller()
  const pace = new Pace(() => ({ ...caller.seen }))
  pace.begin(0)
  let workedMs = 0
  let from = { ...caller.seen, workedMs, nowMs: 0 }
  while (caller.nowMs < 20_000) {
    if (from.nowMs === 0 && caller.nowMs >= 10_000) from = { ...caller.seen, workedMs, nowMs: caller.nowMs }
    caller.pass(PAGE_MS, world.inWorkMs)
    workedMs += PAGE_MS
    const due = pace.onPage(caller.nowMs)
    if (due === undefined) continue
    caller.pass(due.settlingMs, world.inRestsMs)
    pace.onSettled()
    caller.pass(due.restMs - due.settlingMs, world.inRestsMs)
    pace.onRested(caller.nowMs)
  }
  const meanMs = (caller.seen.us - from.us) / (caller.seen.calls - from.calls) / 1_000
  const worked = (workedMs - from.workedMs) / (caller.nowMs - from.nowMs)
  return { cost: meanMs / world.inRestsMs, worked }
}
