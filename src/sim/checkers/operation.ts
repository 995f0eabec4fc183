/** The unit of a history: what a recorder writes down and a checker reads. */

/** One operation as its caller saw it. Times are of one monotonic clock; equal times count as overlapping. */
export interface Operation {
  readonly key: string
  readonly kind: 'get' | 'put' | 'delete'
  /** What a put wrote. */
  readonly value?: string | undefined
  readonly invokedAt: number
  /** Infinity: the outcome is unknown; the write took effect at any time after `invokedAt`, or never. */
  readonly returnedAt: number
  /** What a get answered; undefined: no value. */
  readonly result?: string | undefined
  /** True for a definite failure: it took no effect, and who reads its value has read what was never written. */
  readonly failed?: boolean | undefined
}
