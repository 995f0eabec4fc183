/** A shortage of means: the process or the system has no more files to open. It is nobody's failure, and may pass. */

const CODES: ReadonlySet<unknown> = new Set(['EMFILE', 'ENFILE'])
/** LevelDB, and a thread that cannot load its modules, have only a text to say it with. */
const TEXT = /\b(EMFILE|ENFILE)\b|too many open files/i

/** Does the error, or one that caused it, tell of such a shortage? */
export function isShortage(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && CODES.has(cause.code)) return true
    if (TEXT.test(cause.message)) return true
  }
  return false
}

/** What the system allows, for the end of a message; empty where it says nothing (Windows). */
export function openFilesLimit(): string {
  const report = process.report?.getReport() as { userLimits?: { open_files?: { soft?: number | string } } } | undefined
  const soft = report?.userLimits?.open_files?.soft
  return soft === undefined ? '' : `; this process may have ${soft} files open (ulimit -n)`
}
