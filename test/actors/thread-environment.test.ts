/** What the opener has Node load before its own code is not loaded again by every thread of the cluster. */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'

const BIN = fileURLToPath(new URL('../../src/cli/coterie.cjs', import.meta.url))
const PRELOADED = new URL('./fixtures/preloaded.js', import.meta.url).href

test('threads: neither nodes nor the pool load what NODE_OPTIONS or the command line import', async (t) => {
  const folder = t.testdir()
  const log = join(folder, 'log')
  const env = { ...process.env, PRELOADED_LOG: log, NODE_OPTIONS: `--import=${PRELOADED}` }
  const input = 'id\tname\n1\tOne\n'
  // The second opening has stores to verify, in the pool.
  for (const args of [
    ['load', '-', '--format', 'tsv'],
    ['get', '1', '--verification', 'always'],
  ]) {
    const command = [`--import=${PRELOADED}?again`, BIN, ...args]
    execFileSync(process.execPath, command, { cwd: folder, env, input })
  }
  t.same(
    readFileSync(log, 'utf8').trim().split('\n'),
    ['0', '0', '0', '0'],
    'twice in the first thread of each process',
  )
})
