/** What the parts of `npm run soak` have in common that measure what one fault costs. Called by `soak.ts`. */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { checkLinearizability, describeViolation } from '../../../src/sim/checkers/linearizability.js'
import { operationsByKey } from '../history.js'
import type { WorkloadReport } from '../workload.js'

export interface PartOptions {
  readonly location: string
  readonly seconds: number
  readonly seed: number
}

export interface PartReport {
  /** Lines for a person. */
  readonly figures: readonly string[]
  /** What did not hold. */
  readonly broken: readonly string[]
}

const MEBIBYTE = 1_048_576

/** What this process holds, in MiB: resident, and on the heap (buffers included) once garbage has been collected. */
export function memoryMb(): { readonly rss: number; readonly held: number } {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let round = 0; round < 3; round++) collect()
  const { rss, heapUsed, external } = process.memoryUsage()
  return { rss: rss / MEBIBYTE, held: (heapUsed + external) / MEBIBYTE }
}

/** What callers saw that must not be. */
export function brokenOf({ failures, history }: WorkloadReport): string[] {
  const { violations } = checkLinearizability([...operationsByKey([history])].flat())
  const first = failures[0]
  return [
    ...(first === undefined ? [] : [`${failures.length} requests failed, first: ${first.code} ${first.message}`]),
    ...violations.slice(0, 3).map(describeViolation),
  ]
}
