/** An error as lines for people: what happened, what to do about it, what was underneath. */

import { CoterieError, type CoterieErrorCode, ERROR_TABLE } from '../shared/errors.js'
import type { LockHolder } from '../storage/lock-holder.js'
import { ExitError } from './exit-codes.js'

/** What the table cannot know: what it means for somebody at a shell. */
const AT_THE_SHELL: Partial<Record<CoterieErrorCode, string>> = {
  LOCATION_MISMATCH:
    'Leave --partitions, --n and --conflict out to open it as it was created, or name another --location.',
  FAULTS_DISABLED: 'Start with --faults.',
  UNKNOWN_NODE: '`coterie status` lists the nodes.',
  TOO_FEW_NODES: 'Let others join first: `coterie join`. `coterie plan` shows what a change would do.',
  BACKUP_NOT_EMPTY: 'Name a folder that is new or empty.',
  CLOSED: 'Try again: a cluster that closes is soon gone, and `coterie start` opens it again.',
}

const CAUSES_MAX = 4

export function errorLines(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)]
  if (error instanceof ExitError) return [error.message]
  const lines = [headline(error)]
  if (error instanceof CoterieError) {
    const advice = adviceFor(error)
    if (!error.message.includes(advice)) lines.push(advice)
    // What LevelDB says of a lock that somebody is known to hold is no news.
    if (error.facts['holder'] !== undefined) return lines
  }
  let cause = error.cause
  for (let depth = 0; cause instanceof Error && depth < CAUSES_MAX; depth++) {
    lines.push(`because: ${headline(cause)}`)
    cause = cause.cause
  }
  return lines
}

function adviceFor({ code, facts }: CoterieError): string {
  if (code !== 'LOCATION_LOCKED') return AT_THE_SHELL[code] ?? ERROR_TABLE[code]
  const { pid, command } = (facts['holder'] ?? {}) as Partial<LockHolder>
  if (command === 'coterie start')
    return `It listens for commands (coterie status, get, join, …); \`kill ${pid}\` closes it. --location names another folder.`
  return 'Commands reach what `coterie start` runs; this does not listen for them. Close it there, or name another folder with --location.'
}

/** A `CoterieError` says its code itself; of other errors with a code, code and message; of a bug, the stack. */
function headline(error: Error): string {
  if (error instanceof CoterieError) return error.message
  const code = (error as { code?: unknown }).code
  if (typeof code === 'string') return error.message.startsWith(code) ? error.message : `${code}: ${error.message}`
  return error.stack ?? error.message
}
