/** What is compared with what is measured: the fit of c·log2 n, the push model, the most messages of a round; and quantiles. */

/** Rounds on `members`. */
export interface Point {
  readonly members: number
  readonly rounds: number
}

/** A line through the origin over log2 n. */
export interface LogFit {
  readonly c: number
  /** 1 = the points lie on it; against their mean, so that a constant would have 0. */
  readonly rSquared: number
}

/** Least squares for rounds = c·log2 n. */
export function fitLog(points: readonly Point[]): LogFit {
  const logs = points.map(({ members }) => Math.log2(members))
  const c = sum(points.map(({ rounds }, at) => rounds * (logs[at] ?? 0))) / sum(logs.map((log) => log * log))
  const mean = sum(points.map(({ rounds }) => rounds)) / points.length
  const residual = sum(points.map(({ rounds }, at) => (rounds - c * (logs[at] ?? 0)) ** 2))
  return { c, rSquared: 1 - residual / sum(points.map(({ rounds }) => (rounds - mean) ** 2)) }
}

/**
 * Rounds until all know, where whoever knows tells `fanout` others each round and nobody asks: what pulling must beat.
 *
 * Source: Frieze and Grimmett 1985; Pittel 1987 (log2 n + ln n + O(1) for one peer a round).
 */
export function pushRounds(members: number, fanout: number): number {
  return Math.log(members) / Math.log(fanout + 1) + Math.log(members) / fanout
}

/** Each peer of a round gets a syn, answers with one ack, and is sent one ack2 at most. */
export function messagesPerRoundMax(fanout: number): number {
  return 3 * fanout
}

/** Between two values in proportion, so that of two runs the median is not the better one. Shape: NaN for none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  const at = share * (sorted.length - 1)
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}

export function mean(values: readonly number[]): number {
  return sum(values) / values.length
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
