/**
 * Keys of which one thread does not know that the target has what is here. It sees to them in the background, for as long as it takes,
 * or until the migration is stopped. While it is this side that cannot be read, nobody says that the target is wanting. Called by the
 * mirror.
 */

import { setTimeout as delay } from 'node:timers/promises'
import type { Key } from '../protocol/ids.js'
import { CoterieError } from '../shared/errors.js'
import type { KeyHere, SideBySide } from './side-by-side.js'

const AT_ONCE = 64
/** Of one, besides the key. */
const OWED_BYTES = 100
const PAUSE_MS = 20
const PAUSE_MS_MAX = 1_000

export class OwedKeys {
  readonly #onChange: (keys: number) => void
  /** And how often each has become owed. Bounded by the mirror, which refuses writes once they are too many. */
  readonly #keys = new Map<Key, number>()
  #bytes = 0
  /** Some owner here did not answer the last time. */
  #isHeldUpHere = false
  #sides: SideBySide | undefined
  #isBusy = false

  /** `onChange`: keys that are owed for want of the target. */
  constructor(onChange: (keys: number) => void) {
    this.#onChange = onChange
  }

  get size(): number {
    return this.#keys.size
  }

  /** Of all of them. */
  get bytes(): number {
    return this.#bytes
  }

  start(sides: SideBySide): void {
    this.#sides = sides
  }

  stop(): void {
    this.#sides = undefined
    this.#keys.clear()
    this.#bytes = 0
    this.#isHeldUpHere = false
    this.#tell()
  }

  add(keys: readonly Key[]): void {
    for (const key of keys) {
      const times = this.#keys.get(key) ?? 0
      if (times === 0) this.#bytes += bytesOf(key)
      this.#keys.set(key, times + 1)
    }
    this.#tell()
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
    for (const [key, times] of some) {
      if (this.#keys.get(key) !== times) continue
      this.#keys.delete(key)
      this.#bytes -= bytesOf(key)
    }
    this.#tell()
  }

  async #equalize(sides: SideBySide, keys: readonly Key[]): Promise<boolean> {
    let here: KeyHere[] | undefined
    try {
      here = await sides.readHere(keys)
      this.#isHeldUpHere = false
      await sides.equalize(here)
      return true
    } catch (error) {
      if (!(error instanceof CoterieError)) throw error
      this.#isHeldUpHere = here === undefined
      this.#tell()
      return false
    }
  }

  #tell(): void {
    this.#onChange(this.#isHeldUpHere ? 0 : this.#keys.size)
  }
}

/** One char is one byte of a key. */
function bytesOf(key: Key): number {
  return key.length + OWED_BYTES
}
