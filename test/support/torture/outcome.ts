/** What a part of the torture says: figures for a person, and what did not hold. */

export interface Outcome {
  readonly part: string
  readonly figures: string
  /** Empty: everything held. */
  readonly broken: readonly string[]
  /** Why it could not be run here; then nothing is known. */
  readonly notRun?: string
}

/** How hard to try. */
export interface Effort {
  /** A folder of its own; everything is below it. */
  readonly folder: string
  readonly seed: number
  /** How often: cycles, cases. */
  readonly count: number
  /** Nodes of its clusters. */
  readonly nodes: number
}

/** One line. */
export function describeOutcome(outcome: Outcome): string {
  if (outcome.notRun !== undefined) return `NOT RUN ${outcome.part}: ${outcome.notRun}`
  return `${outcome.broken.length === 0 ? 'held' : 'BROKEN'} ${outcome.part}: ${outcome.figures}`
}

/** The first few of what may be many. */
export function firstOf(broken: readonly string[]): string[] {
  const rest = broken.length - 10
  return rest > 0 ? [...broken.slice(0, 10), `… and ${rest} more`] : [...broken]
}
