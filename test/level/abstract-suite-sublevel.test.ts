/** abstract-level's own suite, on a sublevel. */

import { runSuite } from './abstract-suite.js'

await runSuite('sublevel')
