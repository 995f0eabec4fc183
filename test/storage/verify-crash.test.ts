/** What a crash leaves of a healthy store is `ok`: a node that was killed must not throw its store away. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { test } from 'tap'
import { verifyStoreFiles } from '../../src/storage/verify-store.js'
import { openStore, temporaryFolder } from './leveldb-stores.js'

const WRITER = new URL('./fixtures/endless-writer.js', import.meta.url)
const ROUNDS = 8

test('verify: a store whose process was killed in the middle of writing is ok', async (t) => {
  const folder = temporaryFolder(t)
  for (let round = 0; round < ROUNDS; round++) {
    const child = fork(fileURLToPath(WRITER), [folder])
    const target = 100 + round * 523
    await new Promise<void>((resolve) => child.on('message', (at) => (Number(at) >= target ? resolve() : undefined)))
    child.kill('SIGKILL')
    await once(child, 'exit')
    const report = verifyStoreFiles(folder)
    t.match(report, { verdict: 'ok', problems: [] }, `round ${round}`)
    t.ok(report.lastSequence > target, 'acknowledged writes are there')
  }
  await (await openStore(folder)).close()
})

test('verify: a store whose thread was terminated in the middle of writing is ok', async (t) => {
  const folder = temporaryFolder(t)
  for (let round = 0; round < ROUNDS; round++) {
    const worker = new Worker(WRITER, { workerData: folder })
    const target = 100 + round * 523
    await new Promise<void>((resolve) => worker.on('message', (at) => (Number(at) >= target ? resolve() : undefined)))
    await worker.terminate()
    const report = verifyStoreFiles(folder)
    t.match(report, { verdict: 'ok', problems: [] }, `round ${round}`)
    t.ok(report.lastSequence > target, 'acknowledged writes are there')
  }
  await (await openStore(folder)).close()
})
