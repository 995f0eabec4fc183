/**
 * The numbers that the protocol's machines are given; made once by the composition root from the validated options.
 * All times are milliseconds, all sizes bytes.
 */

import type { MembershipConfig } from './membership/membership-config.js'
import type { Quorums } from './ring/quorum.js'
import type { ConflictMode } from './versions/record.js'

export interface ProtocolConfig extends Quorums {
  readonly partitions: number
  readonly conflict: ConflictMode
  /** False: each gateway has a clock of its own, and asks a quorum for the highest stamp before it writes. */
  readonly sharedClock: boolean
  /** A replica silent for so long with mail outstanding is avoided. */
  readonly avoidAfterMs: number
  /** Extra reads in percent of all reads; 0: no hedging. */
  readonly hedgeBudgetPercent: number
  /** No new hints for a node absent for longer; 0: none for missed writes. */
  readonly hintWindowMs: number
  readonly hintBytesMax: number
  /** See `TransferBudget`. */
  readonly transferBytesPerSecond: number
  readonly transfersMax: number
  readonly membership: MembershipConfig
}

/** Operations in one data message at most. */
export const MESSAGE_OPERATIONS_MAX = 1_024
/** Bytes of values in one data message, more or less: a message ends after the entry that passes it. */
export const MESSAGE_BYTES_MAX = 1_048_576
/** Operations waiting for one owner at most; past it the owner counts as missing. */
export const LINK_QUEUE_MAX = 16_384
/** Bytes waiting for one owner at most. */
export const LINK_QUEUE_BYTES_MAX = 33_554_432
/** Answered writes that still wait for their last owners: how long, how many, how many bytes. */
export const LINGER_MS = 1_500
export const LINGER_REQUESTS_MAX = 16_384
export const LINGER_BYTES_MAX = 33_554_432
/** Hints that wait for a keeper. */
export const HINT_BUFFER_BYTES_MAX = 33_554_432
/** Pause before an owner that said `guarded` or `stale` is asked again. */
export const RETRY_MS = 4
/** Pause before an owner whose record is damaged is asked again: it heals it from the others meanwhile. */
export const HEALING_MS = 25
/** A restarted replica is read from last for so long: its first answers take tens of milliseconds, until its code is compiled. */
export const SLOW_START_MS = 250
/** Siblings of one key: refused above. */
export const SIBLINGS_MAX = 100
/** Sibling updates that a node has taken and its store has not accepted: refused above, before anything is written. */
export const UPDATES_MAX = 16_384
/** Damaged records that are being healed at a time. */
export const HEALS_MAX = 256
/** Keys in one range of an exchange, bytes in one chunk of a transfer. */
export const EXCHANGE_KEYS = 128
export const TRANSFER_CHUNK_BYTES = 524_288
