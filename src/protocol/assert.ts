/**
 * Assertions stay on in production: a broken invariant is a programmer's error, the actor crashes with its facts and
 * the supervisor restarts it. Expected trouble (a missed quorum, a full queue) is never an assertion but a value.
 */

/** A broken invariant. `facts` is what a person needs to see in order to find out why. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError'
  constructor(
    message: string,
    readonly facts: Readonly<Record<string, unknown>> = {},
  ) {
    super(`${message} ${JSON.stringify(facts)}`)
  }
}

/** Throws `InvariantError` unless the condition holds. `message` says why this cannot be. */
export function assert(
  condition: unknown,
  message: string,
  facts?: Readonly<Record<string, unknown>>,
): asserts condition {
  if (!condition) throw new InvariantError(message, facts)
}
