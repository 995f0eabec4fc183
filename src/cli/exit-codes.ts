/** The exit codes of the command, as a table: shown by `--help` and in the README. They stay what they are. */

import { CoterieError, type CoterieErrorCode } from '../shared/errors.js'

export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  noCluster: 4,
  locked: 5,
  unknown: 6,
  interrupted: 130,
} as const

export type ExitCode = (typeof EXIT)[keyof typeof EXIT]

export const EXIT_CODES: readonly (readonly [ExitCode, string])[] = [
  [EXIT.done, 'done'],
  [EXIT.failed, 'failed; verify, sim: something is wrong'],
  [EXIT.usage, 'wrong usage'],
  [EXIT.notFound, 'get: there is no such key'],
  [EXIT.noCluster, 'no cluster in the folder, or none is running there'],
  [EXIT.locked, 'another process has the folder open and does not listen'],
  [EXIT.unknown, 'it may or may not have been done: read before you decide'],
  [EXIT.interrupted, 'interrupted'],
]

/** What a command says last, with its exit code. */
export class ExitError extends Error {
  override readonly name = 'ExitError'

  constructor(
    readonly exitCode: ExitCode,
    message: string,
  ) {
    super(message)
  }
}

const OF_ERROR: Partial<Record<CoterieErrorCode, ExitCode>> = {
  INVALID_OPTION: EXIT.usage,
  LOCATION_LOCKED: EXIT.locked,
  OUTCOME_UNKNOWN: EXIT.unknown,
}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof ExitError) return error.exitCode
  return (error instanceof CoterieError ? OF_ERROR[error.code] : undefined) ?? EXIT.failed
}
