/**
 * Pool task: verifies the files of a store before its node opens it. Synchronous reading and computing, no state; called
 * through `actors/pool.ts` only, while nobody has the store open.
 */
import { type VerifyOptions, type VerifyReport, verifyStoreFiles } from '../../src/storage/verify-store.js'

/** What the pool sends to the thread. */
export interface VerifyTask {
  readonly folder: string
  readonly options: VerifyOptions
}

/** What comes back. A failure is a value, because an error loses its `code` on the way between threads. */
export type VerifyOutcome =
  | { readonly report: VerifyReport }
  | { readonly failure: { readonly code: string; readonly detail: string } }

/** Errors: none for the system's errors, they are the outcome; anything else is a bug and rejects the call. */
export function verifyStore({ folder, options }: VerifyTask): VerifyOutcome {
  try {
    return { report: verifyStoreFiles(folder, options) }
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') throw error
    return { failure: { code: error.code, detail: error.message } }
  }
}
