/** The simulator, as its users see it. No logic. */

export { CHECKER_NAMES, type Finder } from './checkers/checker.js'
export { describeInjected } from './injector.js'
export { type Plan, planOf } from './plan.js'
export { type RunReport, runPlan } from './run.js'
export { shrink } from './shrink.js'
export { Trace } from './trace.js'
