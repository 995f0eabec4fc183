/** abstract-level's own suite, on a database. */

import { runSuite } from './abstract-suite.js'

await runSuite('database')
