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
  /** A tombstone is kept for so long at least, and no request takes longer; 0: for ever. */
  readonly tombstoneGraceMs: number
  /** Between two exchanges that a node begins by itself; 0: it begins none. */
  readonly antiEntropyIntervalMs: number
  readonly queues: QueueLimits
  readonly membership: MembershipConfig
}

/** Bounds of what waits with a coordinator. */
export interface QueueLimits {
  /** Operations, and bytes, waiting for one owner in one lane at most; past it the owner counts as missing. */
  readonly linkQueueMax: number
  readonly linkQueueBytesMax: number
  /** Answered writes that still wait for their last owners: how many, how many bytes. Past it the oldest give up. */
  readonly lingerRequestsMax: number
  readonly lingerBytesMax: number
  /** Hints that wait for a keeper: bytes. Past it the owner must exchange with the others. */
  readonly hintBufferBytesMax: number
}

/** Not options: nobody has asked for others. The simulator has smaller ones, to see that they hold. */
export const QUEUE_LIMITS: QueueLimits = {
  linkQueueMax: 16_384,
  linkQueueBytesMax: 33_554_432,
  lingerRequestsMax: 16_384,
  lingerBytesMax: 33_554_432,
  hintBufferBytesMax: 33_554_432,
}

/** Operations in one data message at most. */
export const MESSAGE_OPERATIONS_MAX = 1_024
/** Bytes of values in one data message, more or less: a message ends after the entry that passes it. */
export const MESSAGE_BYTES_MAX = 1_048_576
/** How long an answered write still waits for its last owners. */
export const LINGER_MS = 1_500
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
/** Damaged records that are remembered because too few others can say what they were. */
export const STUCK_MAX = 4_096
/** Keys that one range of an exchange lists, bytes in one chunk of a transfer. */
export const EXCHANGE_KEYS = 256
export const TRANSFER_CHUNK_BYTES = 524_288
