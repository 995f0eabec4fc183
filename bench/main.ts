/**
 * `npm run bench`: Coterie through its public door, its peers beside it in the same run, and the goals. `-- --list` names the groups.
 *
 * --only GROUP[/WORKLOAD][,…]  groups, and of these workloads, whose names begin like this
 * --quick                      small and short: shows that it works, measures little
 * --remake                     keeps figures and ratios in bench/results, and remakes its pages and plots
 * --check                      compares the ratios with those kept; worse ones are a failure
 * --large                      ten million records too, where sizes are compared
 * --records N  --rounds N  --round-ms N  --warm-up-rounds N
 *
 * The exit code is 1 if a floor was missed (not with --quick) or, with --check, a ratio is worse. Goals are told.
 */

import { GROUPS } from './groups.js'
import { flag, printTable } from './harness.js'
import { optionsGiven } from './run/options-given.js'
import { runBench } from './run/run-bench.js'

if (flag('list')) printTable(GROUPS.map(({ name, title }) => ({ group: name, title })))
else if (!(await runBench(optionsGiven()))) process.exitCode = 1
