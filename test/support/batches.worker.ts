/** A thread that writes batches through `connect(ticket)` until it is terminated. Tells of each that is acknowledged. */

import { parentPort, workerData } from 'node:worker_threads'
import { connect, type Ticket } from '../../src/index.js'
import { type WriterTask, writeBatches } from './batch-writer.js'

const { ticket, ...task } = workerData as WriterTask & { readonly ticket: Ticket }
await writeBatches(await connect(ticket), task, (number) => parentPort?.postMessage(number))
