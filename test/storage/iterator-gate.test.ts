/** A thread is not ended while LevelDB makes an iterator for it: that would abort the process. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { folderForTest } from '../support/cluster.js'

const PROCESS = fileURLToPath(new URL('./fixtures/endless-iterators.js', import.meta.url))
const ROUNDS = 40

test('iterator gate: threads that make iterators are ended again and again, and the process lives', async (t) => {
  const child = spawn(process.execPath, [PROCESS, await folderForTest(t), String(ROUNDS), 'gated'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let said = ''
  child.stderr.on('data', (chunk) => {
    said += String(chunk)
  })
  const [code, signal] = await once(child, 'close')
  t.same([code, signal], [0, null], said)
})
