/**
 * Callers whose keys tell what must be there: each writes numbers that only grow, one after the other, to keys of its own; some deletes
 * are among them, and batches. What is known to be written is kept, so that any store can be compared with it.
 */

import type { KeyValueStore } from '../../src/index.js'
import { outcomeOf, textOf } from '../support/cluster.js'

const KEYS = 40
/** Numbers after an acknowledged one that a caller which died may have written untold, on the same key. */
const UNTOLD = 3

/** The newest acknowledged number of each key of each caller. */
export class Acknowledged {
  readonly #newest = new Map<string, number>()
  /** Where callers have begun again. */
  readonly #begun: number[] = []
  count = 0

  add(caller: string, number: number): void {
    this.#newest.set(keyOf(caller, number), number)
    this.count += 1
  }

  has(caller: string): boolean {
    return [...this.#newest.keys()].some((key) => key.startsWith(`${caller}:`))
  }

  /** Where a caller may go on who died: above everything that it can have written. */
  next(): number {
    const highest = Math.max(0, ...this.#newest.values())
    const next = (Math.ceil((highest + 1) / KEYS) + UNTOLD + 1) * KEYS
    this.#begun.push(next)
    return next
  }

  /** What may have been written to the same key since, in each life. */
  #possible(newest: number): number[] {
    const first = this.#begun.map((begun) => begun + (newest % KEYS)).filter((number) => number > newest)
    return [newest, ...first].flatMap((number) =>
      Array.from({ length: 1 + UNTOLD }, (_, times) => number + times * KEYS),
    )
  }

  get keys(): string[] {
    return [...this.#newest.keys()]
  }

  /** `slack`: writes that were not acknowledged may have taken effect. */
  async wrongIn(store: Pick<KeyValueStore, 'getMany'>, slack: 'none' | 'untold' = 'none'): Promise<string[]> {
    const values = await store.getMany(this.keys)
    return this.wrongAmong(
      values.map((value) => textOf(value) ?? null),
      slack,
    )
  }

  /** `states`: of each of the keys, or what is shown of it. */
  wrongAmong<Shown>(
    states: readonly Shown[],
    slack: 'none' | 'untold',
    shown: (state: string | null) => Shown = (state) => state as Shown,
  ): string[] {
    return this.keys.flatMap((key, index) => {
      const newest = this.#newest.get(key) as number
      const found = states[index] as Shown
      const allowed = (slack === 'none' ? [newest] : this.#possible(newest)).map((number) => shown(stateOf(number)))
      return allowed.includes(found) ? [] : [`${key}: ${found}, not ${allowed.join(' or ')}`]
    })
  }
}

export interface Calling {
  readonly caller: string
  readonly from?: number
  readonly isOver: () => boolean
  readonly onDone: (caller: string, number: number) => void
  readonly onFailed: (outcome: string) => void
}

/** One caller, until it is over. */
export async function call(
  store: Pick<KeyValueStore, 'put' | 'delete' | 'batch'>,
  { caller, from = 0, isOver, onDone, onFailed }: Calling,
): Promise<void> {
  for (let number = from; !isOver(); number++) {
    const outcome = await outcomeOf(write(store, caller, number))
    if (outcome === 'ok') onDone(caller, number)
    else onFailed(outcome)
    if (outcome === 'CLOSED') return
  }
}

function write(store: Pick<KeyValueStore, 'put' | 'delete' | 'batch'>, caller: string, number: number): Promise<void> {
  const key = keyOf(caller, number)
  const value = stateOf(number)
  if (value === null) return store.delete(key)
  if (number % 3 !== 0) return store.put(key, value)
  const twin = { type: 'put', key: `twin of ${caller}`, value } as const
  return store.batch([{ type: 'put', key, value }, twin], { logged: number % 2 === 0 })
}

function keyOf(caller: string, number: number): string {
  return `${caller}:${number % KEYS}`
}

/** Null: deleted. */
function stateOf(number: number): string | null {
  return number % 7 === 5 ? null : String(number)
}
