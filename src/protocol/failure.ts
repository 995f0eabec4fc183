/**
 * How a request can end badly. *Definite*: no replica keeps the write, or the request was a read. *Outcome unknown*: a
 * replica was sent the write and nobody can say whether it stays. The two are never mixed up.
 */

import type { NodeId, PartitionId } from './ids.js'

/** All of them; new ones come last, because they are counted by place. */
export const FAILURE_CODES = [
  'CLOSED',
  'OVERLOADED',
  'QUORUM_UNAVAILABLE',
  'PARTITION_LOST',
  'TIMEOUT',
  'OUTCOME_UNKNOWN',
  'STORE_FAILED',
  'SIBLINGS_LIMIT',
  'INVALID_CONTEXT',
  'CLOCK_UNAVAILABLE',
] as const
export type FailureCode = (typeof FAILURE_CODES)[number]

/** A failed request: code and facts, plain data. */
export interface Failure {
  readonly code: FailureCode
  readonly partition?: PartitionId
  /** Replies that the quorum needed. */
  readonly needed?: number
  /** Replies that counted. */
  readonly got?: number
  /** Owners that did not answer or refused. */
  readonly missing?: readonly NodeId[]
  readonly detail?: string
}
