/** The first promise, for callers in two other threads that entered through `connect`. */

import { test } from 'tap'
import { assertKeepsAnswering, soakSeconds } from '../support/soak-test.js'

const seconds = soakSeconds(6)

test('faults: two connected threads of 8 callers with near caches, a node crashed or hung every second: no request fails', {
  timeout: (seconds + 60) * 1_000,
}, async (t) => {
  await assertKeepsAnswering(t, { seconds, coordination: 'client', callerThreads: 2, nearCacheBytes: 1_048_576 })
})
