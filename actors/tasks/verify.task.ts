/**
 * Pool tasks: verify the files of a store before its node opens it, or a slice of its tables while it is open. Synchronous
 * reading and computing, no state; called through `actors/pool.ts` only.
 */
import { type ScrubReport, type ScrubSlice, scrubStoreTables } from '../../src/storage/scrub-store.js'
import { type VerifyOptions, type VerifyReport, verifyStoreFiles } from '../../src/storage/verify-store.js'

/** What the pool sends to the thread, and what the thread reports, by the task's name. */
export interface Tasks {
  readonly verifyStore: { readonly task: VerifyTask; readonly report: VerifyReport }
  readonly scrubTables: { readonly task: ScrubTask; readonly report: ScrubReport }
}

export interface VerifyTask {
  readonly folder: string
  readonly options: VerifyOptions
}

export interface ScrubTask {
  readonly folder: string
  readonly slice: ScrubSlice
}

/** What comes back. A failure is a value, because an error loses its `code` on the way between threads. */
export type Outcome<Report> =
  | { readonly report: Report }
  | { readonly failure: { readonly code: string; readonly detail: string } }

/** While nobody has the store open. Errors: none for the system's errors, they are the outcome; else it is a bug. */
export function verifyStore({ folder, options }: VerifyTask): Outcome<VerifyReport> {
  return outcomeOf(() => verifyStoreFiles(folder, options))
}

/** While its node has the store open. Errors: as `verifyStore`. */
export function scrubTables({ folder, slice }: ScrubTask): Outcome<ScrubReport> {
  return outcomeOf(() => scrubStoreTables(folder, slice))
}

function outcomeOf<Report>(work: () => Report): Outcome<Report> {
  try {
    return { report: work() }
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') throw error
    return { failure: { code: error.code, detail: error.message } }
  }
}
