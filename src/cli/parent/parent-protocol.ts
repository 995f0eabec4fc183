/** What `coterie start` and its parent say to each other. */

/** In the child's environment: how the process before it died, `SIGNAL:PID`. */
export const DEATH_VARIABLE = 'COTERIE_DIED'

/** A process ends itself by these, in native code; by others it is ended. */
export const NATIVE_SIGNALS: readonly string[] = ['SIGABRT', 'SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP']

/** The cluster is open; it was asked to close, and how that ends is no reason to start again. */
export type FromChild = 'open' | 'closing'

/** The parent was sent this signal. */
export interface ToChild {
  readonly stop: NodeJS.Signals
}
