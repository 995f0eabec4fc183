/**
 * Whether a node that died is started again, and when: policy as data, decision as a pure function.
 *
 * One-for-one. The first restart is immediate. Only lives that did not stay up for `stableAfterMs` count, toward backoff
 * and toward intensity: a node that is killed once an hour is not a failing node. One more than `restartsMax` short lives within the
 * window, and the node is down for good. With a `restartsMax` of 0 nothing is forgiven: any death is final, of a long life too.
 *
 * Called by the supervisor's core. Source: Armstrong 2003, §5.6 (restart intensity); Pekko's backoff supervision.
 */

export interface RestartPolicy {
  /** Short lives within the window that are forgiven. */
  readonly restartsMax: number
  readonly windowMs: number
  /** Delay before the second restart; doubles with each short life. */
  readonly backoffMsMin: number
  readonly backoffMsMax: number
  /** A life of at least so long is not a short one. */
  readonly stableAfterMs: number
}

export const RESTART_POLICY_DEFAULTS = {
  restartsMax: 5,
  windowMs: 60_000,
  backoffMsMin: 100,
  backoffMsMax: 30_000,
  stableAfterMs: 1_000,
} as const satisfies RestartPolicy

export type RestartDecision =
  | { readonly type: 'restart'; readonly delayMs: number }
  /** `shortLives`: those that led to it; 0: it does not depend on them. */
  | { readonly type: 'give-up'; readonly shortLives: number }

/**
 * What to do about a death.
 *
 * Shape:  `shortLivesAtMs` are the ends of earlier short lives, oldest first, and this one if it was short.
 * Units:  monotonic milliseconds.
 */
export function planRestart(shortLivesAtMs: readonly number[], policy: RestartPolicy, nowMs: number): RestartDecision {
  const counted = shortLivesAtMs.filter((atMs) => nowMs - atMs < policy.windowMs).length
  if (policy.restartsMax === 0) return { type: 'give-up', shortLives: 0 }
  if (counted > policy.restartsMax) return { type: 'give-up', shortLives: counted }
  if (counted <= 1) return { type: 'restart', delayMs: 0 }
  return { type: 'restart', delayMs: Math.min(policy.backoffMsMax, policy.backoffMsMin * 2 ** (counted - 2)) }
}

/** The longest pause before a node that lacked means is tried again: what it lacked is there as soon as somebody closes a file. */
const RETRY_MS_MAX = 1_000

/** After a death that is nobody's failure (no more files could be opened): later and later, but it is never given up. */
export function planRetry(times: number, policy: RestartPolicy): RestartDecision {
  const delayMs = Math.min(RETRY_MS_MAX, policy.backoffMsMin * 2 ** Math.min(10, times))
  return { type: 'restart', delayMs }
}
