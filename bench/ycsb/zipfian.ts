/**
 * Zipf-distributed ranks in constant time (Gray et al. 1994, "Quickly generating billion-record synthetic databases", §3.2), as
 * YCSB draws them (Cooper et al. 2010): rank i, from 0, comes with probability (1 / (i + 1)^θ) / ζ(items, θ). Draws nothing by
 * itself: it is given numbers in [0, 1).
 */

/** What YCSB uses. */
const YCSB_THETA = 0.99

/** The parameters of a distribution. */
export interface ZipfianOptions {
  readonly items: number
  readonly theta?: number
  /** ζ(items, theta) if it is known: of ten thousand million items it takes a while. */
  readonly zetaOfItems?: number
}

export class Zipfian {
  readonly #items: number
  readonly #theta: number
  readonly #zeta: number
  readonly #alpha: number
  readonly #eta: number

  constructor({ items, theta = YCSB_THETA, zetaOfItems = zeta(items, theta) }: ZipfianOptions) {
    this.#items = items
    this.#theta = theta
    this.#zeta = zetaOfItems
    this.#alpha = 1 / (1 - theta)
    this.#eta = (1 - (2 / items) ** (1 - theta)) / (1 - zeta(2, theta) / zetaOfItems)
  }

  /** The rank of a number in [0, 1): the two most popular exactly, the others by Gray's approximation of the inverse. */
  rank(uniform: number): number {
    const scaled = uniform * this.#zeta
    if (scaled < 1) return 0
    if (scaled < 1 + 0.5 ** this.#theta) return 1
    const rank = Math.floor(this.#items * (this.#eta * uniform - this.#eta + 1) ** this.#alpha)
    return Math.min(rank, this.#items - 1)
  }
}

/** Σ 1 / i^θ over i = 1 … n. */
export function zeta(n: number, theta: number): number {
  let sum = 0
  for (let i = 1; i <= n; i++) sum += 1 / i ** theta
  return sum
}
