/** `npm run bench:read-scaling`: the group `scaling` of the bench alone; takes what `npm run bench` takes. See `groups/scaling.ts`. */

import { SCALING } from './groups/scaling.js'
import { optionsGiven } from './run/options-given.js'
import { runBench } from './run/run-bench.js'

if (!(await runBench({ ...optionsGiven(), groupPrefixes: [SCALING] }))) process.exitCode = 1
