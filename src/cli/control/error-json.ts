/** A `CoterieError` over the socket: `{ "error": { code, message, facts } }` with an HTTP status, and back. */

import { CoterieError, type CoterieErrorCode, ERROR_TABLE } from '../../shared/errors.js'

export interface ErrorJson {
  /** Absent where something failed that the table of errors does not know. */
  readonly code?: CoterieErrorCode
  readonly message: string
  readonly facts: Readonly<Record<string, unknown>>
}

/** 4xx: asked differently it could be done; 5xx: not now. */
const HTTP_STATUS: Readonly<Record<CoterieErrorCode, number>> = {
  INVALID_OPTION: 400,
  INVALID_KEY: 400,
  INVALID_VALUE: 400,
  INVALID_CONTEXT: 400,
  CLOSED: 503,
  OVERLOADED: 503,
  QUORUM_UNAVAILABLE: 503,
  PARTITION_LOST: 503,
  TIMEOUT: 504,
  OUTCOME_UNKNOWN: 504,
  STORE_FAILED: 503,
  SIBLINGS_LIMIT: 409,
  CLOCK_UNAVAILABLE: 503,
  LOCATION_LOCKED: 409,
  LOCATION_MISMATCH: 409,
  LOCATION_DAMAGED: 500,
  OPEN_FAILED: 500,
  UNKNOWN_NODE: 404,
  TOO_FEW_NODES: 409,
  JOIN_FAILED: 503,
  NODE_NOT_RUNNING: 409,
  FAULTS_DISABLED: 403,
  BACKUP_NOT_EMPTY: 409,
  BACKUP_FAILED: 503,
  BACKUP_INCOMPLETE: 409,
  BACKUP_DAMAGED: 409,
  BACKUP_MISMATCH: 409,
  RESTORE_INCOMPLETE: 409,
  LOCATION_NOT_EMPTY: 409,
  NOT_SUPPORTED: 501,
  MIGRATED: 410,
  MIGRATION_UNDER_WAY: 409,
  MIGRATION_TARGET_NOT_EMPTY: 409,
  MIGRATION_TARGET_UNREACHABLE: 503,
  MIGRATION_STOPPED: 503,
  TICKET_INVALID: 400,
}

/** What HTTP itself refuses has a status of its own. */
export class HttpError extends CoterieError {
  constructor(
    readonly status: number,
    code: CoterieErrorCode,
    message: string,
  ) {
    super(code, message)
  }
}

export function statusOf(error: unknown): number {
  if (error instanceof HttpError) return error.status
  return error instanceof CoterieError ? HTTP_STATUS[error.code] : 500
}

export function jsonOfError(error: unknown): ErrorJson {
  if (error instanceof CoterieError) {
    const { code, message, facts } = error
    return { code, message: message.replace(`${code}: `, ''), facts }
  }
  return { message: error instanceof Error ? error.message : String(error), facts: {} }
}

export function errorOfJson(json: unknown): Error {
  const { code, message = 'it failed', facts } = (json ?? {}) as Partial<ErrorJson>
  if (code === undefined || !Object.hasOwn(ERROR_TABLE, code)) return new Error(message)
  return new CoterieError(code, message, facts)
}
