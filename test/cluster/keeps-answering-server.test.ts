/** The first promise, with the coordinators in the nodes: a coordinator dies with requests in its hands. */

import { test } from 'tap'
import { assertKeepsAnswering, soakSeconds } from '../support/soak-test.js'

const seconds = soakSeconds(6)

test("faults: coordination: 'server', a node crashed or hung every second: no request fails", {
  timeout: (seconds + 60) * 1_000,
}, async (t) => {
  await assertKeepsAnswering(t, { seconds, coordination: 'server', callerThreads: 0 })
})
