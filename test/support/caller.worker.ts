/**
 * A thread that calls the cluster through `connect(ticket)`: it runs the workload until it is told to stop and posts what
 * its callers saw. Spawned by `caller-thread.ts`.
 */

import { parentPort, workerData } from 'node:worker_threads'
import { connect } from '../../src/index.js'
import type { CallerReply, CallerTask } from './caller-thread.js'
import { startWorkload } from './workload.js'

if (parentPort === null) throw new Error('caller.worker runs in a worker thread')
const port = parentPort
const task = workerData as CallerTask
const store = await connect(task.ticket)
const workload = startWorkload(store, task.workload)
port.postMessage({ type: 'started', id: store.id } satisfies CallerReply)

port.once('message', async () => {
  const { history, requests, failures } = await workload.stop()
  await store.close()
  const data = history.toData()
  port.postMessage(
    { type: 'report', data, requests, failures } satisfies CallerReply,
    data.chunks.map((chunk) => chunk.buffer),
  )
  port.close()
})
