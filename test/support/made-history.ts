/**
 * Histories made by chance for the checker's own tests: callers on an ideal register, every operation with a known point
 * at which it takes effect, so that the history is linearizable by construction. The mutants are made from these.
 */

import { Prng } from '../../src/protocol/prng.js'
import type { Operation } from '../../src/sim/checkers/operation.js'

/** What to make. */
export interface MadeHistoryOptions {
  readonly key: string
  readonly seed: number
  readonly operations: number
  readonly callers: number
  /** Share of the writes whose outcome stays unknown; half of those take effect. */
  readonly unknownShare?: number
  /** Values to choose from; 0: every put has its own. */
  readonly distinctValues?: number
}

/** A made operation also knows when it took effect; undefined: never. */
export interface MadeOperation extends Operation {
  readonly effectAt: number | undefined
}

/** Operations in the order in which they were invoked. */
export function makeHistory(options: MadeHistoryOptions): MadeOperation[] {
  const planned = planOperations(options)
  const results = new Map<MadeOperation, string | undefined>()
  let value: string | undefined
  const effective = planned.filter((operation) => operation.effectAt !== undefined)
  for (const operation of effective.sort((a, b) => (a.effectAt as number) - (b.effectAt as number))) {
    if (operation.kind === 'get') results.set(operation, value)
    else value = operation.value
  }
  return planned.map((operation) =>
    operation.kind === 'get' ? { ...operation, result: results.get(operation) } : operation,
  )
}

function planOperations({ key, seed, operations, callers, ...rest }: MadeHistoryOptions): MadeOperation[] {
  const prng = new Prng(seed)
  const freeAt = Array.from({ length: callers }, () => prng.next())
  const planned: MadeOperation[] = []
  for (let index = 0; index < operations; index++) {
    const caller = prng.below(callers)
    const invokedAt = (freeAt[caller] as number) + prng.next() * 0.1
    const returnedAt = invokedAt + 0.05 + prng.next()
    freeAt[caller] = returnedAt
    const kind = prng.pick(['get', 'get', 'put', 'put', 'delete'] as const) as Operation['kind']
    const value = kind === 'put' ? `v${rest.distinctValues ? prng.below(rest.distinctValues) : index}` : undefined
    const effectAt = invokedAt + prng.next() * (returnedAt - invokedAt)
    if (kind !== 'get' && prng.next() < (rest.unknownShare ?? 0)) {
      const late = prng.next() < 0.5 ? invokedAt + prng.next() * 5 : undefined
      planned.push({ key, kind, value, invokedAt, returnedAt: Number.POSITIVE_INFINITY, effectAt: late })
    } else {
      planned.push({ key, kind, value, invokedAt, returnedAt, effectAt })
    }
  }
  return planned.sort((a, b) => a.invokedAt - b.invokedAt)
}
