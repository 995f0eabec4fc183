/**
 * The universal scalability law: X(N) = λN / (1 + σ(N − 1) + κN(N − 1)), where σ is what is done one after the other and κ what each
 * must agree with each other (Gunther 1993; "Guerrilla Capacity Planning", 2007). Fitted by least squares. Pure.
 */

/** A throughput at a size. */
export interface ScalingPoint {
  readonly size: number
  readonly throughput: number
}

export interface ScalingLaw {
  /** Of one alone. */
  readonly lambda: number
  /** Contention: never below 0. */
  readonly sigma: number
  /** Coherency: never below 0. */
  readonly kappa: number
  /** The size beyond which more is less; infinite without coherency. */
  readonly peakSize: number
  /** The share of the variance that the law explains. */
  readonly determination: number
}

/** Where the search for σ and κ begins, and how far its steps reach at first. */
const STARTS = [
  { sigma: 0, kappa: 0 },
  { sigma: 0.5, kappa: 0.01 },
  { sigma: 2, kappa: 0 },
]
const STEP_FIRST = 0.5
const STEP_LAST = 1e-7

/** Of all laws with σ, κ ≥ 0, the one that misses the throughputs by the least squares; found by a pattern search, λ following from σ and κ. */
export function fitScalingLaw(points: readonly ScalingPoint[]): ScalingLaw {
  const found = STARTS.map((start) => searchFrom(start, points))
  const { sigma, kappa } = found.reduce((best, one) => (errorOf(one, points) < errorOf(best, points) ? one : best))
  const mean = points.reduce((sum, { throughput }) => sum + throughput, 0) / points.length
  const variance = points.reduce((sum, { throughput }) => sum + (throughput - mean) ** 2, 0)
  return {
    lambda: lambdaOf({ sigma, kappa }, points),
    sigma,
    kappa,
    peakSize: kappa === 0 ? Number.POSITIVE_INFINITY : Math.sqrt(Math.max(0, 1 - sigma) / kappa),
    determination: variance === 0 ? 1 : 1 - errorOf({ sigma, kappa }, points) / variance,
  }
}

/** What the law says of a size. */
export function throughputAt(
  { lambda, sigma, kappa }: Omit<ScalingLaw, 'peakSize' | 'determination'>,
  size: number,
): number {
  return (lambda * size) / (1 + sigma * (size - 1) + kappa * size * (size - 1))
}

type Shape = Pick<ScalingLaw, 'sigma' | 'kappa'>

function searchFrom(start: Shape, points: readonly ScalingPoint[]): Shape {
  let best = start
  for (let step = STEP_FIRST; step > STEP_LAST; ) {
    const { sigma, kappa } = best
    const around = [
      { sigma: sigma + step, kappa },
      { sigma: Math.max(0, sigma - step), kappa },
      { sigma, kappa: kappa + step },
      { sigma, kappa: Math.max(0, kappa - step) },
    ]
    const better = around.reduce((one, other) => (errorOf(other, points) < errorOf(one, points) ? other : one), best)
    if (better === best) step /= 2
    else best = better
  }
  return best
}

function errorOf(shape: Shape, points: readonly ScalingPoint[]): number {
  const law = { ...shape, lambda: lambdaOf(shape, points) }
  return points.reduce((sum, { size, throughput }) => sum + (throughput - throughputAt(law, size)) ** 2, 0)
}

/** The best λ for these σ and κ: the law is linear in it. */
function lambdaOf(shape: Shape, points: readonly ScalingPoint[]): number {
  const unit = points.map(({ size }) => throughputAt({ ...shape, lambda: 1 }, size))
  const products = points.reduce((sum, { throughput }, at) => sum + throughput * (unit[at] ?? 0), 0)
  return products / unit.reduce((sum, one) => sum + one * one, 0)
}
