/** One reader thread; see `reader-threads.ts`. */

import { parentPort, workerData } from 'node:worker_threads'
import { connect } from '../src/index.js'
import { makeChance, runCalls } from './harness.js'
import type { ReaderReply, ReaderTask } from './reader-threads.js'
import { checkValue, makeData } from './subjects/subject.js'

if (parentPort === null) throw new Error('reader.worker runs in a worker thread')
const port = parentPort
const { ticket, records, seed } = workerData as ReaderTask
const data = makeData(records, 100)
const chance = makeChance(seed)
const store = await connect(ticket)

port.on('message', async (order: number | 'close') => {
  if (order === 'close') {
    await store.close()
    port.close()
    return
  }
  const operations = await runCalls(performance.now() + order, 64, async () => {
    checkValue(await store.get(data.keys[Math.floor(chance() * records)] ?? '', { r: 1 }), data)
    return 1
  })
  port.postMessage({ operations } satisfies ReaderReply)
})
port.postMessage('connected')
