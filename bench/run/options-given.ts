/** The options of a bench as the command line gives them; see `../main.ts`. */

import { argument, flag } from '../harness.js'
import type { BenchOptions } from './run-bench.js'

/** What is not said is as in a run of everything; `--quick` makes it small. */
export function optionsGiven(): BenchOptions {
  const quick = flag('quick')
  const number = (name: string, byDefault: number, whenQuick: number) =>
    Number(argument(name) ?? (quick ? whenQuick : byDefault))
  const only = (argument('only') ?? '').split(',').filter((name) => name !== '')
  const prefixes = only.map((name) => name.split('/'))
  // An interrupted run must leave no process behind: those of peers are ended when this one exits.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  return {
    quick,
    records: number('records', 200_000, 5_000),
    large: flag('large'),
    rounds: {
      rounds: number('rounds', 5, 2),
      roundMs: number('round-ms', 400, 50),
      warmUpRounds: number('warm-up-rounds', 2, 1),
    },
    groupPrefixes: prefixes.map(([group = '']) => group),
    workloadPrefixes: prefixes.flatMap(([, workload]) => workload ?? []),
    remake: flag('remake'),
    check: flag('check'),
  }
}
