/** An error as lines for people: what happened, what to do about it, what was underneath. */

import { CoterieError, type CoterieErrorCode, ERROR_TABLE } from '../shared/errors.js'

/** What the table cannot know: what it means for somebody at a shell. */
const AT_THE_SHELL: Partial<Record<CoterieErrorCode, string>> = {
  LOCATION_LOCKED:
    'Probably a running `coterie start` holds the folder: type there, stop it first, or name another folder with --location.',
  LOCATION_MISMATCH:
    'Leave --partitions, --n and --conflict out to open it as it was created, or name another --location.',
  FAULTS_DISABLED: 'Start with --faults.',
}

const CAUSES_MAX = 4

export function errorLines(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)]
  const lines = [headline(error)]
  if (error instanceof CoterieError) {
    const advice = AT_THE_SHELL[error.code] ?? ERROR_TABLE[error.code]
    if (!error.message.includes(advice)) lines.push(advice)
  }
  let cause = error.cause
  for (let depth = 0; cause instanceof Error && depth < CAUSES_MAX; depth++) {
    lines.push(`because: ${headline(cause)}`)
    cause = cause.cause
  }
  return lines
}

/** A `CoterieError` says its code itself; of other errors with a code, code and message; of a bug, the stack. */
function headline(error: Error): string {
  if (error instanceof CoterieError) return error.message
  const code = (error as { code?: unknown }).code
  if (typeof code === 'string') return error.message.startsWith(code) ? error.message : `${code}: ${error.message}`
  return error.stack ?? error.message
}
