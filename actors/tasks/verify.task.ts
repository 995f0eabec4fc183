/**
 * Pool tasks: verify the files of a store before its node opens it, or a slice of its tables while it is open. Synchronous
 * reading and computing, no state; called through `actors/pool.ts` only.
 *
 * It is also the door to `backup.task.ts`, which is loaded when it is called: it brings LevelDB along, and one file for all
 * tasks is one entry less for those who bundle.
 */
import type { RestoreReport } from '../../src/storage/restore-stores.js'
import { type ScrubReport, type ScrubSlice, scrubStoreTables } from '../../src/storage/scrub-store.js'
import { type VerifyOptions, type VerifyReport, verifyStoreFiles } from '../../src/storage/verify-store.js'
import type { StoresVerified } from '../../src/storage/verify-stores.js'
import type { BackupReport, BackupTask, RestoreTask, VerifyStoresTask } from './backup.task.js'

/** What the pool sends to the thread, and what the thread reports, by the task's name. */
export interface Tasks {
  readonly verifyStore: { readonly task: VerifyTask; readonly report: VerifyReport }
  readonly scrubTables: { readonly task: ScrubTask; readonly report: ScrubReport }
  readonly writeBackup: { readonly task: BackupTask; readonly report: BackupReport }
  readonly restoreBackup: { readonly task: RestoreTask; readonly report: RestoreReport }
  readonly verifyStores: { readonly task: VerifyStoresTask; readonly report: StoresVerified }
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

/** Errors: as `verifyStore`. */
export function writeBackup(task: BackupTask): Promise<Outcome<BackupReport>> {
  return laterOutcomeOf(async () => (await import('./backup.task.js')).writeDatabase(task))
}

/** Errors: as `verifyStore`. */
export function restoreBackup(task: RestoreTask): Promise<Outcome<RestoreReport>> {
  return laterOutcomeOf(async () => (await import('./backup.task.js')).restore(task))
}

/** While nobody has the stores open. Errors: as `verifyStore`. */
export function verifyStores(task: VerifyStoresTask): Promise<Outcome<StoresVerified>> {
  return laterOutcomeOf(async () => (await import('./backup.task.js')).verify(task))
}

function outcomeOf<Report>(work: () => Report): Outcome<Report> {
  try {
    return { report: work() }
  } catch (error) {
    return failureOf(error)
  }
}

async function laterOutcomeOf<Report>(work: () => Promise<Report>): Promise<Outcome<Report>> {
  try {
    return { report: await work() }
  } catch (error) {
    return failureOf(error)
  }
}

/** Errors: what has no code is a bug. */
function failureOf(error: unknown): { readonly failure: { readonly code: string; readonly detail: string } } {
  if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') throw error
  return { failure: { code: error.code, detail: error.message } }
}
