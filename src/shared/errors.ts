/**
 * The public error: one class, a closed table of codes, the facts. Made only at the edge (the client, `openCluster`, the
 * command); inside, expected trouble is a `Failure` value that crosses threads as plain data.
 */

import type { Failure, FailureCode } from '../protocol/failure.js'

/** What each code means and what to do about it. `docs` in the README are made from this table. */
export const ERROR_TABLE = {
  INVALID_OPTION: 'An option has a value that is not allowed. The message says which and what is allowed.',
  INVALID_KEY: 'A key must be a string or Uint8Array of 1 to 65,535 bytes.',
  INVALID_VALUE: 'A value must be a string or Uint8Array, at most `valueBytesMax` bytes.',
  INVALID_CONTEXT: 'The causal context was not made by `read` of this key in this cluster. Read the key again.',
  CLOSED: 'The cluster is closed or closing. Open it again.',
  OVERLOADED: 'Too many requests or bytes are in flight. Nothing was sent. Wait for answers, then try again.',
  QUORUM_UNAVAILABLE:
    'Too few owners are left to form the quorum; no replica kept the write, if it was one. Lower r or w, use `sloppy`, or wait for the refill.',
  PARTITION_LOST:
    'Too few stores of the partition are left to refill it without risking acknowledged writes. Bring a store back or call `acceptLoss`.',
  TIMEOUT: 'The deadline passed before the quorum answered. A read changed nothing; a write was sent to no replica.',
  OUTCOME_UNKNOWN:
    'The deadline passed, a coordinator died, or stores failed (a full disk), after the write was sent: it may or may not take effect. Read before you decide.',
  STORE_FAILED:
    'Too few owners could do it: disks are full, or records damaged. `missing` and `status` (`storeFull`, `quarantined`) name them, the events tell why.',
  SIBLINGS_LIMIT: 'The key has too many concurrent values. Read it and put with the context.',
  CLOCK_UNAVAILABLE:
    'The clock ceiling was not renewed in time (check the disk of its folder), or a clock is past the year 2200. Nothing was sent.',
  LOCATION_LOCKED:
    'The location is open already, in this process or another (`holder`: `pid`, `since`, `command`). Close it there first.',
  LOCATION_MISMATCH:
    'The location holds a cluster that was created with other fixed settings (partitions, n, conflict).',
  LOCATION_DAMAGED: 'The cluster folder cannot be read. The message names the file.',
  OPEN_FAILED: 'A node did not start. The cause tells more.',
  UNKNOWN_NODE: 'No node has this id.',
  TOO_FEW_NODES: 'The node cannot leave: each partition has n copies on as many nodes. Let others join first.',
  JOIN_FAILED:
    'A node that was to join went down for good, or was told to leave, before it was a member. The event `node:down` tells why.',
  NODE_NOT_RUNNING: 'The node has no running thread: it is down for good, or did not come back in time.',
  FAULTS_DISABLED: 'Faults need `faults: true` when the cluster is opened. Never set it in production.',
  BACKUP_NOT_EMPTY: 'The folder for a backup must be new or empty.',
  BACKUP_FAILED:
    'Too few owners of a partition took part, or it could not be written. Nothing was left behind. Try again once the nodes are back.',
  BACKUP_INCOMPLETE:
    'There is no backup in the folder (or no such folder), or one that was interrupted before it was whole. Use another one.',
  BACKUP_DAMAGED:
    'The backup is not what was written. The message names the database, and whether the others are enough (`without`).',
  BACKUP_MISMATCH:
    'The backup is of a cluster with other fixed settings (partitions, conflict), of another one than the node that it is to seed, or of a newer version.',
  RESTORE_INCOMPLETE:
    'A restore into the location was interrupted, or failed, before all of the backup was in it. Restore into it again, or delete it.',
  LOCATION_NOT_EMPTY: 'A backup is restored into a new location; there is a cluster in this one.',
  NOT_SUPPORTED: 'The engine has no such call. The message names what its own tools have instead.',
  MIGRATED:
    'The cluster has moved to another engine. The message says how to open it there; `to`, `seeds` and `name` say where.',
  MIGRATION_UNDER_WAY:
    'Another migration is under way, or the store is being filled by one. Let it come to its end, or abort it (`coterie migrate --abort`).',
  MIGRATION_TARGET_NOT_EMPTY: 'There is a store of that name already. A migration fills a new one: give another name.',
  MIGRATION_TARGET_UNREACHABLE:
    'Writes must go to the target of a migration too, and it cannot be reached. Bring it back, or abort (`coterie migrate --abort`).',
  MIGRATION_STOPPED:
    'The migration did not come to its end; `why`: `aborted`, `paused` (target in `trouble`: call `migrate` again), `different` (records differ, time after time).',
  TICKET_INVALID: 'The ticket is not of an open cluster in this process.',
} as const satisfies Record<string, string>

/** Every code a `CoterieError` can have. */
export type CoterieErrorCode = keyof typeof ERROR_TABLE

// A failure of the protocol must have a public code; a missing one does not compile.
type Covered = FailureCode extends CoterieErrorCode ? true : never
const COVERED: Covered = true

/** Facts beside the message: numbers and names a program can act on. */
export type ErrorFacts = Readonly<Record<string, unknown>>

/**
 * The only error that the public door throws or rejects with.
 *
 * `code` is from `ERROR_TABLE`; `facts` are what a program needs to react; `cause` is what was underneath.
 */
export class CoterieError extends Error {
  override readonly name = 'CoterieError'
  /** Match on this, never on the message. */
  readonly code: CoterieErrorCode
  /** What the code is about: `partition`, `needed`, `got`, `missing` of a request; the option, node or folder that is meant of others. */
  readonly facts: ErrorFacts

  constructor(code: CoterieErrorCode, message?: string, facts: ErrorFacts = {}, options?: { cause?: unknown }) {
    super(message === undefined ? `${code}: ${ERROR_TABLE[code]}` : `${code}: ${message}`, options)
    this.code = code
    this.facts = facts
  }
}

/** The public error of a protocol failure. */
export function errorOfFailure(failure: Failure): CoterieError {
  const { code, ...facts } = failure
  const detail = Object.entries(facts)
    .map(([name, value]) => `${name} ${Array.isArray(value) ? value.join(',') : value}`)
    .join(', ')
  return COVERED && new CoterieError(code, `${ERROR_TABLE[code]}${detail === '' ? '' : ` (${detail})`}`, facts)
}

/** An error from another thread keeps its name, message, code and stack as plain data. */
export interface WireError {
  readonly name: string
  readonly message: string
  readonly code?: string
  readonly stack?: string
  readonly cause?: WireError
}

/** Structured clone drops class and `code` of errors; this keeps them. Depth of causes is bounded by 4. */
export function toWireError(error: unknown, depth = 4): WireError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) }
  const code = (error as { code?: unknown }).code
  return {
    name: error.name,
    message: error.message,
    ...(typeof code === 'string' ? { code } : {}),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(error.cause === undefined || depth === 0 ? {} : { cause: toWireError(error.cause, depth - 1) }),
  }
}

/** The error again, as an Error with name and code. */
export function fromWireError(wire: WireError): Error {
  const error = new Error(wire.message, wire.cause === undefined ? undefined : { cause: fromWireError(wire.cause) })
  error.name = wire.name
  if (wire.stack !== undefined) error.stack = wire.stack
  return wire.code === undefined ? error : Object.assign(error, { code: wire.code })
}
