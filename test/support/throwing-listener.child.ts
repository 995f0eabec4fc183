/** A program whose listeners throw, and that goes on: crashes a node, waits until it is back, closes. Reports to its parent. */

import { openCluster } from '../../src/index.js'

const thrown: string[] = []
process.on('uncaughtException', (error) => thrown.push(error.message))

const cluster = await openCluster({ location: process.argv[2] ?? '', faults: true })
// First: of several listeners those after one that throws are not called.
const isBack = new Promise((resolve) => cluster.once('node:up', resolve))
const fail = (what: string) => () => {
  throw new Error(what)
}
cluster.once('node:exit', fail('of exit')).once('node:up', fail('of up')).once('close', fail('of close'))
await cluster.faults.crash('node1')
await isBack
await cluster.settled({ timeoutMs: 30_000 })
const restarted = cluster.status().nodes[0]?.restarts === 1
await cluster.close()
await new Promise((resolve) => setImmediate(resolve))
process.send?.({ thrown, restarted, closed: true })
process.disconnect()
