/**
 * A process that is killed in the middle of a restore: it says when stores are being filled, and stands still, so that the location
 * never becomes a cluster. Arguments: backup, location.
 */

import { writeSync } from 'node:fs'
import { restoreCluster } from '../../src/index.js'

const STDOUT = 1

// What a test runner has every process load handles signals, in a thread that will stand still: they are to end it.
process.removeAllListeners('SIGINT')

const [dir = '', location = ''] = process.argv.slice(2)
await restoreCluster(dir, {
  location,
  onProgress: ({ records }) => {
    if (records === 0) return
    writeSync(STDOUT, 'restoring\n')
    // The pool's thread goes on; what makes a cluster of its stores is this one.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  },
})
