/**
 * Numbers that a thread publishes in shared memory, so that others read them without waking it: status, `settled`, and
 * the supervisor's watch for threads whose loop stands still.
 */

/** Cells of one node; each is a double. */
export const GAUGES = [
  /** Turns of the loop; stands still when the thread does. */
  'loops',
  'mailbox',
  'keys',
  'hints',
  /** Of those, hints for nodes that may come back. */
  'hintsDue',
  'epoch',
  'filling',
  'purging',
  'exchanging',
  'lingering',
  'viewDigest',
  'converged',
  'deadLetters',
  // What faults have done in this life: see `link-faults.ts` and `slow-disk.ts`.
  'faultsDropped',
  'faultsDelayed',
  'faultsDuplicated',
  'faultsReordered',
  'faultsSlowed',
  /** Of a gateway, 1: see `Gateway.hasLateBatches`. */
  'lateBatches',
  /** Of a gateway: keys that a migration's target may lack, see `src/migration/mirror.ts`. */
  'owed',
  /** Of a gateway: writes so far to both whose outcome is unknown. */
  'doubts',
  // See `pulse.ts`.
  'pulseDueAtMs',
  'loopLagMs',
  'memoryBytes',
  /** 1: its store takes no writes because the disk is full. */
  'storeFull',
] as const
export type GaugeName = (typeof GAUGES)[number]

export class Gauges {
  readonly #cells: Float64Array

  constructor(readonly shared: SharedArrayBuffer = new SharedArrayBuffer(GAUGES.length * 8)) {
    this.#cells = new Float64Array(shared)
  }

  get(name: GaugeName): number {
    return this.#cells[GAUGES.indexOf(name)] ?? 0
  }

  set(name: GaugeName, value: number): void {
    this.#cells[GAUGES.indexOf(name)] = value
  }

  add(name: GaugeName, by: number): void {
    this.set(name, this.get(name) + by)
  }

  /** A new life begins. */
  reset(): void {
    this.#cells.fill(0)
  }
}
