/**
 * One key's operations in the form the checker searches: values as small numbers, steps in the order of their invocation,
 * writes of unknown outcome apart. Decides what can be left out before the search; called by the checker only.
 */

import type { Operation } from './operation.js'

/** An operation that took effect between its invocation and its return. */
export interface Step {
  readonly isRead: boolean
  /** Id of the value that it wrote or saw. */
  readonly value: number
  readonly invokedAt: number
  readonly returnedAt: number
  readonly operation: Operation
}

/** A key's history, prepared. */
export interface KeyHistory {
  /** By `invokedAt`, ascending. */
  readonly steps: readonly Step[]
  /** Indices of the steps that saw each value, ascending. */
  readonly readsOf: ReadonlyMap<number, readonly number[]>
  /** Indices of the steps that wrote each value, ascending. */
  readonly writesOf: ReadonlyMap<number, readonly number[]>
  /** Invocation times of the writes of unknown outcome of each value, ascending. */
  readonly unknownOf: ReadonlyMap<number, readonly number[]>
  /** How many those are. */
  readonly unknown: number
  /** Id of the value before the first operation. */
  readonly initial: number
  /** What each id stands for; undefined: no value. */
  readonly values: readonly (string | undefined)[]
}

/** Left out: failed operations, which took no effect, and gets without an answer, which say nothing. */
export function prepareKey(operations: readonly Operation[], initialValue: string | undefined): KeyHistory {
  const ids = new Map<string | undefined, number>()
  const idOf = (value: string | undefined): number => {
    const known = ids.get(value)
    if (known !== undefined) return known
    ids.set(value, ids.size)
    return ids.size - 1
  }
  const initial = idOf(initialValue)
  const steps: Step[] = []
  const unknownOf = new Map<number, number[]>()
  let unknown = 0
  for (const operation of [...operations].sort((a, b) => a.invokedAt - b.invokedAt)) {
    const { kind, invokedAt, returnedAt } = operation
    const isRead = kind === 'get'
    if (operation.failed === true || (isRead && returnedAt === Number.POSITIVE_INFINITY)) continue
    const value = idOf(isRead ? operation.result : kind === 'put' ? operation.value : undefined)
    if (returnedAt !== Number.POSITIVE_INFINITY) {
      steps.push({ isRead, value, invokedAt, returnedAt, operation })
    } else {
      unknown += 1
      append(unknownOf, value, invokedAt)
    }
  }
  const readsOf = new Map<number, number[]>()
  const writesOf = new Map<number, number[]>()
  for (const [index, step] of steps.entries()) append(step.isRead ? readsOf : writesOf, step.value, index)
  return { steps, readsOf, writesOf, unknownOf, unknown, initial, values: [...ids.keys()] }
}

/** How many of the ascending numbers are at least `floor`. */
export function countFrom(ascending: readonly number[] | undefined, floor: number): number {
  if (ascending === undefined) return 0
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((ascending[middle] as number) < floor) low = middle + 1
    else high = middle
  }
  return ascending.length - low
}

function append(map: Map<number, number[]>, key: number, item: number): void {
  const items = map.get(key)
  if (items === undefined) map.set(key, [item])
  else items.push(item)
}
