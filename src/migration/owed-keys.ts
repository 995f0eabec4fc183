/**
 * Keys of which one thread does not know that the target has what is here. It sees to them in the background, for as long as it takes,
 * or until the migration is stopped. Called by the mirror.
 */

import { setTimeout as delay } from 'node:timers/promises'
import type { Key } from '../protocol/ids.js'
import { CoterieError } from '../shared/errors.js'
import type { SideBySide } from './side-by-side.js'

const AT_ONCE = 64
const PAUSE_MS = 20
const PAUSE_MS_MAX = 1_000

export class OwedKeys {
  readonly #onChange: (keys: number) => void
  /**
   * And how often each has become owed. Bounded by the writes that can fail until the migration pauses: requests in flight, each for
   * as long as its deadline.
   */
  readonly #keys = new Map<Key, number>()
  #sides: SideBySide | undefined
  #isBusy = false

  constructor(onChange: (keys: number) => void) {
    this.#onChange = onChange
  }

  get size(): number {
    return this.#keys.size
  }

  start(sides: SideBySide): void {
    this.#sides = sides
  }

  stop(): void {
    this.#sides = undefined
    this.#keys.clear()
    this.#onChange(0)
  }

  add(keys: readonly Key[]): void {
    for (const key of keys) this.#keys.set(key, (this.#keys.get(key) ?? 0) + 1)
    this.#onChange(this.#keys.size)
    if (!this.#isBusy) void this.#run()
  }

  async #run(): Promise<void> {
    this.#isBusy = true
    let pauseMs = PAUSE_MS
    while (this.#sides !== undefined && this.#keys.size > 0) {
      const some = [...this.#keys].slice(0, AT_ONCE)
      const isDone = await this.#equalize(
        this.#sides,
        some.map(([key]) => key),
      )
      if (isDone) this.#seenTo(some)
      pauseMs = isDone ? PAUSE_MS : Math.min(PAUSE_MS_MAX, pauseMs * 2)
      if (!isDone) await delay(pauseMs, undefined, { ref: false })
    }
    this.#isBusy = false
  }

  /** One that has become owed again meanwhile stays. */
  #seenTo(some: readonly (readonly [Key, number])[]): void {
    for (const [key, times] of some) if (this.#keys.get(key) === times) this.#keys.delete(key)
    this.#onChange(this.#keys.size)
  }

  async #equalize(sides: SideBySide, keys: readonly Key[]): Promise<boolean> {
    try {
      await sides.equalize(keys)
      return true
    } catch (error) {
      if (!(error instanceof CoterieError)) throw error
      return false
    }
  }
}
