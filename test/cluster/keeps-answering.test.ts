/** The first promise: the cluster keeps answering while its nodes die and hang. The full minute: `npm run soak`. */

import { test } from 'tap'
import { assertKeepsAnswering, soakSeconds } from '../support/soak-test.js'

const seconds = soakSeconds(12)

test('faults: 16 callers, a node crashed or hung every second: no request fails, nothing acknowledged is lost', {
  timeout: (seconds + 60) * 1_000,
}, async (t) => {
  await assertKeepsAnswering(t, { seconds, coordination: 'client', callerThreads: 0 })
})
