/**
 * What the migration tells all threads (`shared/migration-order.ts`): the opener's own and those that have connected. Each is given the whole
 * of it; it is carried out once all have.
 *
 * Called by the migration.
 */

import { setTimeout as delay } from 'node:timers/promises'
import { type MigrationOrder, NO_MIGRATION } from '../shared/migration-order.js'

/** Writes are held for no longer than this; then they are let go, and it is tried again later. */
const HOLD_MS = 500
const HOLD_AGAIN_MS = 100
const HOLD_AGAIN_MS_MAX = 10_000
const LOOK_MS = 5
/** A thread that is busy is not waited for when its writes are to go to this cluster alone again: it is never wrong later. */
const BUSY_MS = 2_000

/** The threads that have connected. */
export interface MigrationGuests {
  /** Resolves once all have carried it out that are there; false: a newer one came first. Errors: of the first that cannot. */
  order(order: MigrationOrder): Promise<boolean>
  /** Nobody waits for those that have not carried it out. */
  endOrders(): void
  /** Keys that they owe the target. */
  readonly owed: number
  /** Writes of theirs, and of those that were, of which this cluster may get more after the target has been compared. Grows. */
  readonly doubts: number
}

interface OrdersOptions {
  readonly seat: { carryOut(order: MigrationOrder): Promise<boolean> }
  readonly guests: MigrationGuests
  /** Throws once whatever waits is to end. */
  readonly check: () => void
}

export class Orders {
  readonly #options: OrdersOptions
  #order: MigrationOrder = NO_MIGRATION

  constructor(options: OrdersOptions) {
    this.#options = options
  }

  get mode(): MigrationOrder['mode'] {
    return this.#order.mode
  }

  /** The cluster has moved, and nothing waits any more. */
  get isThere(): boolean {
    return this.#order.mode === 'target' && !this.#order.holdsWrites
  }

  /** False: a newer one came first. Errors: those of opening the target. */
  async give(change: Partial<Omit<MigrationOrder, 'version'>>): Promise<boolean> {
    this.#order = { ...this.#order, ...change, version: this.#order.version + 1 }
    return this.#carryOut(this.#order)
  }

  /** Back to this cluster alone. */
  async stayHere({ keepsTarget }: { readonly keepsTarget: boolean }): Promise<void> {
    const { target, version } = this.#order
    const kept = keepsTarget && target !== undefined ? { target } : {}
    this.#order = { version: version + 1, mode: 'local', holdsWrites: false, ...kept }
    await within(BUSY_MS, this.#carryOut(this.#order))
  }

  /**
   * Writes wait in every thread, and none is under way. Gives since when. They are let go if that takes long, and it is tried again.
   * Errors: those of `check`; writes may be held then.
   */
  async hold(isThrough: () => boolean): Promise<number> {
    for (let againMs = HOLD_AGAIN_MS; ; againMs = Math.min(HOLD_AGAIN_MS_MAX, 2 * againMs)) {
      await this.#until(isThrough, Number.POSITIVE_INFINITY)
      const heldAtMs = performance.now()
      const isHeld = await within(HOLD_MS, this.give({ holdsWrites: true }))
      if (isHeld && (await this.#until(isThrough, heldAtMs + HOLD_MS))) return heldAtMs
      // A thread that is busy lets its own go when it can; the others go on.
      await within(BUSY_MS, this.give({ holdsWrites: false }))
      await this.#until(() => false, performance.now() + againMs)
    }
  }

  /** What ended may have ended while they were held. */
  async letGo(): Promise<void> {
    if (this.#order.holdsWrites) await within(BUSY_MS, this.give({ holdsWrites: false }))
  }

  async #until(condition: () => boolean, endMs: number): Promise<boolean> {
    for (;;) {
      this.#options.check()
      if (condition()) return true
      if (performance.now() > endMs) return false
      await delay(LOOK_MS)
    }
  }

  async #carryOut(order: MigrationOrder): Promise<boolean> {
    const { seat, guests } = this.#options
    const all = await Promise.allSettled([seat.carryOut(order), guests.order(order)])
    for (const one of all) if (one.status === 'rejected') throw one.reason
    return all.every((one) => one.status === 'fulfilled' && one.value)
  }
}

/** False once the time is over; the order stands all the same. */
async function within(ms: number, order: Promise<boolean>): Promise<boolean> {
  const late = new AbortController()
  try {
    return await Promise.race([order, delay(ms, false, { signal: late.signal })])
  } finally {
    late.abort()
  }
}
