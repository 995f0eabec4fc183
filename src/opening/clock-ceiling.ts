/** Keeps the ceiling of the clock on the disk ahead of the stamps that are given out: these never go beyond it. Called by `open-cluster.ts`. */

import type { StampClock } from '../../actors/runtime/clock.js'
import type { ClusterFolder } from '../storage/cluster-folder.js'

const LOOK_MS = 1_000

export class ClockCeiling {
  readonly #clock: StampClock
  readonly #folder: ClusterFolder
  readonly #onUnwritten: (error: Error) => void
  #timer: NodeJS.Timeout | undefined
  #written: Promise<void> | undefined

  constructor(options: { clock: StampClock; folder: ClusterFolder; onUnwritten: (error: Error) => void }) {
    this.#clock = options.clock
    this.#folder = options.folder
    this.#onUnwritten = options.onUnwritten
  }

  /** The last ceiling is on the disk, or `onUnwritten` was told why not. */
  get written(): Promise<void> | undefined {
    return this.#written
  }

  /** Resolves once stamps may be given out. */
  async start(): Promise<void> {
    await this.#renew()
    this.#timer = setInterval(() => void this.#renew(), LOOK_MS)
  }

  stop(): void {
    if (this.#timer !== undefined) clearInterval(this.#timer)
  }

  #renew(): Promise<void> {
    const ceilingNs = this.#clock.ceilingDueNs()
    if (ceilingNs === undefined) return Promise.resolve()
    this.#written = this.#folder.writeClock(ceilingNs).then(
      () => this.#clock.raiseCeiling(ceilingNs),
      (error: Error) => this.#onUnwritten(error),
    )
    return this.#written
  }
}
