/** A worker's share of a simulation: runs some seeds. A task of the pool; plain data in, plain data out. */

import { type PlanOptions, planOf } from './plan.js'
import { type RunReport, runPlan } from './run.js'

export interface SimTask {
  readonly seeds: readonly number[]
  readonly options: PlanOptions
}

export function runSeeds({ seeds, options }: SimTask): RunReport[] {
  return seeds.map((seed) => runPlan(planOf(seed, options)))
}
