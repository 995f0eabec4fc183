/** The arithmetic of phi, and when a detector speaks. */

import { test } from 'tap'
import { FailureDetector } from '../../../src/protocol/membership/failure-detector.js'
import { MEMBERSHIP_DEFAULTS, PHI_SAMPLES_MAX } from '../../../src/protocol/membership/membership-config.js'
import { afterHeartbeat, firstHeartbeat, type PhiState, phiOf } from '../../../src/protocol/membership/phi-accrual.js'

const STRICT = { phiThreshold: 8, acceptablePauseMs: 0, minStdDeviationMs: 1 }

test('phi: mean silence is a coin toss; each deviation more is as rare as a normal distribution says', async (t) => {
  const state: PhiState = { samplesMs: [90, 110], meanMs: 100, stdDeviationMs: 10, lastHeartbeatMs: 0 }
  // −log10 of the upper tail of the normal distribution at −2 … 4 deviations, from tables. The logistic approximation is
  // within 0.0002 of the distribution, which in the far tail makes phi a little too high: 5 % at 4 deviations.
  const known = { 80: 0.00999, 90: 0.07505, 100: 0.30103, 110: 0.79955, 120: 1.64302, 130: 2.86967, 140: 4.49933 }
  for (const [silentMs, phi] of Object.entries(known)) {
    const found = phiOf(state, Number(silentMs), STRICT)
    t.ok(Math.abs(found - phi) < 0.01 + phi * 0.055, `phi ${found} after ${silentMs} ms, by the tables ${phi}`)
  }
})

test('phi: Pekko’s own formula gives the same numbers wherever it does not overflow', async (t) => {
  const state: PhiState = { samplesMs: [900, 1100], meanMs: 1_000, stdDeviationMs: 100, lastHeartbeatMs: 0 }
  for (let silentMs = 0; silentMs <= 2_000; silentMs += 50) {
    const y = (silentMs - 1_000) / 100
    const e = Math.exp(-y * (1.5976 + 0.070566 * y * y))
    const pekko = silentMs > 1_000 ? -Math.log10(e / (1 + e)) : -Math.log10(1 - 1 / (1 + e))
    const found = phiOf(state, silentMs, STRICT)
    // Below the mean Pekko subtracts two nearly equal numbers; ours is the better one there.
    t.ok(Math.abs(found - pekko) < 1e-9 * Math.max(1, pekko), `${silentMs} ms: ${found} and ${pekko}`)
  }
})

test('phi: Pekko’s published points (PhiAccrualFailureDetectorSpec: cumulative distribution at 0.25 … 2.5)', async (t) => {
  const state: PhiState = { samplesMs: [0, 0], meanMs: 0, stdDeviationMs: 10, lastHeartbeatMs: 0 }
  const tail = { 0: 0.5, 5: 0.6915, 7: 0.758, 10: 0.8413, 15: 0.9332, 20: 0.9772, 25: 0.9938 }
  for (const [silentMs, below] of Object.entries(tail)) {
    const phi = phiOf(state, Number(silentMs), STRICT)
    t.ok(Math.abs(10 ** -phi - (1 - below)) < 0.001, `${silentMs} ms`)
  }
})

test('phi: never falls with time, stays finite, and a day of silence is beyond doubt', async (t) => {
  const state = firstHeartbeat(0, 250)
  let before = 0
  for (let silentMs = 0; silentMs < 10_000; silentMs += 10) {
    const phi = phiOf(state, silentMs, STRICT)
    if (phi < before) t.fail(`phi fell at ${silentMs}`)
    before = phi
  }
  const day = phiOf(state, 86_400_000, STRICT)
  t.ok(Number.isFinite(day) && day > 1e6)
})

test('phi: the first estimate is the interval with a quarter of it as deviation', async (t) => {
  const state = firstHeartbeat(77, 1_000)
  t.same(state, { samplesMs: [750, 1_250], meanMs: 1_000, stdDeviationMs: 250, lastHeartbeatMs: 77 })
})

test('phi: the window is bounded and forgets the oldest', async (t) => {
  let state = firstHeartbeat(0, 1_000)
  for (let beat = 1; beat <= 3 * PHI_SAMPLES_MAX; beat++) state = afterHeartbeat(state, beat * 100, STRICT)
  t.equal(state.samplesMs.length, PHI_SAMPLES_MAX)
  t.equal(state.meanMs, 100)
  t.equal(state.stdDeviationMs, 0)
})

test('phi: a suspicious interval is not learned as the peer’s rhythm', async (t) => {
  const settings = { ...STRICT, acceptablePauseMs: 1_500, minStdDeviationMs: 50 }
  const state = firstHeartbeat(0, 250)
  const hung = afterHeartbeat(state, 20_000, settings)
  t.same(hung, { ...state, lastHeartbeatMs: 20_000 })
  t.equal(afterHeartbeat(state, 1_000, settings).samplesMs.at(-1), 1_000)
})

const { heartbeatMs, lateTickFactor, flapDampingMs } = MEMBERSHIP_DEFAULTS
const DIRECT = new Set(['node2'])

test('detector: a silent peer is suspected once, and trusted once it beats again', async (t) => {
  const detector = new FailureDetector(MEMBERSHIP_DEFAULTS, 0)
  let nowMs = 0
  for (; nowMs < 5_000; nowMs += heartbeatMs) {
    detector.onOwnTick(nowMs)
    detector.onHeartbeat('node2', nowMs)
    t.same(detector.judge(nowMs, DIRECT), { suspected: [], trusted: [] })
  }
  const suspectedAtMs: number[] = []
  for (const lastMs = nowMs - heartbeatMs; nowMs < 15_000; nowMs += heartbeatMs) {
    detector.onOwnTick(nowMs)
    if (detector.judge(nowMs, DIRECT).suspected.length > 0) suspectedAtMs.push(nowMs - lastMs)
  }
  t.same(suspectedAtMs, [2_250], '250 interval + 1500 pause + 5.2 × 50 deviation, at the next judgement')
  t.notOk(detector.isTrusted('node2'))
  detector.onHeartbeat('node2', nowMs)
  t.same(detector.judge(nowMs, DIRECT), { suspected: [], trusted: ['node2'] })
})

test('detector: a peer that came back is not suspected again before the damping is over', async (t) => {
  const detector = new FailureDetector(MEMBERSHIP_DEFAULTS, 0)
  detector.watch('node2', 0)
  const suspectedAtMs: number[] = []
  for (let nowMs = 0; nowMs <= 40_000; nowMs += heartbeatMs) {
    detector.onOwnTick(nowMs)
    if (detector.judge(nowMs, DIRECT).suspected.length > 0) {
      suspectedAtMs.push(nowMs)
      detector.onRefuted('node2', nowMs + 100)
    }
  }
  t.equal(suspectedAtMs.length, 4)
  for (const [index, atMs] of suspectedAtMs.entries())
    if (index > 0) t.ok(atMs - (suspectedAtMs[index - 1] ?? 0) >= flapDampingMs, `${atMs}`)
})

test('detector: a late own tick resets instead of judging', async (t) => {
  const pausedMs = 60_000
  const judged = (lateBy: number) => {
    const detector = new FailureDetector(MEMBERSHIP_DEFAULTS, 0)
    detector.watch('node2', 0)
    detector.watch('node3', 0)
    let nowMs = 0
    for (; nowMs < pausedMs - lateBy; nowMs += heartbeatMs) {
      detector.onOwnTick(nowMs)
      detector.onHeartbeat('node2', nowMs)
      detector.onHeartbeat('node3', nowMs)
      detector.judge(nowMs, DIRECT)
    }
    const late = detector.onOwnTick(pausedMs)
    return { late, suspected: detector.judge(pausedMs, DIRECT).suspected }
  }
  t.same(judged(59_000), { late: true, suspected: [] })
  t.same(judged(lateTickFactor * heartbeatMs), { late: true, suspected: [] })
  t.same(judged(heartbeatMs), { late: false, suspected: [] })
})

test('detector: a late own tick does not make a suspect trusted', async (t) => {
  const detector = new FailureDetector(MEMBERSHIP_DEFAULTS, 0)
  detector.watch('node2', 0)
  for (let nowMs = 0; nowMs <= 3_000; nowMs += heartbeatMs) {
    detector.onOwnTick(nowMs)
    detector.judge(nowMs, DIRECT)
  }
  t.ok(detector.onOwnTick(60_000))
  t.same(detector.judge(60_000, DIRECT), { suspected: [], trusted: [] })
  t.notOk(detector.isTrusted('node2'))
  detector.onHeartbeat('node2', 60_010)
  t.same(detector.judge(60_010, DIRECT), { suspected: [], trusted: ['node2'] })
})

test('detector: a peer known only by gossip gets a longer pause, but is found too', async (t) => {
  const detector = new FailureDetector(MEMBERSHIP_DEFAULTS, 0)
  detector.watch('node2', 0)
  detector.watch('node3', 0)
  const found: Record<string, number> = {}
  for (let nowMs = 0; nowMs <= 10_000; nowMs += heartbeatMs) {
    detector.onOwnTick(nowMs)
    for (const peer of detector.judge(nowMs, DIRECT).suspected) found[peer] = nowMs
  }
  t.same(found, { node2: 2_250, node3: 4_250 })
})
