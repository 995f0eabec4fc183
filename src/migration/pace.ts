/**
 * How much of the time a walk may work while others call: so much that their calls take, on average, at most half as long again as while
 * it rests. Where nobody calls it does not rest.
 *
 * The backfill and the verification could use every core there is, and callers that wait for one another's answers would get next to
 * nothing. So the walk rests after its pages. In the rests it sees how long calls take without it, over all how long they take with it,
 * and every half second it takes a little more of the time or a good deal less (additive increase, multiplicative decrease). What calls
 * cost is all that it looks at: a machine with cores to spare lets it work nearly all the time, whatever is called.
 *
 * Holds no timer and reads no clock. Called by `walk.ts`.
 */

/** Calls of all threads that have ended so far, and how long they took together. Grows. */
export interface CallsSeen {
  readonly calls: number
  readonly us: number
}

/** Times as long as without the walk. */
const COST_MAX = 1.5
/** A call within so long: somebody calls. */
const CALLED_MS = 100
const ROUND_MS = 500
/** A page that takes longer waits for something that is away, and so do calls: what they take then is not judged. */
const STALLED_MS = 2_000
/** Of the time that it works. At the most it rests so much that it sees how long calls take then. */
const SHARE_FIRST = 1 / 4
const SHARE_MIN = 1 / 16
const SHARE_MAX = 0.95
const SHARE_STEP = 1 / 32
const SHARE_CUT = 0.7
/** What is shorter tells little: calls end in it that began before. */
const REST_MS_MIN = 25
const REST_MS_MAX = 500
/** Of a rest, at its beginning, in which calls still end that began before it; or twice what they take, if that is more. */
const SETTLING_SHARE = 1 / 4
const SETTLING_SHARE_MAX = 1 / 2
/** Fewer calls are no measure of how long they take. */
const CALLS_MIN = 8
/** How much the newest round counts in what calls take without the walk. */
const NEWEST_SHARE = 0.5
/** Added to every latency: twice next to nothing is no harm. */
const FLOOR_US = 100

const NONE: CallsSeen = { calls: 0, us: 0 }

export class Pace {
  readonly #see: () => CallsSeen
  #share = SHARE_FIRST
  #workedSinceMs = 0
  #restDueMs = 0
  #calledAtMs = Number.NEGATIVE_INFINITY
  #callsThen = -1
  #round = { sinceMs: 0, seen: NONE }
  /** Of the calls of the rest that is, since it has settled. */
  #settledAt: CallsSeen | undefined
  /** Of the rests since the latency in rests was last measured. */
  #inRests = NONE
  /** Latency in rests. Undefined: not measured yet. */
  #calmUs: number | undefined

  constructor(see: () => CallsSeen) {
    this.#see = see
  }

  /** Of the time it may work, while it is called. */
  get share(): number {
    return this.#share
  }

  /** A walk begins. */
  begin(nowMs: number): void {
    this.#workedSinceMs = nowMs
    this.#restDueMs = 0
    this.#inRests = NONE
    this.#round = { sinceMs: nowMs, seen: this.#see() }
  }

  /** A page has been done. Gives how long to rest now, and how much of it calls need to settle; or nothing. */
  onPage(nowMs: number): { readonly restMs: number; readonly settlingMs: number } | undefined {
    const workedMs = nowMs - this.#workedSinceMs
    this.#workedSinceMs = nowMs
    if (!this.#isCalled(nowMs)) {
      this.#restDueMs = 0
      return undefined
    }
    if (workedMs > STALLED_MS) this.begin(nowMs)
    this.#restDueMs += (workedMs * (1 - this.#share)) / this.#share
    const calmMs = (this.#calmUs ?? 0) / 1_000
    if (this.#restDueMs < Math.min(REST_MS_MAX, Math.max(REST_MS_MIN, 4 * calmMs))) return undefined
    const restMs = Math.min(REST_MS_MAX, this.#restDueMs)
    const settlingMs = Math.min(restMs * SETTLING_SHARE_MAX, Math.max(restMs * SETTLING_SHARE, 2 * calmMs))
    return { restMs, settlingMs }
  }

  /** In a rest: what began before it has ended. */
  onSettled(): void {
    this.#settledAt = this.#see()
  }

  onRested(nowMs: number): void {
    this.#workedSinceMs = nowMs
    this.#restDueMs = 0
    if (this.#settledAt !== undefined) this.#inRests = sumOf(this.#inRests, between(this.#settledAt, this.#see()))
    this.#settledAt = undefined
    if (nowMs - this.#round.sinceMs >= ROUND_MS) this.#judge(nowMs)
  }

  #isCalled(nowMs: number): boolean {
    const { calls } = this.#see()
    if (calls !== this.#callsThen && this.#callsThen !== -1) this.#calledAtMs = nowMs
    this.#callsThen = calls
    return nowMs - this.#calledAtMs < CALLED_MS
  }

  #judge(nowMs: number): void {
    const seen = this.#see()
    const inRound = between(this.#round.seen, seen)
    if (this.#inRests.calls >= CALLS_MIN) {
      const newest = meanUs(this.#inRests)
      this.#calmUs = this.#calmUs === undefined ? newest : this.#calmUs + NEWEST_SHARE * (newest - this.#calmUs)
      this.#inRests = NONE
    }
    if (this.#calmUs === undefined || inRound.calls < CALLS_MIN) return
    this.#round = { sinceMs: nowMs, seen }
    const cost = (meanUs(inRound) + FLOOR_US) / (this.#calmUs + FLOOR_US)
    this.#share =
      cost > COST_MAX ? Math.max(SHARE_MIN, this.#share * SHARE_CUT) : Math.min(SHARE_MAX, this.#share + SHARE_STEP)
  }
}

function between(before: CallsSeen, after: CallsSeen): CallsSeen {
  return { calls: after.calls - before.calls, us: after.us - before.us }
}

function sumOf(one: CallsSeen, other: CallsSeen): CallsSeen {
  return { calls: one.calls + other.calls, us: one.us + other.us }
}

function meanUs({ calls, us }: CallsSeen): number {
  return us / Math.max(1, calls)
}
