/**
 * The entry of a node's thread: is assigned a node, opens its store, and runs its core.
 *
 * It acts and decides nothing: events go into the mailbox, the core's effects are carried out in order, and everything
 * that a turn says to one receiver leaves in one envelope. What it cannot handle ends the thread: the supervisor starts
 * a new one, which is cheaper to get right than going on with half a state.
 */

import { parentPort, workerData } from 'node:worker_threads'
import { toWireError } from '../src/shared/errors.js'
import { useIteratorGate } from '../src/storage/iterator-gate.js'
import { exposeControl } from './control.js'
import { NodeHost } from './runtime/node-host.js'
import type { FromNode, ToNode } from './runtime/node-protocol.js'
import { unpackEnvelope } from './runtime/wire.js'

if (parentPort === null) throw new Error('node.actor runs in a worker thread')
const supervisor = parentPort
useIteratorGate(workerData as SharedArrayBuffer)

function say(message: FromNode): void {
  supervisor.postMessage(message)
}

/** The last word, then the end: a thread that has failed must not answer another message. */
function fail(error: unknown): void {
  say({ type: 'failed', error: toWireError(error) })
  process.exit(1)
}

const host = new NodeHost({ say, fail })

supervisor.on('message', (message: ToNode) => {
  switch (message.type) {
    case 'assign':
      host.open(message.assignment).catch(fail)
      return
    case 'boot':
      host.boot(message)
      return
    case 'link':
      host.attach(message.peer, message.link)
      return
    case 'control':
      exposeControl(message.port, host.controlSurface())
      return
    case 'mail':
      host.onMail('supervisor', unpackEnvelope(message.envelope))
      return
    default:
      message satisfies never
  }
})

process.on('uncaughtException', fail)
process.on('unhandledRejection', fail)

say({ type: 'loaded' })
