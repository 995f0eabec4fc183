/**
 * Makes a failing run smaller while it still fails by the same checker: fewer faults, calls, nodes, clients. Greedy, as delta
 * debugging (Zeller & Hildebrandt 2002): halves first, then ever smaller pieces.
 */

import type { Plan } from './plan.js'
import { runPlan } from './run.js'

/** Runs that shrinking may take. */
const RUNS_MAX = 300

export interface Shrunk {
  readonly plan: Plan
  readonly runs: number
}

/** Shape: `plan` fails by `checker`. The result does, too. */
export function shrink(plan: Plan, checker: string): Shrunk {
  let runs = 0
  let best = plan
  const fails = (candidate: Plan): boolean => {
    if (runs >= RUNS_MAX) return false
    runs += 1
    return runPlan(candidate).violations.some((violation) => violation.checker === checker)
  }
  const tryTo = (change: (plan: Plan) => Plan | undefined): boolean => {
    const candidate = change(best)
    if (candidate === undefined || !fails(candidate)) return false
    best = candidate
    return true
  }
  for (let size = Math.ceil(best.faults.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let from = 0; from < best.faults.length; ) {
      const without = (now: Plan): Plan => ({
        ...now,
        faults: now.faults.filter((_, place) => place < from || place >= from + size),
      })
      if (!tryTo(without)) from += size
    }
  }
  while (tryTo((now) => (now.operations > 8 ? { ...now, operations: Math.floor(now.operations / 2) } : undefined)));
  while (tryTo((now) => (now.operations > 8 ? { ...now, operations: Math.floor(now.operations * 0.8) } : undefined)));
  tryTo((now) => (now.logs ? { ...now, logs: false } : undefined))
  while (tryTo((now) => (now.clients > 1 ? { ...now, clients: now.clients - 1 } : undefined)));
  while (tryTo((now) => (now.gateways > 1 ? { ...now, gateways: now.gateways - 1 } : undefined)));
  while (
    tryTo((now) =>
      now.nodes > (now.quorums.n === 'all' ? 3 : now.quorums.n) ? { ...now, nodes: now.nodes - 1 } : undefined,
    )
  );
  return { plan: best, runs }
}
